# SPDX-License-Identifier: Apache-2.0
"""The table of faults names tests that exist."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = tomllib.loads((ROOT / "docs" / "reference" / "faults.toml").read_text())
NAMED = [(fault, name) for fault, entry in FAULTS.items() for name in entry["tests"]]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_says_what_must_hold_and_is_shown(fault: str) -> None:
    entry = FAULTS[fault]
    assert entry.keys() == {"fault", "holds", "tests"}
    assert entry["fault"].endswith(".")
    assert entry["holds"].endswith(".")
    assert entry["tests"]


@pytest.mark.parametrize(("fault", "name"), NAMED)
def test_each_named_test_exists(fault: str, name: str) -> None:
    path, *inner = name.split("::")
    nodes: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for part in inner:
        found = [node for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part]
        assert found, f"{fault} names {name}"
        nodes = found[0].body
    assert inner[-1].startswith("test_")
