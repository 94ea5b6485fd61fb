# SPDX-License-Identifier: Apache-2.0
"""A contract test's tree of states says what it tests: its leaves are the tests, in words, and every test is a leaf."""

import re
from pathlib import Path
from typing import Final

import pytest

UNIT: Final = Path(__file__).resolve().parent / "contracts/unit"
#: What has no states: figures, and the selectors of a standard.
STATELESS: Final = {"Conformance", "Cost", "PledgeCost", "SettlementCost"}
NAMES: Final = sorted(path.name.removesuffix(".t.sol") for path in UNIT.glob("*.t.sol"))
_TEST: Final = re.compile(r"function test(?:Fuzz)?_(\w+)\(")


def leaves(tree: str) -> list[str]:
    """Return the lines of a tree that have none below them."""
    lines = [(len(line) - len(line.lstrip("│├└─ ")), line.lstrip("│├└─ ")) for line in tree.splitlines()]
    depths = [depth for depth, _ in lines[1:]] + [0]
    return [text for (depth, text), after in zip(lines, depths, strict=True) if after <= depth]


def written(source: str) -> set[str]:
    """Return the names of a test contract's functions, in words."""
    return {name.removeprefix("fuzz_").replace("_", " ") for name in _TEST.findall(source)}


class TestTree:
    def test_a_leaf_has_nothing_below_it(self) -> None:
        trade = "A trade\n├── free\n│   └── it is held\n└── held\n    ├── it stays\n    └── it ends\n"
        tree = f"{trade}An order\n└── it is void\n"
        assert leaves(tree) == ["it is held", "it stays", "it ends", "it is void"]

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in STATELESS])
    def test_its_leaves_are_the_tests(self, name: str) -> None:
        tree = (UNIT / f"{name}.tree").read_text()
        assert set(leaves(tree)) == written((UNIT / f"{name}.t.sol").read_text())

    def test_each_stands_beside_its_tests(self) -> None:
        trees = {path.stem for path in UNIT.glob("*.tree")}
        assert trees <= set(NAMES) - STATELESS
