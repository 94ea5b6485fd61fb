# SPDX-License-Identifier: Apache-2.0
"""Starts `stoken work` again and again by forking a process that has imported it: `python -m tests.spawner LOG`.

It holds no connection and no thread, so what it forks is as a fresh process after its imports. It reads
`start ENVIRONMENT` and `kill PID` line by line, and answers each with a line: the pid, or how the process ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import alembic.context
import alembic.op
import alembic.script
import eth_account
import psycopg
import sqlalchemy.dialects.postgresql.psycopg
import structlog

from stoken.cli import main as command_line
from stoken.cli import working

#: What a worker would import late.
IMPORTED: Final = (alembic, eth_account, psycopg, sqlalchemy.dialects.postgresql, structlog, working)


class Spawner:
    """That process, from the side of whoever commands it."""

    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-m", "tests.spawner", str(log)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def start(self, environment: Mapping[str, str]) -> int:
        """Start a worker and return its pid."""
        return self._ask(f"start {json.dumps(dict(environment))}")

    def kill(self, pid: int) -> int:
        """Kill a worker by SIGKILL, and return the status it ended with."""
        return self._ask(f"kill {pid}")

    def close(self) -> None:
        """End it, and what it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        return int(self._process.stdout.readline())


def main() -> None:
    """Serve until standard input ends."""
    running: set[int] = set()
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command == "start":
            answer = _forked(json.loads(argument), sys.argv[1])
            running.add(answer)
        else:
            answer = _killed(int(argument))
            running.remove(int(argument))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in running:
        _killed(pid)


def _killed(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _forked(environment: Mapping[str, str], log: str) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for number, path in enumerate((os.devnull, log, log)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["stoken", "work"]
        status = command_line()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
