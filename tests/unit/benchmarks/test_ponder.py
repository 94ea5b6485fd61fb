# SPDX-License-Identifier: Apache-2.0
"""What Ponder's log says of its backfill."""

import json

import pytest

from benchmarks.ponder import backfill_seconds


def _line(time: int, message: str) -> str:
    return json.dumps({"level": 30, "time": time, "msg": message})


class TestBackfillSeconds:
    def test_is_from_the_start_of_indexing_to_its_end(self) -> None:
        started, ended = _line(5_000, "Started backfill indexing"), _line(7_500, "Completed backfill indexing")
        assert backfill_seconds(["(node:1) a warning", _line(1_000, "Connected"), started, ended]) == 2.5

    def test_a_run_that_ends_early_is_void(self) -> None:
        with pytest.raises(RuntimeError, match="ended before"):
            backfill_seconds([_line(5_000, "Started backfill indexing")])
