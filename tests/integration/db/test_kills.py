# SPDX-License-Identifier: Apache-2.0
"""F31: `kill -9` half-way through a migration leaves nothing of it, and the next one does all of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stoken.db import open_engine, schema

ROOT = Path(__file__).parents[3]
#: Migrates, and dies by its own hand after so many statements.
_PROGRAM = """
import os, signal, sys
from sqlalchemy import event
from stoken.db import open_engine, schema
engine, left = open_engine(sys.argv[1]), [int(sys.argv[2])]
@event.listens_for(engine, "after_cursor_execute")
def _die(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
schema.upgrade(engine)
"""


def _migrate(url: str, statements: int) -> int:
    command = [sys.executable, "-c", _PROGRAM, url, str(statements)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=120, capture_output=True).returncode


class TestKilledMigration:
    @pytest.mark.parametrize("statements", [2, 30, 50])
    def test_f31_it_leaves_nothing_and_the_next_does_all_of_it(self, empty_database_url: str, statements: int) -> None:
        assert _migrate(empty_database_url, statements) == -signal.SIGKILL
        engine = open_engine(empty_database_url)
        assert schema.current(engine) is None
        schema.upgrade(engine)
        schema.check(engine)
        engine.dispose()

    def test_f31_without_the_kill_the_same_program_migrates(self, empty_database_url: str) -> None:
        assert _migrate(empty_database_url, 100_000) == 0
        engine = open_engine(empty_database_url)
        schema.check(engine)
        engine.dispose()
