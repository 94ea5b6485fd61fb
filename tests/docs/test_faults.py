# SPDX-License-Identifier: Apache-2.0
"""Every fault that docs/reference/faults.toml calls shown is shown by tests that exist."""

import ast
import tomllib

import pytest

from tests.docs.programs import ROOT

FAULTS = tomllib.loads((ROOT / "docs/reference/faults.toml").read_text())
NAMED = sorted({name for fault in FAULTS.values() for name in fault["tests"]})


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_says_what_it_is_and_by_what_it_is_shown(fault: str) -> None:
    assert FAULTS[fault]["fault"]
    assert FAULTS[fault]["tests"]
