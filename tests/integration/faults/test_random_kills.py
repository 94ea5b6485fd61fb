# SPDX-License-Identifier: Apache-2.0
"""`stoken work` killed wherever it happens to be, ten times; `make test-long` does it a thousand times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import kills

ROOT = Path(__file__).parents[3]


class TestRandomKills:
    @pytest.mark.slow
    def test_ten_leave_nothing_lost_and_nothing_doubled(self, tmp_path: Path) -> None:
        results = tmp_path / "results.jsonl"
        # In a process of its own, as `make test-long` runs it.
        command = [sys.executable, "-m", "tests.kills", "5000:5010", "--results", str(results)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        (line,) = results.read_text().splitlines()
        assert (json.loads(line)["kills"], json.loads(line)["failed"]) == (10, {})

    def test_what_is_on_record_is_not_run_again(self, tmp_path: Path) -> None:
        results = tmp_path / "results.jsonl"
        results.write_text('{"seeds": "0:25"}\n')
        assert kills.done(results) == {"0:25"}
        assert [chunk[:2] for chunk in kills.chunks(0, 60)] == [(0, 25), (25, 50), (50, 60)]

    def test_no_seed_on_record_failed(self) -> None:
        found = [json.loads(line) for line in kills.RESULTS.read_text().splitlines()]
        assert [line["seeds"] for line in found if line["failed"]] == []
        assert all(line["kills"] and line["transactions"] for line in found)
