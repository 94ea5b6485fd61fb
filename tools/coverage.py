#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure which lines and branches of the contracts the unit and fuzz tests run; write the page, fail if too few.

Forge's own report does not fit: it maps code to sources by numbers that tests and contracts, compiled apart, both count
from zero; and compiled together, the tests do not pass through IR.
"""

import sys
from itertools import groupby
from typing import Final, NamedTuple

from tools.pages import ROOT
from tools.proof.probes import PREFIX, Probe, Prober
from tools.proof.syntax import compile_woven, complaints, contracts, trees
from tools.proof.tree import Tree

_LINES_LEAST: Final = 99.0
_BRANCHES_LEAST: Final = 97.0
_PAGE: Final = ROOT / "docs/reference/coverage.md"
_PLAYED: Final = """    function play_{number}() external {{
        _play{number}(0);
    }}

    function test_{number}() public {{
        try this.play_{number}() {{}} catch {{}}
        bytes memory seen = new bytes({count});
        for (uint256 i = 0; i < seen.length; i++) {{
            bytes memory name = "{prefix}AAAA";
            for (uint256 j = 0; j < 4; j++) name[{length} + j] = bytes1(uint8(0x41 + (i >> 4 * j & 15)));
            seen[i] = _CHEATS.envOr(string(name), false) ? bytes1("1") : bytes1("0");
        }}
        _CHEATS.writeFile("build/seen{number}", string(seen));
    }}"""


class Figures(NamedTuple):
    """How many lines and branches there are, and how many were run."""

    lines_run: int
    lines: int
    branches_run: int
    branches: int

    def enough(self) -> bool:
        """Say whether both shares reach the least."""
        return (
            100 * self.lines_run >= _LINES_LEAST * self.lines
            and 100 * self.branches_run >= _BRANCHES_LEAST * self.branches
        )

    def cells(self) -> str:
        """Return the cells of a table's row."""
        return f"{_share(self.lines_run, self.lines)} | {_share(self.branches_run, self.branches)}"


def main() -> int:
    """Weave, build, run, write the page."""
    sources = contracts()
    units = trees(sources)
    probes: list[Probe] = []
    woven, count = {}, 0
    for path in sources:
        if not path.startswith("contracts/interfaces/"):
            prober = Prober(path, units[path], count)
            woven[path] = prober.weave().text
            probes += prober.probes
            count = prober.next
    for error in complaints({**sources, **woven}):
        raise SystemExit(error["formattedMessage"])
    tree = Tree("coverage")
    tree.install(compile_woven(sources, woven))
    seen, apart = _play(tree, count)
    _PAGE.write_text(page(probes, seen, apart))
    total = figures(probes, seen)
    print(f"lines {_share(total.lines_run, total.lines)}, branches {_share(total.branches_run, total.branches)}")
    return int(not total.enough())


def _play(tree: Tree, count: int) -> tuple[str, list[str]]:
    """Return which probes were met, and the tests that were run apart: what these met counts, too."""
    every = tree.suites(every=True)
    kept = tree.passing(tree.suites())
    calls = {suite.name: set(suite.calls) for suite in kept}
    rest = [
        suite._replace(calls=(call,))
        for suite in every
        for call in suite.calls
        if call not in calls.get(suite.name, ())
    ]
    orders = [kept, *([suite] for suite in rest)]
    settings = {"count": count, "prefix": PREFIX, "length": len(PREFIX)}
    tree.harness(orders, "\n".join(_PLAYED.format(number=number, **settings) for number in range(len(orders))))
    files = [tree.path / f"build/seen{number}" for number in range(len(orders))]
    for file in files:
        file.unlink(missing_ok=True)
    tree.run("test_")
    if not files[0].exists():
        raise SystemExit("the tests that pass alone do not pass one after another")
    seen = [file.read_text() for file in files if file.exists()]
    met = "".join("1" if "1" in marks else "0" for marks in zip(*seen, strict=True))
    return met, sorted({f"{suite.name.split(':')[1]}.{suite.tests[suite.calls[0][:4].hex()]}" for suite in rest})


def figures(probes: list[Probe], seen: str) -> Figures:
    """Count what ran; a line ran if every statement that begins in it did."""
    lines: dict[tuple[str, int], bool] = {}
    branches = []
    for probe in probes:
        ran = seen[probe.number] == "1"
        if probe.side:
            branches.append(ran)
        else:
            at = probe.path, probe.line
            lines[at] = lines.get(at, True) and ran
    return Figures(sum(lines.values()), len(lines), sum(branches), len(branches))


def page(probes: list[Probe], seen: str, apart: list[str]) -> str:
    """Return the reference page: the figures by contract, and what no test runs."""
    rows, missed = [], []
    for path, group in groupby(probes, key=lambda probe: probe.path):
        part, name = list(group), path.removeprefix("contracts/").removesuffix(".sol")
        rows.append(f"| {name} | {figures(part, seen).cells()} |")
        for probe in part:
            if seen[probe.number] != "1":
                said = f" is never {probe.side}" if probe.side else ""
                missed.append(f"* {name}:{probe.line}: `{probe.text}`{said}")
    return _TEXT.format(
        lines=_LINES_LEAST,
        branches=_BRANCHES_LEAST,
        total=figures(probes, seen).cells(),
        rows="\n".join(rows),
        apart="\n".join(f"* {name}" for name in apart) or "None.",
        missed="\n".join(missed) or "Nothing.",
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}, {100 * part / whole:.1f} %" if whole else "-"


_TEXT: Final = """<!-- Generated by tools/coverage.py; do not edit. -->
# Coverage of the contracts

Which lines and branches of the contracts the unit and fuzz tests under `tests/contracts` run: `make coverage` measures
it, writes this page, and fails below {lines:g} % of the lines or {branches:g} % of the branches. It takes minutes and
is not part of `make check`: the page says what was measured last. A line counts if each statement that begins in it is
run, whether or not it is reverted later; a branch is one side of a condition, a ternary or a loop. How it works, and
which tests take no part: [ADR 15](../adr/0015-mutants-behind-a-switch.md).

| contract | lines | branches |
|---|---|---|
| **all** | {total} |
{rows}

Statements after a call in assembly have no probe: a probe is a call and would take the place of what came back.

## Not run

{missed}

## Tests run apart

Probes cost gas, so tests that are exact about it fail over them; and a test that counts calls cannot be followed by
another. What they run until they fail counts.

{apart}
"""


if __name__ == "__main__":
    sys.exit(main())
