# SPDX-License-Identifier: Apache-2.0
"""The record of each final block that says something of ours: by which rule it is final, since when, who sealed it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select

from stoken.db import bulk
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal
from stoken.errors import NotFoundError, RefusedError
from stoken.ledger import tables
from stoken.mirror import Finality, MinedBlock
from stoken.mirror.store import read_checkpoint, read_seals

#: The encoded facts of a block that says nothing of ours.
_NOTHING: Final = b"\x90"


class FinalBlock(NamedTuple):
    """A final block; `final_at_ns` is when this mirror held it final, `time` what the block says of itself.

    `validators` and `signers` are empty, and `round` is None, where the engine has no seals.
    """

    number: int
    hash: bytes
    time: int
    final_at_ns: int
    rule: str
    round: int | None
    validators: tuple[Address, ...]
    signers: tuple[Address, ...]


class FinalBlocks:
    """Writes the records, in the commit that makes their blocks final; a projection that follows the ledger's."""

    def __init__(self, clock: Callable[[], int], finality: Finality) -> None:
        """Take a clock in nanoseconds UTC, and the rule of finality."""
        self._clock = clock
        self._finality = finality

    def apply(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:
        """Record what becomes final with this commit: the checkpoint still names the last block that was."""
        after = read_checkpoint(connection).final_number
        held = tables.blocks.c
        if final_number <= after or (_are_those(blocks, after, final_number) and not any(item.logs for item in blocks)):
            return
        query = select(held.number, held.hash).where(
            held.number > after, held.number <= final_number, held.facts != _NOTHING
        )
        now = self._clock()
        found = [(row.number, row.hash) for row in connection.execute(query)]
        # Blocks that were mirrored before the rule asked for seals, or before the chain had any, are final without.
        sealed = read_seals(connection, [number for number, _ in found]) if self._finality.sealed else {}
        unsealed = self._finality.rule_without_seals if self._finality.sealed else self._finality.rule
        rows = [(*block, now, self._finality.rule if block[0] in sealed else unsealed) for block in found]
        bulk.insert_rows(connection, tables.final_blocks, rows)

    def unwind(self, connection: Connection, to_block: int) -> None:
        """Take back records above a block; the mirror unwinds no final one, so there are none."""
        connection.execute(delete(tables.final_blocks).where(tables.final_blocks.c.number > to_block))


def _are_those(blocks: Sequence[MinedBlock], after: int, final_number: int) -> bool:
    """Tell whether the blocks applied are those that grow final: with a depth they are later ones."""
    return len(blocks) == final_number - after and bool(blocks) and blocks[-1].number == final_number


def final_block_records(connection: Connection, after: int = -1, limit: int = 1_000) -> list[FinalBlock]:
    """Return the records above a block, in ascending order."""
    final, held = tables.final_blocks.c, tables.blocks.c
    rows = connection.execute(
        select(final.number, final.hash, held.time, final.final_at_ns, final.rule)
        .join_from(tables.final_blocks, tables.blocks, final.number == held.number)
        .where(final.number > after)
        .order_by(final.number)
        .limit(limit)
    ).all()
    seals = read_seals(connection, [row.number for row in rows])
    return [FinalBlock(*row, *seals.get(row.number, (None, (), ()))) for row in rows]


def final_block_record(connection: Connection, number: int) -> FinalBlock:
    """Return one record; LEDGER_NOT_FINAL above the last final block, NotFoundError where it says nothing of ours."""
    final = read_checkpoint(connection).final_number
    if number > final:
        raise RefusedError(Refusal.LEDGER_NOT_FINAL, details={"block": number, "final": final})
    found = final_block_records(connection, number - 1, 1)
    if not found or found[0].number != number:
        raise NotFoundError("the block says nothing of ours", {"block": number})
    return found[0]
