# SPDX-License-Identifier: Apache-2.0
"""Engines for SQLite and PostgreSQL, and the two ways to use one: a unit of work, and a reading.

Schemas are real on PostgreSQL; on SQLite `ledger.positions` is the table `ledger_positions`.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.schema import Table

from stoken.db.metadata import SCHEMAS
from stoken.errors import StartupError

_BUSY_SECONDS: Final = 15
_CACHE_KIB: Final = 65_536
#: 64 MiB of log before it is moved into the database: catch-up rewrites the same pages again and again.
_CHECKPOINT_PAGES: Final = 16_384
_WRITES: Final = "stoken_writes"
_NOTED: Final = "stoken_noted"
_QUALIFIED: Final = re.compile(rf'(?<![\w."])({"|".join(SCHEMAS)})\.(?=["\w])')


def open_engine(url: str) -> Engine:
    """Open a database by its URL, `sqlite:///path` or `postgresql://…`; nothing connects yet.

    Raises StartupError for any other URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StartupError("the database URL is malformed") from error
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database:
        return _open_sqlite(parsed)
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    raise StartupError(f"the database URL names {parsed.drivername}: use sqlite:///path or postgresql://…")


def note_commits(engine: Engine, noted: Callable[[float], None]) -> None:
    """Have the seconds that each commit of this engine's units of work takes noted."""
    engine.update_execution_options(**{_NOTED: noted})


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose whole work is committed at the end, or leaves nothing.

    SQLite takes the write lock at the start, so that a unit of work never fails half-way as a second writer.
    """
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin() as transaction:
        yield connection
        began = time.perf_counter()
        transaction.commit()
        noted = engine.get_execution_options().get(_NOTED)
        if noted is not None:
            noted(time.perf_counter() - began)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one moment of the database, whatever is committed meanwhile."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 - the same connection, returned by its setter
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def qualified(connection: Connection, table: Table) -> str:
    """Return a table's name as raw statements of this connection must write it."""
    return f"{table.schema}{'.' if connection.dialect.name == 'postgresql' else '_'}{table.name}"


class _SqliteConnection(sqlite3.Connection):
    """Knows the cursors of its statements, to end those that an error left amid their rows."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - the driver's own
        super().__init__(*arguments, **named)
        self._cursors = WeakSet[sqlite3.Cursor]()

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:  # type: ignore[explicit-override]  # noqa: ANN401 - likewise
        made = super().cursor(factory)
        self._cursors.add(made)
        return made

    def end_statements(self) -> None:
        """End every statement: one that still has rows keeps the connection at its moment of the database."""
        while self._cursors:
            self._cursors.pop().close()


class _PrefixPreparer(SQLiteIdentifierPreparer):
    """Writes the schema of a table as a prefix of its name."""

    def format_table(  # type: ignore[explicit-override]  # typing knows `override` from Python 3.12 on
        self,
        table: Any,  # noqa: ANN401 - SQLAlchemy's signature
        use_schema: bool = True,  # noqa: ARG002, FBT001, FBT002 - likewise
        name: str | None = None,
    ) -> str:
        plain = name or table.name
        return self.quote(f"{table.schema}_{plain}" if table.schema else plain)


def _open_sqlite(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"), connect_args={"timeout": _BUSY_SECONDS, "factory": _SqliteConnection}
    )
    engine.dialect.preparer = _PrefixPreparer
    engine.dialect.identifier_preparer = _PrefixPreparer(engine.dialect)
    # The driver asks each value of another type than these four for a protocol, and then binds it as it is.
    sqlite3.register_adapter(bytes, bytes.__bytes__)
    sqlite3.register_adapter(bool, int.__int__)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "checkin", _end_statements)
    event.listen(engine, "before_cursor_execute", _prefixed, retval=True)
    return engine


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # The driver's implicit transactions skip DDL and begin late; `_begin` begins them instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")


def _end_statements(connection: _SqliteConnection | None, _record: object) -> None:
    if connection is not None:
        connection.end_statements()


def _begin(connection: Connection) -> None:
    # Past SQLAlchemy's own execution, which would take longer than the statement.
    statement = "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN"
    try:
        connection.connection.cursor().execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error


def _prefixed(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: object,
    _context: object,
    _many: bool,  # noqa: FBT001 - SQLAlchemy's signature
) -> tuple[str, object]:
    return _prefix(statement), parameters


@lru_cache(maxsize=1024)
def _prefix(statement: str) -> str:
    # The same few statements run again and again.
    return _QUALIFIED.sub(r"\1_", statement)
