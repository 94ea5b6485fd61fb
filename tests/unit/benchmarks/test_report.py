# SPDX-License-Identifier: Apache-2.0
"""The table of a benchmark, and its page."""

from pathlib import Path

from benchmarks.report import Row, table, write_section


class TestTable:
    def test_a_ratio_is_that_of_two_figures_of_one_round(self) -> None:
        row = Row("events", "floor", [10, 40, 30], [20, 20, 10], 1.5, "three rounds")
        lines = table([row]).split("\n")
        assert lines[2] == "| events | 30 | floor | 20 | 2.00 | 0.50-3.00 (3 rounds) | 1.50 |"
        assert lines[-1] == "* events: three rounds"


class TestWriteSection:
    def test_replaces_its_own_and_keeps_the_others(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        for part, text in (("mirror", "old"), ("orders", "kept"), ("mirror", "new")):
            write_section(page, part, text)
        head, mirror, orders = page.read_text().split("\n## ")
        assert head.startswith("<!-- Written by make bench")
        assert (mirror, orders) == ("mirror\n\nnew\n", "orders\n\nkept\n")
