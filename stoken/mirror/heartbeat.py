# SPDX-License-Identifier: Apache-2.0
"""The mirror's sign of life: when it last looked at the node, and how far it stood behind the head."""

from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, select

from stoken.db import bulk, unit_of_work
from stoken.mirror import tables
from stoken.mirror.store import read_checkpoint
from stoken.mirror.verified import is_verified

#: A sign of life a second is enough, and costs one small commit.
_PERIOD_NS: Final = 1_000_000_000


class Limits(NamedTuple):
    """How far the mirror may be from the chain while orders are taken."""

    #: Older than this, the worker or its node is gone.
    stale_ns: int = 10_000_000_000
    #: Further behind than this, the mirror is catching up.
    lag_blocks: int = 5
    #: Longer without a new block, the chain has stopped; 0 where a chain may rest as long as it likes.
    idle_ns: int = 0


_DEFAULTS: Final = Limits()


class Health(NamedTuple):
    """Whether orders may be judged by the mirror; if not, why. `head` is the node's last known, -1 for none."""

    current: bool
    reason: str
    head: int


class Beat(NamedTuple):
    """A look at the node: UTC in nanoseconds, blocks between the mirror and the head, and the work since the last."""

    looked_at_ns: int = 0
    lag_blocks: int = 0
    period_ns: int = 0
    blocks: int = 0
    logs: int = 0
    #: When a block was last written, or this process began to look.
    advanced_at_ns: int = 0


class Heartbeat:
    """Writes beats for the one mirror of a database."""

    def __init__(self, engine: Engine, clock: Callable[[], int], limits: Limits = _DEFAULTS) -> None:
        """Take the mirror's database, a clock in nanoseconds UTC, and the lag beyond which it says so at once."""
        self._engine = engine
        self._clock = clock
        self._lag_blocks_max = limits.lag_blocks
        self._advanced_at_ns = 0
        self._last = Beat()
        self._blocks = 0
        self._logs = 0

    def beat(self, lag_blocks: int, blocks: int = 0, logs: int = 0) -> None:
        """Note a look at the node that was answered; the mirror says how far it stands behind, and what it wrote."""
        now = self._clock()
        self._blocks += blocks
        self._logs += logs
        if blocks or not self._advanced_at_ns:
            self._advanced_at_ns = now
        late = now - self._last.looked_at_ns >= _PERIOD_NS
        if late or (lag_blocks > self._lag_blocks_max) != (self._last.lag_blocks > self._lag_blocks_max):
            # The first beat of a process has no period behind it.
            period = now - self._last.looked_at_ns if self._last.looked_at_ns else 0
            self._last = Beat(now, lag_blocks, period, self._blocks, self._logs, self._advanced_at_ns)
            self._blocks = self._logs = 0
            with unit_of_work(self._engine) as connection:
                bulk.upsert_rows(connection, tables.heartbeat, [(1, *self._last)])


def last_beat(connection: Connection) -> Beat | None:
    """Return the mirror's last sign of life, None where it never looked."""
    row = connection.execute(select(tables.heartbeat)).one_or_none()
    return None if row is None else Beat(*row[1:])


def health(connection: Connection, now_ns: int, limits: Limits = _DEFAULTS) -> Health:
    """Say whether the mirror looked at its node a moment ago, stood near the head, and the chain goes on.

    Final blocks whose receipts were not yet shown to hash to their roots may lack a log: it is not current then.
    """
    last = last_beat(connection)
    if last is None:
        return Health(current=False, reason="never_looked", head=-1)
    at = read_checkpoint(connection)
    head = at.number + last.lag_blocks
    if now_ns - last.looked_at_ns > limits.stale_ns:
        return Health(current=False, reason="stale", head=head)
    if last.lag_blocks > limits.lag_blocks:
        return Health(current=False, reason="behind", head=head)
    if not is_verified(connection):
        return Health(current=False, reason="unverified", head=head)
    if limits.idle_ns and now_ns - last.advanced_at_ns > limits.idle_ns:
        return Health(current=False, reason="idle", head=head)
    return Health(current=True, reason="", head=head)
