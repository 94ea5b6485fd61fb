# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the mirror's own tables; commits nothing."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from stoken.db import bulk
from stoken.errors import StartupError
from stoken.mirror import tables
from stoken.mirror.blocks import Header, Log, MinedBlock, Sealed
from stoken.mirror.roots import take_back

Addresses = tuple[bytes, ...]
_GENESIS_PARENT = bytes(32)
_ADDRESS_BYTES: Final = 20
#: Built once: each round of each step asks them.
_CHECKPOINT: Final = select(*(tables.checkpoint.c[name] for name in ("number", "hash", "final_number", "time")))
_HASH: Final = select(tables.blocks.c.hash).where(tables.blocks.c.number == bindparam("number"))


class Checkpoint(NamedTuple):
    """The last block applied, the last final one, and the time of the former; -1 before the first."""

    number: int
    hash: bytes
    final_number: int
    time: int = 0


def read_checkpoint(connection: Connection) -> Checkpoint:
    """Return where the mirror stands."""
    row = connection.execute(_CHECKPOINT).one_or_none()
    return Checkpoint(-1, _GENESIS_PARENT, -1) if row is None else Checkpoint(*row)


def check_cursor(connection: Connection) -> Checkpoint:
    """Return where the mirror stands; StartupError where the cursor is not that of the last block stored."""
    at = read_checkpoint(connection)
    last = connection.execute(select(func.max(tables.blocks.c.number))).scalar()
    if (-1 if last is None else last) != at.number or at.final_number > at.number:
        raise StartupError(f"the mirror's cursor is at block {at.number}, its last block is {last}: it is damaged")
    if at.number >= 0 and read_hash(connection, at.number) != at.hash:
        raise StartupError(f"the mirror's cursor has another hash than its block {at.number}: it is damaged")
    return at


def block_times(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Return the times of those blocks that the mirror holds."""
    rows = bulk.select_rows(connection, tables.blocks, [(number,) for number in sorted(set(numbers))])
    return {row[0]: row[3] for row in rows}


def write_checkpoint(connection: Connection, at: Checkpoint) -> None:
    """Move the checkpoint; the caller applied the blocks up to it in this unit of work."""
    bulk.upsert_rows(connection, tables.checkpoint, [(1, *at)])


def insert_blocks(connection: Connection, blocks: Sequence[MinedBlock]) -> None:
    """Store blocks with their logs and transaction hashes."""
    bulk.insert_rows(connection, tables.blocks, [block[:4] for block in blocks])
    bulk.insert_rows(
        connection,
        tables.transactions,
        [(block.number, index, item) for block in blocks for index, item in enumerate(block.transactions)],
    )
    bulk.insert_rows(connection, tables.logs, [log for block in blocks for log in block.logs])


def replace_logs(connection: Connection, block: MinedBlock) -> None:
    """Put the logs of a block in the place of those that were stored for it."""
    connection.execute(delete(tables.logs).where(tables.logs.c.block_number == block.number))
    bulk.insert_rows(connection, tables.logs, block.logs)


def replace_transactions(connection: Connection, block: Header) -> bool:
    """Put the transactions that a block was shown to hold in the place of those stored; False where they are the same.

    False, too, where another block of its number is mirrored by now.
    """
    table = tables.transactions
    stored = select(table.c.hash).where(table.c.block_number == block.number).order_by(table.c.transaction_index)
    same = tuple(connection.execute(stored).scalars()) == block.transactions
    if same or read_hash(connection, block.number) != block.hash:
        return False
    connection.execute(delete(table).where(table.c.block_number == block.number))
    rows = [(block.number, index, item) for index, item in enumerate(block.transactions)]
    bulk.insert_rows(connection, table, rows)
    return True


def insert_seals(connection: Connection, sealed: Sequence[Sealed]) -> None:
    """Store who sealed blocks."""
    rows = [(each.number, each.round, b"".join(each.validators), b"".join(each.signers)) for each in sealed]
    bulk.insert_rows(connection, tables.seals, rows)


def read_seals(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[int, Addresses, Addresses]]:
    """Return round, validators and signers of those blocks whose seals are stored."""
    rows = bulk.select_rows(connection, tables.seals, [(number,) for number in numbers])
    return {row[0]: (row[1], _addresses(row[2]), _addresses(row[3])) for row in rows}


def _addresses(packed: bytes) -> Addresses:
    return tuple(packed[at : at + _ADDRESS_BYTES] for at in range(0, len(packed), _ADDRESS_BYTES))


def delete_blocks(connection: Connection, above: int, final_number: int) -> None:
    """Remove every block above a number and set the checkpoint to it."""
    for table, number in (
        (tables.logs, tables.logs.c.block_number),
        (tables.transactions, tables.transactions.c.block_number),
        (tables.seals, tables.seals.c.number),
        (tables.blocks, tables.blocks.c.number),
    ):
        connection.execute(delete(table).where(number > above))
    take_back(connection, above)
    block = tables.blocks.c
    row = connection.execute(select(block.hash, block.time).where(block.number == above)).one_or_none()
    if row is None:
        connection.execute(delete(tables.checkpoint))
    else:
        write_checkpoint(connection, Checkpoint(above, row.hash, final_number, row.time))


def read_hash(connection: Connection, number: int) -> bytes | None:
    """Return the hash of a mirrored block."""
    return connection.execute(_HASH, {"number": number}).scalar()


def read_blocks(connection: Connection, first: int, last: int) -> list[MinedBlock]:
    """Return mirrored blocks with their logs; transaction hashes stay behind."""
    number = tables.blocks.c.number
    rows = connection.execute(select(tables.blocks).where(number.between(first, last)).order_by(number))
    logs = {key: list(group) for key, group in groupby(_logs(connection, first, last), lambda log: log.block_number)}
    return [MinedBlock(row.number, row.hash, row.parent_hash, row.time, (), logs.get(row.number, ())) for row in rows]


def _logs(connection: Connection, first: int, last: int) -> Iterator[Log]:
    table = tables.logs
    rows = connection.execute(
        select(table).where(table.c.block_number.between(first, last)).order_by(table.c.block_number, table.c.log_index)
    )
    return (Log(*row) for row in rows)


def final_number_at(connection: Connection, time_before: int) -> int | None:
    """Return the last final block mined before an instant."""
    final = select(tables.checkpoint.c.final_number).scalar_subquery()
    number = select(func.max(tables.blocks.c.number)).where(
        tables.blocks.c.number <= final, tables.blocks.c.time < time_before
    )
    return connection.execute(number).scalar()
