# SPDX-License-Identifier: Apache-2.0
"""Results of mutation: how they are kept, counted and explained, and which tests can be played among others."""

from pathlib import Path

import pytest

from tools.proof import results
from tools.proof.results import KILLED, SURVIVED, Results, Row, load, save, score, survivors
from tools.proof.tree import lasting

SOURCE = "contracts/compliance/Rules.sol"
NOTICED = Row(7, 3, "judge", "relation", "a < b", "(a) <= (b)", KILLED, "RulesTest.test_a_cap_holds")
ALIVE = Row(9, 1, "judge", "constant", "1", "uint256(1 + 1)", SURVIVED, "")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "equivalents.toml").write_text("")
    return tmp_path


@pytest.mark.usefixtures("folder")
class TestResults:
    def test_they_are_read_as_they_were_written_in_the_order_of_the_source(self) -> None:
        save(SOURCE, Results("abc", 3, [ALIVE, NOTICED]))
        assert load(SOURCE) == Results("abc", 3, [NOTICED, ALIVE])

    def test_a_source_without_any_has_none(self) -> None:
        assert load(SOURCE) is None

    def test_a_survivor_counts_until_it_is_explained(self, folder: Path) -> None:
        found = Results("abc", 2, [NOTICED, ALIVE])
        assert score(SOURCE, found) == (1, 2)
        (folder / "equivalents.toml").write_text(
            '[[equivalent]]\nsource = "compliance/Rules.sol"\nfunction = "judge"\noriginal = "1"\n'
            'mutated = "uint256(1 + 1)"\nreason = "nobody reads it"\n'
        )
        assert score(SOURCE, found) == (1, 1)
        assert survivors(SOURCE, found) == []

    def test_the_page_says_of_which_version_they_are_and_what_survived(self) -> None:
        save(SOURCE, Results("abc", 3, [NOTICED, ALIVE]))
        page = results.page()
        assert "| compliance/Rules | 3 | 0 | 1 | 0 | 1 | 50.0 % | of an earlier version, 2 of 3 run |" in page
        assert "* compliance/Rules:9, `judge`: `1` becomes `uint256(1 + 1)`" in page


class TestLasting:
    def test_a_test_that_pranks_or_mocks_for_good_is_not_played_among_others(self) -> None:
        text = """
    function test_one() public { vm.startPrank(alice); }
    function test_two() public { vm.prank(alice); }
    function test_three() public { _mock(); }
    function _mock() private { vm.mockCall(token, data, answer); }
"""
        assert lasting(text) == {"test_one", "test_three", "_mock"}
