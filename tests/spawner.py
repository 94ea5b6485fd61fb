# SPDX-License-Identifier: Apache-2.0
"""Starts `stoken work` and `stoken serve` again and again by forking a process that has imported them.

It holds no connection and no thread, so what it forks is as a fresh process after its imports. Run by `python -m
tests.spawner FOLDER` it reads `start COMMAND ENVIRONMENT` and `reap PID…` line by line, and answers each with a line:
the pid, or how the processes ended. What a command says goes to a log of its name in the folder.
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
import uvicorn.lifespan.off
import uvicorn.loops.uvloop
import uvicorn.protocols.http.httptools_impl

from stoken.cli import main as command_line
from stoken.cli import serving, working

#: What the processes would import late.
IMPORTED: Final = (alembic, eth_account, psycopg, sqlalchemy.dialects.postgresql, structlog, uvicorn, serving, working)


class Spawner:
    """That process, from the side of whoever commands it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.spawner", str(folder)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def start(self, command: str, environment: Mapping[str, str]) -> int:
        """Start a process by its command and return its pid."""
        return int(self._ask(f"start {command} {json.dumps(dict(environment))}"))

    def kill(self, *pids: int) -> list[int]:
        """Kill processes by SIGKILL, one right after the other, and return the statuses they ended with."""
        # From here, without a way that would take longer than what is to be struck; a pid stays until it is reaped.
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return [int(status) for status in self._ask(f"reap {' '.join(map(str, pids))}").split()]

    def close(self) -> None:
        """End it, and what it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        return self._process.stdout.readline()


def main() -> None:
    """Serve until standard input ends."""
    running: set[int] = set()
    for line in sys.stdin:
        order, _, argument = line.rstrip("\n").partition(" ")
        if order == "start":
            command, _, environment = argument.partition(" ")
            answer = _forked(command, json.loads(environment), Path(sys.argv[1]) / f"{command}.log")
            running.add(answer)
            sys.stdout.write(f"{answer}\n")
        else:
            pids = [int(pid) for pid in argument.split()]
            sys.stdout.write(" ".join(map(str, _reaped(pids))) + "\n")
            running -= set(pids)
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    _reaped(list(running))


def _reaped(pids: list[int]) -> list[int]:
    return [os.waitpid(pid, 0)[1] for pid in pids]


def _forked(command: str, environment: Mapping[str, str], log: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for number, path in enumerate((Path(os.devnull), log, log)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["stoken", command]
        status = command_line()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
