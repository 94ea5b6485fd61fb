# SPDX-License-Identifier: Apache-2.0
"""Probes before every statement and around every condition of a contract.

A probe sets a variable of Forge's process: it remains where a call is reverted, and a view may do it. Since it is a
call itself, none stands between a contract's own call and its look at what came back; what runs there is a straight
line.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tools.proof.syntax import SEEN, Piece, Woven, Wrap, read, span, weave
from tools.solidity import Node, walk

PREFIX: Final = "STOKEN"

READER: Final = (
    SEEN
    + """
function probe(uint256 number) pure {
    function (uint256) view sees = probeSeen;
    function (uint256) pure unseen;
    assembly ("memory-safe") { unseen := sees }
    unseen(number);
}

function yes(uint256 number) pure returns (bool) {
    probe(number);
    return true;
}

function no(uint256 number) pure returns (bool) {
    probe(number);
    return false;
}
"""
)
_BLOCKS: Final = ("Block", "UncheckedBlock")
_LOOPS: Final = ("WhileStatement", "ForStatement", "DoWhileStatement")
_LOOKS: Final = ("returndatasize", "returndatacopy")
_CALLS: Final = ("call", "staticcall", "delegatecall")


class Probe(NamedTuple):
    """What a number stands for: a statement, or one side of a condition, at a line."""

    number: int
    path: str
    line: int
    side: str
    text: str


class Prober:
    """Sets the probes of one source."""

    def __init__(self, path: str, unit: Node, first: int) -> None:
        """Begin to number probes with `first`."""
        self._path, self._unit, self.next = path, unit, first
        self._text = read(path)
        self.probes: list[Probe] = []
        self._wraps: list[Wrap] = []
        self._silent: list[tuple[int, int]] = []

    def weave(self) -> Woven:
        """Return the source with its probes."""
        for node in walk(self._unit):
            if node["nodeType"] in ("FunctionDefinition", "ModifierDefinition") and node.get("body"):
                self._block(node["body"])
                for part in walk(node["body"]):
                    if part["nodeType"] in ("IfStatement", "Conditional", *_LOOPS) and part.get("condition"):
                        self._condition(part["condition"])
        return weave(self._text, self._wraps, READER)

    def _add(self, node: Node, side: str) -> int:
        start, end = span(node)
        line = self._text.count("\n", 0, start) + 1
        text = " ".join(self._text[start:end].split())[:80]
        self.probes.append(Probe(self.next, self._path, line, side, text))
        self.next += 1
        return self.next - 1

    def _condition(self, node: Node) -> None:
        start, end = span(node)
        if any(first <= start < last for first, last in self._silent):
            self.next += 2
            return
        number = self._add(node, "true")
        self._add(node, "false")
        # A call around the condition would need a place more in the stack than some functions have left.
        self._wraps.append(Wrap(start, end, [Piece("((")], f") && yes({number}) || no({number + 1}))"))

    def _block(self, block: Node) -> None:
        statements = block["statements"]
        looks = [place for place, each in enumerate(statements) if _uses(each, _LOOKS)]
        calls = [place for place, each in enumerate(statements) if _uses(each, _CALLS)]
        for place, statement in enumerate(statements):
            follows = bool(calls) and place > calls[0]
            precedes = bool(looks) and place <= looks[-1] and not calls
            if follows or precedes:
                self._silent.append(span(statement))
            self._statement(statement, inside=True, silent=follows or precedes)

    def _statement(self, node: Node | None, *, inside: bool = False, silent: bool = False) -> None:
        if not node:
            return
        kind = node["nodeType"]
        if kind in _BLOCKS:
            self._block(node)
            return
        if kind != "PlaceholderStatement" and not silent:
            self._mark(node, inside=inside)
        for part in _bodies(node):
            self._statement(part)

    def _mark(self, node: Node, *, inside: bool) -> None:
        start, end = span(node)
        number = self._add(node, "")
        if inside:
            self._wraps.append(Wrap(start, end, [Piece(f"probe({number}); ")]))
            return
        rest = self._text[end:]
        stop = end + len(rest) - len(rest.lstrip()) + 1 if rest.lstrip().startswith(";") else end
        self._wraps.append(Wrap(start, stop, [Piece(f"{{ probe({number}); ")], " }"))


def _bodies(node: Node) -> Iterator[Node | None]:
    if node["nodeType"] == "IfStatement":
        yield node["trueBody"]
        yield node.get("falseBody")
    elif node["nodeType"] in _LOOPS:
        yield node["body"]
    elif node["nodeType"] == "TryStatement":
        for clause in node["clauses"]:
            yield clause["block"]


def _uses(statement: Node, names: tuple[str, ...]) -> bool:
    return statement["nodeType"] == "InlineAssembly" and any(
        node["nodeType"] == "YulFunctionCall" and node["functionName"]["name"] in names
        for node in walk(statement["AST"])
    )
