# SPDX-License-Identifier: Apache-2.0
"""Which transactions the mirror saw in a block: the only way in which one counts as mined."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, exists, select

from stoken.mirror import tables

_CHUNK: Final = 500


class Sighting(NamedTuple):
    """A transaction's block; a transaction without logs may have failed."""

    block_number: int
    block_hash: bytes
    has_logs: bool


def sightings(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, Sighting]:
    """Return those of the transactions that are in a mirrored block."""
    blocks, transactions, logs = tables.blocks.c, tables.transactions.c, tables.logs.c
    has_logs = exists().where(
        logs.block_number == transactions.block_number, logs.transaction_index == transactions.transaction_index
    )
    seen: dict[bytes, Sighting] = {}
    for start in range(0, len(hashes), _CHUNK):
        rows = connection.execute(
            select(
                transactions.hash, transactions.block_number, blocks.hash.label("block"), has_logs.label("has_logs")
            ).where(transactions.hash.in_(hashes[start : start + _CHUNK]), blocks.number == transactions.block_number)
        )
        seen |= {row.hash: Sighting(row.block_number, row.block, bool(row.has_logs)) for row in rows}
    return seen
