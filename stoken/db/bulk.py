# SPDX-License-Identifier: Apache-2.0
"""Many rows at once by the driver's own means, for what follows the chain: no ORM, no compilation.

Rows are tuples in the order of the table's columns, keys tuples in the order of its primary key. SQLite takes many
rows a statement: its driver lets go of the interpreter at each, and a thread that reads ahead would take it.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table

from stoken.db.engine import qualified

Row = Sequence[Any]
_CHUNK: Final = 10_000
#: Rows of one statement on SQLite: more save nothing, and 32,766 values are the most it takes.
_A_STATEMENT: Final = 100


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row], rest: Sequence[int] = ()) -> None:
    """Insert rows whose keys are new; where all of them end alike, `rest` is that end and they go without it."""
    if not rows:
        return
    name = qualified(connection, table)
    if connection.dialect.name == "sqlite":
        _write_many(connection, f"INSERT INTO {name} VALUES", "", rows, rest)
        return
    statement = f"COPY {name} ({', '.join(table.columns.keys())}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection).cursor().copy(statement) as copy:
        copy.set_types([_array_type(column.type) for column in table.columns])
        for row in rows:
            copy.write_row((*row, *rest))


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those that have the same key; a key may occur once."""
    if not rows:
        return
    head, tail = _upsert(connection.dialect.name, qualified(connection, table), table)
    if connection.dialect.name == "sqlite":
        _write_many(connection, head, tail, rows)
    else:
        _write(connection, head + tail, rows)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Delete rows by key; missing ones are passed over."""
    if not keys:
        return
    name = qualified(connection, table)
    columns = _key_columns(table)
    if connection.dialect.name == "sqlite":
        statement = f"DELETE FROM {name} WHERE {' AND '.join(f'{column} = ?' for column in columns)}"  # noqa: S608 - our own names
    else:
        same = " AND ".join(f"t.{column} = k.{column}" for column in columns)
        statement = f"DELETE FROM {name} t USING {_unnest(table, columns)} WHERE {same}"  # noqa: S608 - our own names
    _write(connection, statement, keys)


def select_rows(connection: Connection, table: Table, keys: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows that exist among the keys, in no particular order."""
    if not keys:
        return
    name = qualified(connection, table)
    columns = _key_columns(table)
    cursor = _driver(connection).cursor()
    if connection.dialect.name == "sqlite":
        where = " AND ".join(f"{column} = ?" for column in columns)
        statement = f"SELECT * FROM {name} WHERE {where}"  # noqa: S608 - our own names
        for key in keys:
            yield from cursor.execute(statement, key)
        return
    listed = ", ".join(f"t.{column}" for column in table.columns.keys())  # noqa: SIM118 - not a dict
    joined = f"{_unnest(table, columns)} USING ({', '.join(columns)})"
    for chunk in _chunks(keys):
        yield from cursor.execute(
            f"SELECT {listed} FROM {name} t JOIN {joined}",  # noqa: S608 - our own names
            _columnwise(chunk),
            binary=True,
        )


def _write(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    cursor = _driver(connection).cursor()
    if connection.dialect.name == "sqlite":
        cursor.executemany(statement, map(tuple, rows))
        return
    for chunk in _chunks(rows):
        cursor.execute(statement, _columnwise(chunk))


def _write_many(connection: Connection, head: str, tail: str, rows: Sequence[Row], rest: Sequence[int] = ()) -> None:
    """Write rows to SQLite, many a statement: the statement's head, their marks and the rest, its tail."""
    # To bind a value takes longer than to store it: what is the same in all rows is not bound.
    marks = f"({', '.join([*'?' * len(rows[0]), *map(str, map(int, rest))])})"
    cursor = _driver(connection).cursor()
    full = len(rows) - len(rows) % _A_STATEMENT
    if full:
        values = ",".join([marks] * _A_STATEMENT)
        parts = (rows[at : at + _A_STATEMENT] for at in range(0, full, _A_STATEMENT))
        cursor.executemany(f"{head} {values} {tail}", (tuple(chain.from_iterable(part)) for part in parts))
    cursor.executemany(f"{head} {marks} {tail}", map(tuple, rows[full:]))


@lru_cache(maxsize=256)
def _upsert(dialect: str, name: str, table: Table) -> tuple[str, str]:
    """Return what comes before the values, and what after them; on PostgreSQL the former has them."""
    columns, keys = table.columns.keys(), _key_columns(table)
    changed = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in keys)
    action = f"UPDATE SET {changed}" if changed else "NOTHING"
    # SQLite's REPLACE would delete and write again every index entry; this touches those that change.
    source = "VALUES" if dialect == "sqlite" else f"SELECT * FROM {_unnest(table, columns)}"  # noqa: S608 - our own names
    return f"INSERT INTO {name} ({', '.join(columns)}) {source}", f" ON CONFLICT ({', '.join(keys)}) DO {action}"


def _unnest(table: Table, columns: Sequence[str]) -> str:
    arrays = ", ".join(f"%b::{_array_type(table.columns[column].type)}[]" for column in columns)
    return f"unnest({arrays}) AS k({', '.join(columns)})"


def _array_type(kind: object) -> str:
    if isinstance(kind, Boolean):
        return "bool"
    if isinstance(kind, BigInteger | Integer):
        return "int8"
    return "bytea" if isinstance(kind, LargeBinary) else "text"


def _key_columns(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _columnwise(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _driver(connection: Connection) -> Any:  # noqa: ANN401 - sqlite3 or psycopg
    return connection.connection.driver_connection
