# SPDX-License-Identifier: Apache-2.0
"""Databases for worlds, migrated and empty: on SQLite one engine for all, whose statements stay compiled."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Engine, event

from stoken.db import open_engine, schema
from tests.database import Databases

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own within


class Store(Protocol):
    """Where a world keeps its database."""

    def open(self) -> Engine:
        """Return an engine on a database as it is after the migrations."""
        ...

    def discard(self, engine: Engine) -> None:
        """Close an engine, and forget its database."""
        ...


class SqliteStore:
    """One file after the other, on a disk in memory where there is one: no fault of these worlds is the disk's."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "world.db"
        self._engine = open_engine(f"sqlite:///{self._path}")
        event.listen(self._engine, "connect", _unsynchronised)
        schema.upgrade(self._engine)
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        self._engine.dispose()
        self._template = self._path.read_bytes()

    def open(self) -> Engine:
        self._path.write_bytes(self._template)
        return self._engine

    def discard(self, engine: Engine) -> None:
        engine.dispose()
        for file in self._path.parent.glob(f"{self._path.name}*"):
            file.unlink()


class PostgresStore:
    """A clone of the template for each world."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def open(self) -> Engine:
        return open_engine(self._databases.create("postgresql"))

    def discard(self, engine: Engine) -> None:
        engine.dispose()
        self._databases.remove(engine.url.render_as_string(hide_password=False))


@contextmanager
def sqlite_store() -> Iterator[SqliteStore]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield SqliteStore(Path(folder))


def _unsynchronised(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # Power cuts are another test's; here the process dies and the disk lives.
    connection.execute("PRAGMA synchronous=OFF")
