# SPDX-License-Identifier: Apache-2.0
"""Which transactions the mirror saw in a block: the only way in which one counts as mined."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, select

from stoken.mirror import tables

_CHUNK: Final = 500
_blocks, _transactions, _logs = tables.blocks.c, tables.transactions.c, tables.logs.c
#: Built once: each round of the worker asks it.
_SEEN: Final = select(
    _transactions.hash,
    _transactions.block_number,
    _transactions.transaction_index,
    _blocks.hash.label("block"),
    exists()
    .where(_logs.block_number == _transactions.block_number, _logs.transaction_index == _transactions.transaction_index)
    .label("has_logs"),
).where(_transactions.hash.in_(bindparam("hashes", expanding=True)), _blocks.number == _transactions.block_number)


class Sighting(NamedTuple):
    """A transaction's block and its place in it; a transaction without logs may have failed."""

    block_number: int
    block_hash: bytes
    position: int
    has_logs: bool


def sightings(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, Sighting]:
    """Return those of the transactions that are in a mirrored block."""
    seen: dict[bytes, Sighting] = {}
    for start in range(0, len(hashes), _CHUNK):
        rows = connection.execute(_SEEN, {"hashes": list(hashes[start : start + _CHUNK])})
        seen |= {
            row.hash: Sighting(row.block_number, row.block, row.transaction_index, bool(row.has_logs)) for row in rows
        }
    return seen


def block_of(transaction_hash: ColumnElement[bytes]) -> ColumnElement[int]:
    """Return the number of the mirrored block that a transaction is in, for an order."""
    return select(func.min(_transactions.block_number)).where(_transactions.hash == transaction_hash).scalar_subquery()


def is_mirrored(transaction_hash: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Return the condition that a transaction is in a mirrored block, for who asks of many of which few are."""
    return exists().where(_transactions.hash == transaction_hash)
