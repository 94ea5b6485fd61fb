# SPDX-License-Identifier: Apache-2.0
"""The table of safeguards names switches and tests that exist, and every switch that there is."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.simulation.faults.safeguards import SAFEGUARDS, SCRIPTED

ROOT = Path(__file__).resolve().parents[2]
TABLE = tomllib.loads((ROOT / "docs" / "reference" / "safeguards.toml").read_text())
_PATCHED = {name: off for name, (off, _) in SAFEGUARDS.items()} | SCRIPTED


def _exists(named: str) -> bool:
    path, *inner = named.split("::")
    nodes: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for part in inner:
        found = [node for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part]
        if not found:
            return False
        nodes = found[0].body
    return True


@pytest.mark.parametrize("name", TABLE)
def test_each_has_a_switch_and_a_test(name: str) -> None:
    entry = TABLE[name]
    assert entry.keys() == {"does", "switch", "test"}
    assert entry["does"].endswith(".")
    assert entry["test"].rpartition("::")[2].startswith("test_without")
    assert _exists(entry["test"])
    assert entry["switch"].startswith("tests/")
    assert _exists(entry["switch"])


def test_every_switch_is_in_the_table_under_its_own_name() -> None:
    named = {name: entry["switch"].rpartition("::")[2] for name, entry in TABLE.items() if name in _PATCHED}
    assert named == {name: off.__name__ for name, off in _PATCHED.items()}
    assert set(TABLE) - set(_PATCHED) == {"fsync"}
