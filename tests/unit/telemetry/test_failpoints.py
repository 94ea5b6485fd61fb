# SPDX-License-Identifier: Apache-2.0
"""A failpoint kills the process that is told to die there, and no other."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import pathlib, sys
from stoken.telemetry.failpoints import reach
for pass_ in range(3):
    print(pass_, flush=True)
    if pass_ == 1 and sys.argv[1:]:
        pathlib.Path(sys.argv[1]).touch()
    reach("mirror.block")
"""


def run(failpoint: str, *arguments: str) -> tuple[int, int]:
    """Return how the program ended and how many passes it made."""
    environment = {**os.environ, "STOKEN_FAILPOINT": failpoint}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return done.returncode, len(done.stdout.split())


class TestReach:
    @pytest.mark.parametrize(
        ("failpoint", "passes"), [("mirror.block", 1), ("mirror.block:1", 1), ("mirror.block:3", 3)]
    )
    def test_it_kills_at_the_pass_named(self, failpoint: str, passes: int) -> None:
        assert run(failpoint) == (-signal.SIGKILL, passes)

    @pytest.mark.parametrize("failpoint", ["", "outbox.committed", "mirror.block:4"])
    def test_other_points_are_passed(self, failpoint: str) -> None:
        assert run(failpoint) == (0, 3)

    @pytest.mark.parametrize(("nth", "ending"), [(1, (-signal.SIGKILL, 2)), (2, (-signal.SIGKILL, 3)), (3, (0, 3))])
    def test_passes_count_once_the_named_file_is_there(self, nth: int, ending: tuple[int, int], tmp_path: Path) -> None:
        file = str(tmp_path / "armed")  # the program makes it in its second pass
        assert run(f"mirror.block:{nth}@{file}", file) == ending
