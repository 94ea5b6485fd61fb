# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and its pgbench as a floor: a throw-away server that syncs every commit to the disk."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.database import PostgresServer

#: Everything a server needs for durable commits is its default; only its place differs.
_OPTIONS: Final = "-c shared_buffers=128MB -c max_connections=50"
_TABLE: Final = "CREATE TABLE entries (id bigserial PRIMARY KEY, body bytea NOT NULL)"
#: As large as what the venue's journal keeps of an order, entry and outcome together.
_BODY_BYTES: Final = 400
_INSERT: Final = "INSERT INTO entries (body) VALUES (decode(repeat('5a', :size), 'hex'));"
_RATE: Final = re.compile(r"^tps = ([0-9.]+) \(without", re.MULTILINE)


class Pgbench:
    """Runs simple inserts, each its own commit, from so many clients."""

    def __init__(self, server: PostgresServer, clients: int, seconds: int) -> None:
        """Take a running server."""
        self._server = server
        self._database = server.create("template0")
        script = server.folder / "insert.sql"
        script.write_text(_INSERT)
        threads = ("--client", str(clients), "--jobs", "2", "--time", str(seconds))
        self._options = (
            *threads,
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--define",
            f"size={_BODY_BYTES}",
            "--file",
            str(script),
        )
        self._connection = ("--host", str(server.folder), "--username", "stoken")
        self._run("psql", "--quiet", "--command", _TABLE, "--dbname", self._database)

    def run(self) -> float:
        """Return inserts a second."""
        found = _RATE.search(self._run("pgbench", *self._options, self._database))
        if found is None:
            raise RuntimeError("pgbench names no rate")
        return float(found[1])

    @property
    def version(self) -> str:
        """Return the server's version."""
        return self._run("psql", "--no-align", "--tuples-only", "--command", "SHOW server_version", "postgres").strip()

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._server.binaries / program), *self._connection, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def open_pgbench(clients: int, seconds: int) -> Iterator[Pgbench]:
    """Start a server and stop it at the end; STOKEN_TEST_PGBIN names another than the locked one."""
    with open_server() as server:
        yield Pgbench(server, clients, seconds)


@contextmanager
def open_server() -> Iterator[PostgresServer]:
    """Start a server that loses nothing when the machine stops, and stop it at the end."""
    server = PostgresServer(_OPTIONS)
    try:
        server.start()
        yield server
    finally:
        server.stop()
