# SPDX-License-Identifier: Apache-2.0
"""All mutants of some sources in one build, each behind a switch."""

import re
from typing import Final, NamedTuple

from tools.proof.sites import Fault, Finder
from tools.proof.syntax import READER, Piece, Woven, Wrap, complaints, contracts, read, span, trees, weave
from tools.solidity import Node, walk

_ROUNDS: Final = 30


class Mutant(NamedTuple):
    """A fault of a source under its number, which the block's difficulty chooses."""

    number: int
    path: str
    line: int
    fault: Fault
    original: str


def find(paths: list[str]) -> tuple[list[Mutant], dict[str, Node]]:
    """Return the mutants of some sources, and all syntax trees."""
    units = trees(contracts())
    nodes = {node["id"]: node for unit in units.values() for node in walk(unit) if "id" in node}
    found: list[Mutant] = []
    for path in paths:
        text = read(path)
        for fault in Finder(text, units[path], nodes).faults():
            original = fault.text if fault.kind == "guard" else text[fault.start : fault.end]
            line = text.count("\n", 0, fault.start) + 1
            found.append(Mutant(len(found) + 1, path, line, fault, original))
    return found, units


def weave_all(mutants: list[Mutant], units: dict[str, Node]) -> tuple[dict[str, str], list[Mutant]]:
    """Return the woven sources, and the mutants that do not compile and are left out of them."""
    sources = contracts()
    dropped: set[int] = set()
    paths = sorted({mutant.path for mutant in mutants})
    for _ in range(_ROUNDS):
        woven = {path: _weave(path, units[path], mutants, dropped) for path in paths}
        texts = {path: source.text for path, source in woven.items()}
        errors = complaints({**sources, **texts})
        if not errors:
            return texts, [mutant for mutant in mutants if mutant.number in dropped]
        for error in errors:
            blamed = _blame(error, woven)
            if not blamed:
                raise SystemExit(error["formattedMessage"])
            dropped |= blamed
    raise SystemExit("the woven sources still do not compile")


def places(mutants: list[Mutant], dropped: set[int]) -> dict[tuple[str, int, int, str], list[Mutant]]:
    """Return the mutants that are woven in by place: the switch of the first notes that the place was met."""
    grouped: dict[tuple[str, int, int, str], list[Mutant]] = {}
    for mutant in mutants:
        if mutant.number not in dropped:
            fault = mutant.fault
            grouped.setdefault((mutant.path, fault.start, fault.end, fault.kind), []).append(mutant)
    return grouped


def _switch(mutant: Mutant, group: list[Mutant]) -> str:
    return f"{'met' if mutant is group[0] else 'mutant'}({mutant.number})"


def _blame(error: Node, woven: dict[str, Woven]) -> set[int]:
    """Return the mutants whose text an error lies in, else those of the narrowest wrap around it."""
    places = [error.get("sourceLocation"), *(error.get("secondarySourceLocations") or [])]
    for place in places:
        if not place or place["file"] not in woven:
            continue
        source = woven[place["file"]]
        inside = {number for start, end, number in source.pieces if start <= place["start"] and place["end"] <= end}
        if inside:
            return inside
        around = [(end - start, wrap) for start, end, wrap in source.wraps if start <= place["start"] < end]
        for _, wrap in sorted(around, key=lambda pair: pair[0]):
            if wrap.numbers:
                return set(wrap.numbers)
    return set()


def _weave(path: str, unit: Node, mutants: list[Mutant], dropped: set[int]) -> Woven:
    text = read(path)
    functions = {span(node): node for node in walk(unit) if node["nodeType"] == "FunctionDefinition"}
    wraps: list[Wrap] = []
    for (_, start, end, kind), group in places([each for each in mutants if each.path == path], dropped).items():
        numbers = [mutant.number for mutant in group]
        if kind == "guard":
            wraps += _guarded(text, functions[start, end], group)
            continue
        before: list[Piece] = []
        if kind == "expression":
            before.append(Piece("("))
            for mutant in group:
                before += [Piece(f"{_switch(mutant, group)} ? "), Piece(f"({mutant.fault.text})", mutant.number)]
                before.append(Piece(" : "))
            wraps.append(Wrap(start, end, [*before, Piece("(")], "))", numbers=numbers))
            continue
        for mutant in group:
            before.append(Piece(f"if ({_switch(mutant, group)}) {{ "))
            before += [Piece(mutant.fault.text, mutant.number), Piece(" } else ")]
        stop = text.index(";", end) + 1
        wraps.append(Wrap(start, stop, [*before, Piece("{ ")], " }", numbers=numbers))
    return weave(text, wraps, READER)


def _guarded(text: str, node: Node, group: list[Mutant]) -> list[Wrap]:
    """Split a function into one that chooses, the original, and one without each guard."""
    start, end = span(node)
    opens, closes = span(node["body"])
    parameters, returns = node["parameters"], node["returnParameters"]
    listed = _slice(text, parameters)
    given = f" returns {_slice(text, returns)}" if returns["parameters"] else ""
    names = ", ".join(part["name"] for part in parameters["parameters"])
    guards = [_slice(text, guard) for guard in node["modifiers"]]
    mutability = node["stateMutability"].replace("nonpayable", "").replace("payable", "").replace("pure", "view")
    word = "return " if given else ""
    header = text[start:opens]
    for guard in guards:
        header = re.sub(rf"\s{re.escape(guard)}(?=[\s{{]|$)", " ", header, count=1)
    choice, copies = "", ""
    for mutant in group:
        variant = f"_{node['name']}{mutant.number}"
        rest = list(guards)
        rest.remove(mutant.fault.text)
        choice += f"if ({_switch(mutant, group)}) {{ {word}{variant}({names}); {'' if word else 'return; '}}} "
        copies += f"\nfunction {variant}{listed} private {mutability} {' '.join(rest)}{given} {text[opens:closes]}"
    original = f"_{node['name']}{group[0].number}Guarded"
    entrance = f"{header} {{ {choice}{word}{original}({names}); }}\n"
    inner = f"function {original}{listed} private {mutability} {' '.join(guards)}{given} "
    numbers = [mutant.number for mutant in group]
    return [
        Wrap(start, end, [], copies, numbers=numbers),
        Wrap(start, opens, [Piece(entrance + inner)], replaces=True, numbers=numbers),
    ]


def _slice(text: str, node: Node) -> str:
    start, end = span(node)
    return text[start:end]
