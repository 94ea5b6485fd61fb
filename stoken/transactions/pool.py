# SPDX-License-Identifier: Apache-2.0
"""How full the node's pool is, as the node says: what it cannot hold is not sent yet."""

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeGuard

from stoken.chain.rpc import NodeError, RpcClient
from stoken.errors import LedgerUnavailableError

#: What geth and GoQuorum hold by default; they do not say.
POOL_MAX: Final = 4_096
#: Of a pool's places; the rest is for other members, whose transactions we do not see coming.
_OURS_PERCENT: Final = 90
_ASK_SECONDS: Final = 1
#: A node that says nothing of its pool is asked again after so long: it may have been replaced.
_SILENT_SECONDS: Final = 60
_COUNT_MAX: Final = 1 << 32

Json = Any


class PoolFill(NamedTuple):
    """Transactions of all senders in a node's pool, and how many it holds."""

    held: int
    limit: int


class NodePool:
    """A node's pool, looked at once a second at most; between two looks what was sent is counted."""

    def __init__(self, rpc: RpcClient, limit: int = POOL_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the node, and how much its pool holds where it does not say; with 0 the node is never asked."""
        self._rpc = rpc
        self._limit = limit
        self._clock = clock
        self._ask_at = float("-inf")
        #: What the node said last, with what was sent since; None where it says nothing.
        self.fill: PoolFill | None = None

    def room(self) -> int | None:
        """Return how many more transactions may be sent, None where the node does not say or does not answer.

        It is a question of manners: what sends learns by itself whether the node is there.
        """
        now = self._clock()
        if self._limit and now >= self._ask_at:
            self.fill = self._besu() or self._status()
            self._ask_at = now + (_ASK_SECONDS if self.fill else _SILENT_SECONDS)
        if self.fill is None:
            return None
        return max(0, self.fill.limit * _OURS_PERCENT // 100 - self.fill.held)

    def sent(self, count: int) -> None:
        """Note that the pool has so many more."""
        if self.fill is not None:
            self.fill = self.fill._replace(held=self.fill.held + count)

    def _besu(self) -> PoolFill | None:
        """Ask as Besu is asked: its `txpool_status` counts wrongly, with `queued` below zero."""
        said = self._ask("txpool_besuStatistics")
        local, remote, limit = (said.get(name) for name in ("localCount", "remoteCount", "maxSize"))
        if not (_is_count(local) and _is_count(remote) and _is_count(limit)):
            return None
        return PoolFill(local + remote, limit or self._limit)

    def _status(self) -> PoolFill | None:
        said = self._ask("txpool_status")
        try:
            counts = [int(said[name], 16) for name in ("pending", "queued")]
        except (KeyError, TypeError, ValueError):
            return None
        return PoolFill(sum(counts), self._limit) if all(map(_is_count, counts)) else None

    def _ask(self, method: str) -> dict[str, Json]:
        try:
            said = self._rpc.call(method)
        except (NodeError, LedgerUnavailableError):
            return {}
        return said if isinstance(said, dict) else {}


def _is_count(value: Json) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < _COUNT_MAX
