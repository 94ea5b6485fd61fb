#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure which lines and branches of the contracts the unit and fuzz tests run; too few, and it fails.

Forge's own report does not fit: it maps code to sources by numbers that tests and contracts, compiled apart, both count
from zero; and compiled together, the tests do not pass through IR.
"""

import sys
from itertools import groupby
from typing import Final

from tools.proof.probes import PREFIX, Probe, Prober
from tools.proof.syntax import compile_woven, complaints, contracts, trees
from tools.proof.tree import Tree

_LINES_LEAST: Final = 99.0
_BRANCHES_LEAST: Final = 97.0
_DUMP: Final = """    function test_everything() public {{
        _play0(0);
        bytes memory seen = new bytes({count});
        for (uint256 i = 0; i < seen.length; i++) {{
            bytes memory name = "{prefix}AAAA";
            for (uint256 j = 0; j < 4; j++) name[{length} + j] = bytes1(uint8(0x41 + (i >> 4 * j & 15)));
            seen[i] = _CHEATS.envOr(string(name), false) ? bytes1("1") : bytes1("0");
        }}
        _CHEATS.writeFile("build/seen", string(seen));
    }}"""


def main() -> int:
    """Weave, build, run, print a table."""
    sources = contracts()
    units = trees(sources)
    probes: list[Probe] = []
    woven = {}
    for path in sources:
        if not path.startswith("contracts/interfaces/"):
            prober = Prober(path, units[path], len(probes))
            woven[path] = prober.weave().text
            probes += prober.probes
    for error in complaints({**sources, **woven}):
        raise SystemExit(error["formattedMessage"])
    tree = Tree("coverage")
    tree.install(compile_woven(sources, woven))
    dump = _DUMP.format(count=len(probes), prefix=PREFIX, length=len(PREFIX))
    tree.harness([tree.passing(tree.suites())], dump)
    (verdict,) = tree.run("test_everything").values()
    if not verdict.passed:
        raise SystemExit(f"a test fails over the woven contracts: {verdict.reason}")
    return report(probes, (tree.path / "build/seen").read_text())


def report(probes: list[Probe], seen: str) -> int:
    """Print what was run by contract, and what was not; return 1 below the least."""
    print(f"{'contract':44} {'lines':>16} {'branches':>16}")
    total = [0, 0, 0, 0]
    missed: list[str] = []
    for path, group in groupby(probes, key=lambda probe: probe.path):
        figures = [0, 0, 0, 0]
        lines: dict[int, bool] = {}
        for probe in group:
            ran = seen[probe.number] == "1"
            if probe.branch:
                figures[2] += ran
                figures[3] += 1
            else:
                lines[probe.line] = lines.get(probe.line, True) and ran
            if not ran:
                missed.append(f"{path}:{probe.line}: {probe.text}" + (f" is never {probe.side}" if probe.side else ""))
        figures[:2] = [sum(lines.values()), len(lines)]
        total = [one + other for one, other in zip(total, figures, strict=True)]
        print(f"{path.removeprefix('contracts/'):44} {_share(*figures[:2]):>16} {_share(*figures[2:]):>16}")
    print(f"{'all':44} {_share(*total[:2]):>16} {_share(*total[2:]):>16}")
    print("\n".join(["not run:", *missed] if missed else []))
    return int(_percent(*total[:2]) < _LINES_LEAST or _percent(*total[2:]) < _BRANCHES_LEAST)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} {_percent(part, whole):5.1f} %" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
