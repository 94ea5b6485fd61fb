# SPDX-License-Identifier: Apache-2.0
"""Sources with what is woven into them, and the compiler's opinion of the result."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from solcx import compile_standard
from solcx.exceptions import SolcError

from tools.pages import ROOT
from tools.solidity import Node

#: What sets a variable of Forge's process, named after a number: it remains where a call is reverted.
SEEN: Final = """
function probeSeen(uint256 which) view {
    assembly ("memory-safe") {
        let at := mload(0x40)
        let name := shl(208, 0x53544f4b454e)
        for { let i := 0 } lt(i, 4) { i := add(i, 1) } {
            name := or(name, shl(sub(200, mul(i, 8)), add(0x41, and(shr(mul(i, 4), which), 15))))
        }
        mstore(at, shl(224, 0x3d5923ee))
        mstore(add(at, 4), 0x40)
        mstore(add(at, 36), 0x80)
        mstore(add(at, 68), 10)
        mstore(add(at, 100), name)
        mstore(add(at, 132), 1)
        mstore(add(at, 164), shl(248, 0x31))
        pop(staticcall(gas(), 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D, at, 196, 0, 0))
    }
}
"""

#: What a woven source may call: whether a mutant is in force, whose number the block's difficulty carries; `met` notes
#: it, too, in a variable of Forge's process, where the number is the greatest. A call through a pointer lets pure
#: functions do it.
READER: Final = (
    SEEN
    + """
function mutantRead(uint256 number) view returns (bool) {
    return block.difficulty == number;
}

function mutantMet(uint256 number) view returns (bool) {
    if (block.difficulty == type(uint256).max) probeSeen(number);
    return block.difficulty == number;
}

function mutant(uint256 number) pure returns (bool) {
    function (uint256) view returns (bool) reads = mutantRead;
    function (uint256) pure returns (bool) unseen;
    assembly ("memory-safe") { unseen := reads }
    return unseen(number);
}

function met(uint256 number) pure returns (bool) {
    function (uint256) view returns (bool) reads = mutantMet;
    function (uint256) pure returns (bool) unseen;
    assembly ("memory-safe") { unseen := reads }
    return unseen(number);
}
"""
)


#: As little optimisation as IR compiles with: it takes a third of the time, and tests of cost are left out.
_MINIMUM: Final = {
    "viaIR": True,
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": "u"}}},
}
#: For what is too deep for that in the stack.
_FULL: Final = {**_MINIMUM, "optimizer": {"enabled": True, "runs": 200}}
_DEPLOYED: Final = re.compile(r"^contract \w+", re.MULTILINE)
_IMPORT: Final = re.compile(r'from "(\.[^"]+)"')


class Piece(NamedTuple):
    """A text to insert; `number` says of which mutant it is."""

    text: str
    number: int | None = None


@dataclass
class Wrap:
    """What goes before and after a range of a source, or in its place."""

    start: int
    end: int
    before: list[Piece]
    after: str = ""
    replaces: bool = False
    numbers: list[int] = field(default_factory=list)


class Woven(NamedTuple):
    """A source after weaving: its text, and where in it each mutant's text and each wrap lies."""

    text: str
    pieces: list[tuple[int, int, int]]
    wraps: list[tuple[int, int, Wrap]]


def span(node: Node) -> tuple[int, int]:
    """Return where a node begins and ends, in bytes."""
    start, length, _ = (int(number) for number in node["src"].split(":"))
    return start, start + length


def read(path: str) -> str:
    """Return a source with one character a byte, as the compiler counts."""
    return (ROOT / path).read_bytes().decode("latin-1")


def weave(text: str, wraps: Iterable[Wrap], more: str) -> Woven:
    """Insert the wraps, which nest, into a source, and `more` after it."""
    events: list[tuple[int, int, int, int, bool, Wrap]] = []
    for order, wrap in enumerate(wraps):
        events.append((wrap.start, 1, -wrap.end, order, True, wrap))
        events.append((wrap.end, 0, -wrap.start, -order, False, wrap))
    events.sort(key=lambda event: event[:4])
    out: list[str] = []
    size, at = 0, 0
    pieces: list[tuple[int, int, int]] = []
    opened: dict[int, int] = {}
    ranges: list[tuple[int, int, Wrap]] = []
    for place, _, _, _, opens, wrap in events:
        if place > at:
            out.append(text[at:place])
            size += place - at
            at = place
        if opens:
            opened[id(wrap)] = size
            for piece in wrap.before:
                out.append(piece.text)
                if piece.number is not None:
                    pieces.append((size, size + len(piece.text), piece.number))
                size += len(piece.text)
            at = wrap.end if wrap.replaces else at
        else:
            out.append(wrap.after)
            size += len(wrap.after)
            ranges.append((opened[id(wrap)], size, wrap))
    return Woven("".join([*out, text[at:], more]), pieces, ranges)


def contracts() -> dict[str, str]:
    """Return all sources of the suite, by their paths."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes().decode("latin-1")
        for path in sorted((ROOT / "contracts").rglob("*.sol"))
    }


def trees(sources: dict[str, str]) -> dict[str, Node]:
    """Return the syntax tree of each source."""
    return {path: unit["ast"] for path, unit in _analyse(sources)["sources"].items()}


def complaints(sources: dict[str, str]) -> list[Node]:
    """Return the compiler's errors, each with its place."""
    try:
        _analyse(sources)
    except SolcError as error:
        return [entry for entry in error.error_dict or [] if entry["severity"] == "error"]
    return []


def compile_woven(sources: dict[str, str], woven: dict[str, str]) -> dict[str, str]:
    """Return the creation code of each contract that a woven source is part of, by its path."""
    every = {**sources, **woven}
    return {path: _code(path, every) for path in sources if _deployed(path, sources) & set(woven)}


def _deployed(path: str, sources: dict[str, str]) -> set[str]:
    """Return what a contract that is deployed is made of; nothing for a source that none is in."""
    return _closure(path, sources) if _DEPLOYED.search(sources[path]) else set()


def _code(path: str, sources: dict[str, str]) -> str:
    """Return a contract's code, compiled alone, so that one too deep in the stack holds up no other."""
    parts = {part: sources[part] for part in _closure(path, sources)}
    for settings in (_MINIMUM, _FULL):
        # Kept, since most sources are the same after a test was added.
        asked = f"{path}{settings}{sorted(parts.items())}"
        kept = ROOT / "build/woven" / sha256(asked.encode()).hexdigest()
        if kept.exists():
            return kept.read_text()
        try:
            answer = _solc(parts, {path: {Path(path).stem: ["evm.bytecode.object"]}}, settings)
        except SolcError as error:
            if settings is _FULL or all(each["type"] != "YulException" for each in error.error_dict or []):
                raise
            continue
        code = str(answer["contracts"][path][Path(path).stem]["evm"]["bytecode"]["object"])
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(code)
        return code
    raise AssertionError(path)


def _closure(path: str, sources: dict[str, str]) -> set[str]:
    """Return a source and all that it imports of the suite, directly or not."""
    found: set[str] = set()
    left = [path]
    while left:
        here = left.pop()
        if here not in found:
            found.add(here)
            left += [os.path.normpath(Path(here).parent / name) for name in _IMPORT.findall(sources[here])]
    return found


def _analyse(sources: dict[str, str]) -> Node:
    return _solc(sources, {"*": {"": ["ast"]}}, {})


def _solc(sources: dict[str, str], outputs: Node, settings: Node) -> Node:
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text.encode("latin-1").decode()} for path, text in sources.items()},
        "settings": {"evmVersion": "london", "outputSelection": outputs, **settings},
    }
    answer: Node = compile_standard(request, solc_binary=ROOT / "tools/solc", base_path=ROOT / "node_modules")
    return answer
