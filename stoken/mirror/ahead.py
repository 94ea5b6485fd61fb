# SPDX-License-Identifier: Apache-2.0
"""Reads the next range of blocks while the last one is being written."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from stoken.mirror.blocks import MinedBlock
from stoken.mirror.reader import ChainReader


class ReadAhead:
    """One range in advance, in a thread of its own; what turns out not to be wanted is thrown away."""

    def __init__(self, reader: ChainReader) -> None:
        """Take the reader; nothing is read before `start`."""
        self._reader = reader
        self._executor: ThreadPoolExecutor | None = None
        self._range = range(0)
        self._pending: Future[list[MinedBlock]] | None = None

    def start(self, first: int, last: int) -> None:
        """Begin to read a range."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="mirror")
        self._range = range(first, last + 1)
        self._pending = self._executor.submit(self._reader.blocks, first, last)

    def size(self, first: int) -> int:
        """Return how many blocks are on their way from `first` on, zero for none."""
        return len(self._range) if self._pending is not None and self._range.start == first else 0

    def take(self, first: int) -> Sequence[MinedBlock] | None:
        """Return the range that was begun at `first`, None where there is none; raises what reading it raised."""
        pending, self._pending = self._pending, None
        return pending.result() if pending is not None and self._range.start == first else None
