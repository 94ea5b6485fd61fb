# SPDX-License-Identifier: Apache-2.0
"""A failpoint kills the process that is told to die there, and no other."""

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
from stoken.telemetry.failpoints import reach
for pass_ in range(3):
    print(pass_, flush=True)
    reach("mirror.block")
"""


def run(failpoint: str) -> tuple[int, int]:
    """Return how the program ended and how many passes it made."""
    environment = {**os.environ, "STOKEN_FAILPOINT": failpoint}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=False)
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
