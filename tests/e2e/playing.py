# SPDX-License-Identifier: Apache-2.0
"""Runs `stoken demo` as a user does, and keeps its node and its database to look at afterwards."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from stoken.orders.replay import JournalRow
from tests.e2e.bare_node import BareNode

_SECONDS = 300
#: The step in which the crowd's orders are sent.
_ORDER_FLOW = "5 "
#: Orders of the scenes that the venue accepts, besides those of the crowd.
SCENE_ORDERS = 5


@dataclass(frozen=True)
class Played:
    """A demo that is over: the document that it wrote, and what it left behind."""

    document: dict[str, Any]
    node: BareNode
    node_url: str
    database_url: str

    @property
    def head(self) -> int:
        return int(self.document["head"]["number"])

    def journal(self) -> list[JournalRow]:
        path = Path(self.database_url.removeprefix("sqlite:///"))
        sibling = f"sqlite:///{path.with_name(f'{path.stem}-market.db')}"
        return read_journal(sibling if self.database_url.startswith("sqlite") else self.database_url)


def read_journal(market_url: str) -> list[JournalRow]:
    """Read a venue's journal without any of stoken's code."""
    statement = "SELECT sequence, entry, outcome FROM {} ORDER BY sequence"
    if market_url.startswith("postgresql"):
        with psycopg.connect(market_url) as server:
            return [JournalRow(*row) for row in server.execute(statement.format("market.journal").encode())]
    with closing(sqlite3.connect(market_url.removeprefix("sqlite:///"))) as file:
        return [JournalRow(*row) for row in file.execute(statement.format("market_journal"))]


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(arguments), env=_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
    )


def play(node_url: str, database_url: str, folder: Path, *arguments: str) -> Played:
    file = folder / "demo.json"
    ended = run_demo("--rpc", node_url, "--database", database_url, "--json", str(file), *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Played(json.loads(file.read_bytes()), BareNode(node_url), node_url, database_url)


def play_with_a_kill(failpoint: str, node_url: str, database_url: str, folder: Path, *arguments: str) -> Played:
    """Let the process that next passes a failpoint die there, counting from the beginning of the order flow."""
    file, armed = folder / "demo.json", folder / "armed"
    command = _command(("--rpc", node_url, "--database", database_url, "--json", str(file), *arguments))
    environment = _environment() | {"STOKEN_FAILPOINT": f"{failpoint}@{armed}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True) as demo:
        watchdog = threading.Timer(_SECONDS, demo.kill)
        watchdog.start()
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith(_ORDER_FLOW):
                armed.touch()
        watchdog.cancel()
    assert demo.returncode == 0, "".join(lines)
    return Played(json.loads(file.read_bytes()), BareNode(node_url), node_url, database_url)


def _command(arguments: Iterable[str]) -> list[str]:
    return [sys.executable, "-m", "stoken.cli", "demo", *arguments]


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
    return inherited | {"COLUMNS": "80", "PYTHONUNBUFFERED": "1"}
