# SPDX-License-Identifier: Apache-2.0
"""The pass over history: what catch-up wrote is compared with receipts that hash to the root of their block.

Bloom and indices do not show that the last log of a block was left out where its address and topics are another
log's, too. Blocks at the head are read by their receipts and need no second look.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Engine

from stoken.db import reading, unit_of_work
from stoken.ledger import breaks
from stoken.ledger.verification import ROOTS, Difference
from stoken.mirror import MinedBlock, store
from stoken.mirror.blocks import Header
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.reader import ChainReader
from stoken.mirror.roots import Roots, read_roots, write_roots
from stoken.mirror.store import Checkpoint, read_checkpoint
from stoken.telemetry.metrics import Counts

#: Blocks of one step at most.
_BLOCKS_MAX: Final = 200
#: Transactions whose receipts are held at once; a block with more stands alone.
_TRANSACTIONS_MAX: Final = 1_000


class RootsStep:
    """A step of the worker: one batch of history, so that the mirror has its turn between two."""

    def __init__(
        self, engine: Engine, reader: ChainReader, clock: Callable[[], int], counts: Counts | None = None
    ) -> None:
        """Take the database of `work`, what reads its node, and a clock in nanoseconds UTC."""
        self._engine = engine
        self._reader = reader
        self._clock = clock
        self._counts = counts or Counts()

    def execute(self) -> int:
        """Verify the next blocks and return how many; a difference opens a case, and nothing goes on before it closes.

        Raises LedgerUnavailableError where the node does not answer, contradicts itself, or has another block.
        """
        with reading(self._engine) as connection:
            before, last = read_roots(connection), read_checkpoint(connection).number
            if before.number >= last or _cases(connection):
                return 0
        began = time.monotonic_ns()
        first = before.number + 1
        headers = self._reader.headers(range(first, min(last, before.number + _BLOCKS_MAX) + 1))
        blocks = self._reader.verified_blocks(_affordable(headers))
        with unit_of_work(self._engine) as connection:
            good = self._compare(connection, before, blocks)
            if good:
                write_roots(connection, _moved(before, good, time.monotonic_ns() - began))
        self._counts.add("stoken_mirror_verified_blocks_total", len(good))
        return len(good)

    def _compare(self, connection: Connection, before: Roots, blocks: Sequence[MinedBlock]) -> Sequence[MinedBlock]:
        """Return the blocks before the first that differs; open its case."""
        held = store.read_blocks(connection, blocks[0].number, blocks[-1].number)
        if read_roots(connection) != before or len(held) != len(blocks):
            return ()  # unwound meanwhile
        for at, (block, mirrored) in enumerate(zip(blocks, held, strict=True)):
            if not _same(block, mirrored):
                found = Difference(ROOTS, (block.number,), b"", "logs", _count(mirrored), _count(block))
                breaks.open_cases(connection, [found], Checkpoint(block.number, block.hash, -1), self._clock())
                return blocks[:at]
        return blocks


def read_again(engine: Engine, reader: ChainReader) -> list[MinedBlock]:
    """Return the blocks of open cases as their receipts have them; IncompleteBlockError where they are others now."""
    with reading(engine) as connection:
        blocks = [reader.verified_block(case.block_number) for case in _cases(connection)]
        for block in blocks:
            _same(block, *store.read_blocks(connection, block.number, block.number))
    return blocks


def _cases(connection: Connection) -> list[breaks.Break]:
    return [case for case in breaks.cases(connection, only_open=True) if case.table == ROOTS]


def _affordable(headers: Sequence[Header]) -> list[Header]:
    """Return as many of the first headers as have receipts that may be held at once, one at least."""

    def taken() -> Iterator[Header]:
        transactions = 0
        for header in headers:
            transactions += len(header.transactions)
            if header is not headers[0] and transactions > _TRANSACTIONS_MAX:
                return
            yield header

    return list(taken())


def _same(block: MinedBlock, mirrored: MinedBlock) -> bool:
    if block.hash != mirrored.hash:
        raise IncompleteBlockError(f"block {block.number} is another one at the node")
    return (block.parent_hash, block.time, list(block.logs)) == (
        mirrored.parent_hash,
        mirrored.time,
        list(mirrored.logs),
    )


def _count(block: MinedBlock) -> str:
    return f"{len(block.logs)} logs"


def _moved(before: Roots, blocks: Sequence[MinedBlock], period_ns: int) -> Roots:
    logs = sum(len(block.logs) for block in blocks)
    return Roots(blocks[-1].number, before.blocks + len(blocks), before.logs + logs, before.period_ns + period_ns)
