# SPDX-License-Identifier: Apache-2.0
"""A hash over the whole ledger, and its reconstruction from mirrored logs alone."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, FromClause, Select, delete, select

from stoken.db import bulk
from stoken.domain.facts import Address
from stoken.ledger import books, tables
from stoken.ledger.projection import LedgerProjection, read_generation
from stoken.mirror.store import read_blocks, read_checkpoint

_BLOCKS: Final = 1_000
_ROWS: Final = 5_000


def _positions(of: FromClause) -> Select[Any]:
    """Select positions, or their changes, by token and account: the numbers of rows are no facts."""
    held, names = tables.positions.c, ("balance", "frozen_units", "lockup", "pledged", "restricted", "frozen")
    columns = [of.c[name] for name in (*names, "changed_block")]
    query = select(held.token, held.account, *columns).order_by(held.token, held.account, of.c.changed_block)
    return query if of is tables.positions else query.join(of, of.c.number == held.number)


_STATEMENTS: Final = {table.name: _positions(table) for table in (tables.positions, tables.position_changes)}


def digest(connection: Connection) -> str:
    """Return the hash of every row that events decide: equal on SQLite and PostgreSQL, live and rebuilt."""
    total = hashlib.sha256()
    encoder = msgspec.msgpack.Encoder()
    for name, table in sorted((tables.STATE | tables.HISTORY).items()):
        total.update(name.encode())
        # An option of the statement alone: one of the connection would give later writes a server-side cursor, too.
        statement = _STATEMENTS.get(name, select(table).order_by(*table.primary_key.columns))
        rows = connection.execute(statement.execution_options(yield_per=_ROWS))
        for part in rows.partitions():
            total.update(encoder.encode([tuple(row) for row in part]))
    return total.hexdigest()


def rebuild(connection: Connection, suite: Mapping[str, Address], advance: Callable[[int], object] = int) -> str:
    """Empty the ledger, fold it again from the mirror's logs, and return its digest; commit or roll back to compare.

    `advance` is told of each range how many blocks it had. A worker may run meanwhile: once this is committed, it
    forgets the rows that it remembers.
    """
    generation = read_generation(connection)
    for table in (*tables.STATE.values(), *tables.HISTORY.values(), tables.undo, tables.books):
        connection.execute(delete(table))
    at = read_checkpoint(connection)
    projection = LedgerProjection(suite)
    for first in range(0, at.number + 1, _BLOCKS):
        blocks = read_blocks(connection, first, min(first + _BLOCKS - 1, at.number))
        projection.apply(connection, blocks, at.final_number)
        # Kept, as live, by what changed: summed from the positions later, they would agree with any damage.
        books.follow(connection, projection.state)
        advance(len(blocks))
    bulk.upsert_rows(connection, tables.generation, [(1, generation + 1)])
    return digest(connection)
