# SPDX-License-Identifier: Apache-2.0
"""Which tests reach a mutant, and which notice it.

Every test is played once while each switch that is met is noted; a mutant is then played only to the tests that meet
it. Where a suite's `setUp` meets it, that runs again with the fault in force, and every test of the suite after it.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from eth_abi.abi import encode

from tools.proof.mutants import Mutant, places
from tools.proof.tree import GAS_OF_A_CALL, HARNESS, Suite, Tree, packed

_CONTRACT: Final = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {{Test}} from "./Test.sol";

interface Cheats {{
    function difficulty(uint256) external;
    function deal(address, uint256) external;
    function envOr(string calldata, bool) external returns (bool);
    function setEnv(string calldata, string calldata) external;
    function writeLine(string calldata, string calldata) external;
    function readFileBinary(string calldata) external returns (bytes memory);
    function toString(uint256) external returns (string memory);
    function snapshotState() external returns (uint256);
    function revertToState(uint256) external returns (bool);
}}

contract ProofTest is Test {{
    error Noticed(uint256 suite, uint256 call);

    struct Suite {{
        string name;
        bool setsUp;
        bytes calls;
        uint256[] starts;
    }}

    Cheats private constant _CHEATS = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant _NOTING = type(uint256).max;
    uint256 private constant _MUTANTS = {mutants};
    uint256 private constant _SET_UP = type(uint16).max;

{noted}

{struck}

    function _note(uint256 number, uint256 first, uint256 last, string memory file) private {{
        Suite memory suite = _suite(number);
        _CHEATS.difficulty(_NOTING);
        (address made,) = _ready(suite);
        _seen(file, true);
        uint256 state = _CHEATS.snapshotState();
        for (uint256 i = first; i < last; i++) {{
            bool passed = _passes(made, suite, i);
            _CHEATS.revertToState(state);
            _seen(file, passed);
        }}
    }}

    /// @dev Writes which switches were met since it was called last.
    function _seen(string memory file, bool passed) private {{
        bytes memory line = new bytes(_MUTANTS + 1);
        line[0] = passed ? bytes1("p") : bytes1("f");
        bytes memory name = "STOKENAAAA";
        for (uint256 i = 1; i <= _MUTANTS; i++) {{
            for (uint256 j = 0; j < 4; j++) name[6 + j] = bytes1(uint8(0x41 + (i >> 4 * j & 15)));
            bool met = _CHEATS.envOr(string(name), false);
            line[i] = met ? bytes1("1") : bytes1("0");
            if (met) _CHEATS.setEnv(string(name), "0");
        }}
        _CHEATS.writeLine(file, string(line));
    }}

    function _strike(uint256 number) private {{
        bytes memory plan = _CHEATS.readFileBinary(string.concat("build/plan", _CHEATS.toString(number)));
        uint256 before = _CHEATS.snapshotState();
        for (uint256 at = 0; at < plan.length;) {{
            Suite memory suite = _suite(_two(plan, at));
            _CHEATS.difficulty(number);
            (address made, bool ready) = _ready(suite);
            if (!ready) revert Noticed(_two(plan, at), _SET_UP);
            uint256 state = _CHEATS.snapshotState();
            uint256 count = _two(plan, at + 2);
            for (uint256 i = 0; i < count; i++) {{
                uint256 which = _two(plan, at + 4 + 2 * i);
                if (!_passes(made, suite, which)) revert Noticed(_two(plan, at), which);
                _CHEATS.revertToState(state);
            }}
            _CHEATS.revertToState(before);
            at += 4 + 2 * count;
        }}
    }}

    function _suite(uint256 number) private returns (Suite memory suite) {{
        bytes memory file = _CHEATS.readFileBinary(string.concat("build/suite", _CHEATS.toString(number)));
        (suite.name, suite.setsUp, suite.calls) = abi.decode(file, (string, bool, bytes));
        suite.starts = new uint256[](suite.calls.length);
        uint256[] memory starts = suite.starts;
        uint256 count = 0;
        for (uint256 at = 0; at < suite.calls.length; count++) {{
            starts[count] = at;
            at += 2 + _two(suite.calls, at);
        }}
        assembly ("memory-safe") {{ mstore(starts, count) }}
    }}

    function _ready(Suite memory suite) private returns (address made, bool ready) {{
        bytes memory code = vm.getCode(suite.name);
        assembly ("memory-safe") {{ made := create(0, add(code, 0x20), mload(code)) }}
        _CHEATS.deal(made, 1e30);
        (ready,) = made.call{{gas: {gas}}}(abi.encodeWithSignature("setUp()"));
        ready = ready || !suite.setsUp;
    }}

    function _passes(address made, Suite memory suite, uint256 which) private returns (bool) {{
        uint256 at = suite.starts[which];
        bytes memory call = new bytes(_two(suite.calls, at));
        for (uint256 i = 0; i < call.length; i++) call[i] = suite.calls[at + 2 + i];
        (bool passed, bytes memory answer) = made.call{{gas: {gas}}}(call);
        return passed || keccak256(answer) == keccak256("FOUNDRY::ASSUME");
    }}

    function _two(bytes memory data, uint256 at) private pure returns (uint256) {{
        return uint256(uint8(data[at])) << 8 | uint8(data[at + 1]);
    }}
}}
"""
_SET_UP: Final = 2**16 - 1
_NOTICED: Final = re.compile(r"Noticed\((\d+)[^,]*, (\d+)")


class Reach(NamedTuple):
    """Where one suite meets a mutant: in its `setUp`, and in which of its calls."""

    in_set_up: bool
    calls: tuple[int, ...]


class Strikes:
    """Plays mutants to the suites, in their order."""

    def __init__(self, tree: Tree, suites: list[Suite], mutants: list[Mutant], dropped: set[int]) -> None:
        """Write the test that plays them, and note which tests meet which of those that were woven in."""
        self._tree, self._suites = tree, suites
        self._first = {each.number: group[0].number for group in places(mutants, dropped).values() for each in group}
        for number, suite in enumerate(suites):
            data = encode(["string", "bool", "bytes"], [suite.name, suite.sets_up, packed(suite.calls)])
            self._file(f"suite{number}").write_bytes(data)
        self._reach = [reach_of(lines) for lines in self._noted(len(mutants))]

    def run(self, mutants: list[Mutant]) -> dict[int, str]:
        """Return which test noticed which mutant, by its number; those that none noticed are not in it."""
        for mutant in mutants:
            self._file(f"plan{mutant.number}").write_bytes(self._plan(self._first[mutant.number]))
        choice = "|".join(str(mutant.number) for mutant in mutants)
        verdicts = self._tree.run(rf"test_({choice})\(\)", lanes=2)
        return {
            mutant.number: self._named(verdict.reason)
            for mutant in mutants
            if not (verdict := verdicts[f"test_{mutant.number}"]).passed
        }

    def _file(self, name: str) -> Path:
        return self._tree.path / "build" / name

    def _noted(self, count: int) -> list[list[str]]:
        """Return what was noted of each suite; where a test failed and broke the others off, each is noted alone."""
        whole = [(number, 0, len(suite.calls), f"noted{number}") for number, suite in enumerate(self._suites)]
        found = self._note(count, whole)
        broken = [number for number, suite in enumerate(self._suites) if len(found[number]) <= len(suite.calls)]
        alone = [
            (number, place, place + 1, f"noted{number}_{place}")
            for number in broken
            for place in range(len(self._suites[number].calls))
        ]
        single = iter(self._note(count, alone) if alone else [])
        for number in broken:
            pairs = [next(single) for _ in self._suites[number].calls]
            found[number] = [pairs[0][0], *(pair[1] if len(pair) > 1 else "f" * (count + 1) for pair in pairs)]
        return found

    def _note(self, count: int, parts: list[tuple[int, int, int, str]]) -> list[list[str]]:
        """Note calls of suites, each part into a file: a line for `setUp` and one for each call."""
        lines = []
        for place, (number, first, last, name) in enumerate(parts):
            self._file(name).unlink(missing_ok=True)
            lines.append(
                f'    function test_noted{place}() public {{ _note({number}, {first}, {last}, "build/{name}"); }}'
            )
        text = _CONTRACT.format(
            mutants=count,
            gas=GAS_OF_A_CALL,
            noted="\n".join(lines),
            struck="\n".join(f"    function test_{number}() public {{ _strike({number}); }}" for number in self._first),
        )
        (self._tree.path / HARNESS).write_text(text)
        self._tree.run("test_noted")
        files = [self._file(name) for _, _, _, name in parts]
        return [file.read_text().splitlines() if file.exists() else [] for file in files]

    def _plan(self, first: int) -> bytes:
        """Return the suites that a mutant is played to, each with the places of its calls: those that meet it first."""
        words: list[int] = []
        for number, reach in enumerate(self._reach):
            if first in reach:
                met = reach[first].calls
                more = range(len(self._suites[number].calls)) if reach[first].in_set_up else ()
                calls = [*met, *(place for place in more if place not in set(met))]
                words += [number, len(calls), *calls]
        return b"".join(word.to_bytes(2, "big") for word in words)

    def _named(self, reason: str) -> str:
        found = _NOTICED.search(reason)
        if not found:
            return reason[:80]
        suite, call = self._suites[int(found[1])], int(found[2])
        test = "setUp" if call == _SET_UP else suite.tests[suite.calls[call][:4].hex()]
        return f"{suite.name.split(':')[1]}.{test}"


def reach_of(noted: list[str]) -> dict[int, Reach]:
    """Read what was noted of a suite: a line for its `setUp`, and after it one for each call."""
    first, *lines = noted
    calls: dict[int, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        # What fails while it is noted, since notes cost gas, may meet any.
        for number in range(1, len(line)) if line[0] == "f" else _numbers(line):
            calls[number].append(place)
    in_set_up = _numbers(first)
    return {number: Reach(number in in_set_up, tuple(calls[number])) for number in {*calls, *in_set_up}}


def _numbers(line: str) -> set[int]:
    return {place for place, mark in enumerate(line) if mark == "1"}
