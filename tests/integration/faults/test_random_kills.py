# SPDX-License-Identifier: Apache-2.0
"""`stoken work` and `stoken serve` killed wherever they are, ten times; `make test-long` does it a thousand times."""

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
        # In a process of its own, as `make test-long` runs it; five on either kind of database.
        command = [sys.executable, "-m", "tests.kills", "5020:5030", "--results", str(results)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        lines = [json.loads(line) for line in results.read_text().splitlines()]
        assert [(line["database"], line["kills"], line["failed"]) for line in lines] == [
            ("postgresql", 5, {}),
            ("sqlite", 5, {}),
        ]
        assert all(line["transactions"] and line["orders"] and line["trades"] for line in lines)

    def test_each_process_is_struck_alone_and_with_the_other(self) -> None:
        struck = [kills.struck(seed) for seed in range(5020, 5030)]
        assert set(struck) == {("work",), ("serve",), ("work", "serve")}

    def test_what_is_on_record_is_not_run_again(self, tmp_path: Path) -> None:
        results = tmp_path / "results.jsonl"
        results.write_text('{"seeds": "0:25"}\n')
        assert kills.done(results) == {"0:25"}
        assert [chunk[:2] for chunk in kills.chunks(0, 60)] == [(0, 25), (25, 50), (50, 60)]
        assert list(kills.chunks(20, 30)) == [(20, 25, "postgresql"), (25, 30, "sqlite")]

    def test_no_seed_on_record_failed(self) -> None:
        found = [json.loads(line) for line in kills.RESULTS.read_text().splitlines()]
        assert [line["seeds"] for line in found if line["failed"]] == []
        assert all(line["kills"] and line["transactions"] for line in found)
