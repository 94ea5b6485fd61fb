# SPDX-License-Identifier: Apache-2.0
"""Block time never runs back, and not ahead of UTC: deadlines on chain are counted in it."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import MinedBlock

_SECOND_NS: Final = 1_000_000_000
_log = structlog.get_logger(__name__)


class BlockTimeError(LedgerUnavailableError):
    """A block's time runs back, or ahead of UTC; the block is not written."""

    title = "A block's time is wrong."


class BlockClock:
    """Checks block times against each other, and against a clock where one is given."""

    def __init__(self, now_ns: Callable[[], int] | None = None, skew_seconds_max: int = 30) -> None:
        """Take a clock in nanoseconds UTC and how far ahead of it a block may be; without one only order counts."""
        self._now_ns = now_ns
        self._skew_seconds_max = skew_seconds_max

    def check(self, before: int, blocks: Sequence[MinedBlock]) -> None:
        """Raise BlockTimeError unless times ascend from that of the block before, none of them ahead of UTC."""
        for block in blocks:
            if block.time < before:
                self._alarm(block, f"{before - block.time} s before the block it follows")
            before = block.time
        # The last is the latest. How far behind UTC a chain may be is a question of its pauses, not of its clocks.
        if self._now_ns is not None and blocks:
            ahead = blocks[-1].time - self._now_ns() // _SECOND_NS
            if ahead > self._skew_seconds_max:
                self._alarm(blocks[-1], f"{ahead} s ahead of UTC")

    @staticmethod
    def _alarm(block: MinedBlock, where: str) -> None:
        _log.error("mirror.block_time", block=block.number, time=block.time, where=where)
        raise BlockTimeError(f"block {block.number} is {where}", {"block": block.number, "block_time": block.time})
