# SPDX-License-Identifier: Apache-2.0
"""Which figures of the cost table fail the check."""

import pytest

from benchmarks.costs.__main__ import problems
from benchmarks.costs.rows import Row, transfer


def row(target: int | None, *, missed: bool = False) -> Row:
    return Row("a transfer", target, transfer, missed=missed)


class TestProblems:
    @pytest.mark.parametrize("gas", [59_999, 60_000])
    def test_a_target_that_is_met_is_none(self, gas: int) -> None:
        assert problems([row(60_000)], [gas]) == []

    def test_a_missed_target_is_named_with_both_figures(self) -> None:
        assert problems([row(60_000)], [60_001]) == ["a transfer: 60,001 is above its target (60,000)"]

    def test_a_target_known_to_be_missed_is_none(self) -> None:
        assert problems([row(60_000, missed=True)], [60_001]) == []

    def test_a_mark_that_is_no_longer_true_is_named(self) -> None:
        (found,) = problems([row(60_000, missed=True)], [60_000])
        assert "meets its target" in found

    def test_a_row_without_a_target_is_never_one(self) -> None:
        assert problems([row(None)], [10**9]) == []
