# SPDX-License-Identifier: Apache-2.0
"""Weaving: what a fault or a probe leaves of a source, and which faults are found in it."""

from pathlib import Path
from typing import Final

import pytest

from tools.coverage import Figures, figures, page
from tools.proof import mutants
from tools.proof.mutants import Mutant, find, places, weave_all
from tools.proof.probes import Probe, Prober
from tools.proof.results import row
from tools.proof.sites import Fault, Finder
from tools.proof.strikes import Reach, reach_of
from tools.proof.syntax import Piece, Wrap, complaints, trees, weave
from tools.proof.tree import lasting
from tools.solidity import walk

SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

contract Till {
    uint256 private constant _MOST = 9;
    uint256 public sum;

    modifier onlyHere() {
        require(msg.sender == address(this));
        _;
    }

    function put(uint256 units) external onlyHere returns (bool) {
        if (units == 0 || units > _MOST) return false;
        sum += units;
        return true;
    }

    function half(uint256 units) public pure returns (uint256) {
        return units / 2;
    }
}
"""
UNIT = trees({"contracts/Till.sol": SOURCE})["contracts/Till.sol"]
NODES = {node["id"]: node for node in walk(UNIT) if "id" in node}


def changes() -> set[tuple[str, str, str]]:
    return {
        (fault.operator, SOURCE[fault.start : fault.end] if fault.kind != "guard" else "", fault.text)
        for fault in Finder(SOURCE, UNIT, NODES).faults()
    }


class TestFaults:
    @pytest.mark.parametrize(
        "change",
        [
            ("relation", "units > _MOST", "(units) >= (_MOST)"),
            ("relation", "units == 0", "(units) != (0)"),
            ("logic", "units == 0 || units > _MOST", "(units == 0) && (units > _MOST)"),
            ("logic", "units == 0 || units > _MOST", "units > _MOST"),
            ("condition", "units == 0 || units > _MOST", "true"),
            ("constant", "0", "uint256(0 + 1)"),
            ("constant", "_MOST", "_MOST + 1"),
            ("deletion", "sum += units", ""),
            ("assignment", "sum += units", "sum -= units;"),
            ("return", "true", "false"),
            ("arithmetic", "units / 2", "(units) * (2)"),
            ("guard", "", "onlyHere"),
        ],
    )
    def test_one_is_found(self, change: tuple[str, str, str]) -> None:
        assert change in changes()

    def test_what_changes_nothing_is_no_fault(self) -> None:
        assert ("return", "true", "true") not in changes()
        assert ("deletion", "return false", "") not in changes()

    def test_nothing_said_otherwise_is_no_fault(self) -> None:
        source = SOURCE.replace("return units / 2", "return 0")
        unit = trees({"contracts/Till.sol": source})["contracts/Till.sol"]
        nodes = {node["id"]: node for node in walk(unit) if "id" in node}
        faults = [fault.text for fault in Finder(source, unit, nodes).faults() if fault.function == "half"]
        assert faults == ["uint256(0 + 1)"]


class TestWeaving:
    def test_wraps_nest_by_their_ranges(self) -> None:
        outer, inner = Wrap(0, 5, [Piece("<", 1)], ">"), Wrap(0, 1, [Piece("[", 2)], "]")
        assert weave("a + b", [inner, outer], "!").text == "<[a] + b>!"

    def test_the_pieces_say_where_each_mutant_lies(self) -> None:
        woven = weave("a + b", [Wrap(4, 5, [Piece("(x, "), Piece("yy", 7)], ")")], "")
        ((start, end, number),) = woven.pieces
        assert (woven.text[start:end], number) == ("yy", 7)

    def test_all_faults_compile_together(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        texts, dropped = woven_till(monkeypatch, tmp_path)
        assert dropped == []
        assert all(f"met({number})" in texts["contracts/Till.sol"] for number in (1, 3))

    def test_the_first_fault_of_a_place_notes_that_it_was_met(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        place_in(monkeypatch, tmp_path)
        found, _ = find(["contracts/Till.sol"])
        groups = list(places(found, set()).values())
        assert sum(map(len, groups)) == len(found)
        changed = next(group for group in groups if group[0].original == "sum += units")
        assert {mutant.fault.text for mutant in changed} == {"", "sum -= units;"}

    def test_a_fault_that_does_not_compile_is_left_out_alone(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        place_in(monkeypatch, tmp_path)
        found, units = find(["contracts/Till.sol"])
        first = found[0]
        wrong = first._replace(number=len(found) + 1, fault=Fault(*first.fault[:4], "nonsense", "put"))
        wrong = wrong._replace(fault=found[-1].fault._replace(text="nonsense"))
        texts, dropped = weave_all([*found, wrong], units)
        assert dropped == [wrong]
        assert "nonsense" not in texts["contracts/Till.sol"]


class TestRows:
    def test_mutants_of_a_long_expression_differ_by_its_end(self) -> None:
        long = " || ".join(f"id == {number}" for number in range(60))
        faults = [Fault("range", 0, 1, "logic", text, "f") for text in (long, f"{long} || true")]
        keys = {row(Mutant(1, "contracts/token/TokenState.sol", 1, fault, long), "").key() for fault in faults}
        assert len(keys) == len(faults)


class TestReach:
    def test_it_says_which_calls_meet_a_mutant_and_whether_set_up_does(self) -> None:
        assert reach_of(["p010", "p100", "p110"]) == {
            1: Reach(in_set_up=False, calls=(0, 1)),
            2: Reach(in_set_up=True, calls=(1,)),
        }

    def test_a_call_that_failed_while_it_was_noted_may_meet_any(self) -> None:
        assert reach_of(["p00", "f00"]) == {
            1: Reach(in_set_up=False, calls=(0,)),
            2: Reach(in_set_up=False, calls=(0,)),
        }


class TestProbes:
    def test_statements_and_both_sides_of_a_condition_have_one(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        place_in(monkeypatch, tmp_path)
        prober = Prober("contracts/Till.sol", UNIT, 0)
        text = prober.weave().text
        assert [(probe.line, probe.side) for probe in prober.probes if probe.line == 14] == [
            (14, ""),
            (14, ""),
            (14, "true"),
            (14, "false"),
        ]
        assert complaints({"contracts/Till.sol": text}) == []


class TestLooks:
    ANSWER: Final = SOURCE.replace(
        "        return units / 2;",
        """        uint256 size;
        assembly ("memory-safe") {
            size := returndatasize()
        }
        if (size == 0) return 0;
        bytes memory said = new bytes(size);
        assembly ("memory-safe") {
            returndatacopy(add(said, 0x20), 0, size)
        }
        units = said.length;
        return units / 2;""",
    )

    def test_no_probe_stands_before_the_last_look_at_what_a_call_answered(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        place_in(monkeypatch, tmp_path)
        (tmp_path / "contracts/Till.sol").write_text(self.ANSWER)
        prober = Prober("contracts/Till.sol", trees({"contracts/Till.sol": self.ANSWER})["contracts/Till.sol"], 0)
        text = prober.weave().text
        first = self.ANSWER.count("\n", 0, self.ANSWER.index("uint256 size;")) + 1
        # The way out in between copies nothing.
        expected = ["return 0", "units = said.length", "return units / 2"]
        assert [probe.text for probe in prober.probes if probe.line >= first] == expected
        assert complaints({"contracts/Till.sol": text}) == []


class TestFigures:
    PROBES: Final = [
        Probe(0, "contracts/Till.sol", 3, "", "a"),
        Probe(1, "contracts/Till.sol", 3, "", "b"),
        Probe(2, "contracts/Till.sol", 4, "", "c"),
        Probe(3, "contracts/Till.sol", 4, "true", "x < y"),
        Probe(4, "contracts/Till.sol", 4, "false", "x < y"),
    ]

    def test_a_line_counts_if_all_that_begins_in_it_ran(self) -> None:
        assert figures(self.PROBES, "10111") == Figures(1, 2, 2, 2)

    def test_the_page_names_what_did_not_run(self) -> None:
        text = page(self.PROBES, "11101", [])
        assert "* Till:4: `x < y` is never true" in text
        assert "| Till | 2 of 2, 100.0 % | 1 of 2, 50.0 % |" in text

    @pytest.mark.parametrize("few", [Figures(98, 100, 100, 100), Figures(100, 100, 96, 100)])
    def test_both_shares_decide(self, few: Figures) -> None:
        assert not few.enough()
        assert Figures(99, 100, 97, 100).enough()


class TestOrder:
    def test_a_test_that_leaves_something_behind_is_followed_by_none(self) -> None:
        text = """
    function test_open() public { vm.startPrank(a); }
    function test_closed() public { vm.startPrank(a); vm.stopPrank(); }
    function counts() private { vm.expectCall(a, "", 1); }
    function test_counted() public { counts(); }
"""
        assert lasting(text) == {"test_open", "counts", "test_counted"}


def place_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "contracts").mkdir()
    (folder / "contracts/Till.sol").write_text(SOURCE)
    for name in ("tools.proof.syntax.contracts", "tools.proof.mutants.contracts"):
        monkeypatch.setattr(name, lambda: {"contracts/Till.sol": SOURCE})
    for name in ("tools.proof.mutants.read", "tools.proof.probes.read"):
        monkeypatch.setattr(name, lambda path: (folder / path).read_text())


def woven_till(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[dict[str, str], list[mutants.Mutant]]:
    place_in(monkeypatch, folder)
    found, units = find(["contracts/Till.sol"])
    return weave_all(found, units)
