# SPDX-License-Identifier: Apache-2.0
"""`stoken serve` as a process of its own: it listens, answers, and drains at SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest


@pytest.fixture
def serving(settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running gateway and its address."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
    command = [sys.executable, "-m", "stoken.cli", "serve", "--json"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=inherited | settings, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    with process:
        # One JSON document over some lines.
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield process, json.loads(told)["url"]
        process.kill()


class TestServe:
    def test_it_answers_and_ends_cleanly_at_sigterm(self, serving: tuple[subprocess.Popen[str], str]) -> None:
        process, url = serving
        assert httpx.get(f"{url}/health").json() == {"status": "up"}
        ready = httpx.get(f"{url}/ready")
        assert (ready.status_code, ready.json()["journal"], ready.json()["ledger_current"]) == (503, True, False)
        assert httpx.post(f"{url}/orders", json={}).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    def test_after_a_kill_it_opens_the_same_venue_again(
        self, serving: tuple[subprocess.Popen[str], str], settings: dict[str, str]
    ) -> None:
        process, _ = serving
        process.kill()
        process.wait()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
        other = settings | {"STOKEN_VENUE__LEI": "ZZZZ0000000000000210"}
        ended = subprocess.run(
            [sys.executable, "-m", "stoken.cli", "serve"],
            env=inherited | other,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 1
        assert ended.stderr == "stoken: STARTUP: the journal belongs to another venue or another chain\n"
