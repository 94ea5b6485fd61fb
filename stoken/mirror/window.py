# SPDX-License-Identifier: Apache-2.0
"""How many blocks one request covers: as many as bring a set number of logs, fewer where the node says so."""

from typing import Final

import structlog

from stoken.chain.rpc import NodeError, OversizedError
from stoken.errors import LedgerUnavailableError

#: Catch-up asks for this many blocks at once, fewer where they turn out to be full.
RANGE_BLOCKS_MAX: Final = 1_000
RANGE_LOGS: Final = 20_000
_FIRST: Final = 8
#: After so many requests in a row that a node answered, it is asked for twice as much again.
_FORGIVEN: Final = 32
#: Limit exceeded (EIP-1474; Besu, Nethermind), and geth's "response too large" within a batch.
_TOO_LARGE: Final = frozenset({-32005, -32003})
#: Besu and geth say -32602 and -32000 of many things; these words mean size.
_WORDS: Final = ("range", "limit", "too large", "too many", "more than", "exceed", "timeout", "timed out")
_log = structlog.get_logger(__name__)


class Window:
    """Grows while a node answers, halves when it refuses, and follows how full the blocks are."""

    def __init__(self, blocks_max: int = RANGE_BLOCKS_MAX, logs: int = RANGE_LOGS) -> None:
        """Take the most blocks that a request may cover, and the logs that one should bring."""
        self._blocks_max = blocks_max
        self._logs = logs
        self._ceiling = blocks_max
        self._answered = 0
        self.size = min(_FIRST, blocks_max)

    def answered(self, blocks: int, logs: int) -> None:
        """Note what a request brought."""
        self._answered += 1
        if self._answered >= _FORGIVEN:
            self._ceiling, self._answered = min(self._blocks_max, self._ceiling * 2), 0
        dense = max(1, self._logs * blocks // max(1, logs))
        self.size = min(self._ceiling, self.size * 4, dense)

    def refused(self, blocks: int, because: LedgerUnavailableError) -> bool:
        """Halve after an answer that was too large, and say whether to ask again; false for any other error."""
        if blocks <= 1 or not is_oversized(because):
            return False
        self._ceiling = self.size = max(1, blocks // 2)
        self._answered = 0
        _log.warning("mirror.range_refused", blocks=blocks, next=self.size, reason=str(because))
        return True


def is_oversized(error: LedgerUnavailableError) -> bool:
    """Say whether a node refused because of the size of what was asked."""
    if not isinstance(error, NodeError):
        return isinstance(error, OversizedError)
    message = error.rpc_message.lower()
    return error.rpc_code in _TOO_LARGE or any(word in message for word in _WORDS)
