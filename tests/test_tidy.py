# SPDX-License-Identifier: Apache-2.0
"""What a machine can hold of the project's style, over all files that git tracks; ruff holds the rest."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SOURCES = ("*.py", "*.sol", "*.js", "*.sh", "Makefile", "tools/solc", "tests/run", "tests/brownie/run", ".ci/run")
VAGUE = {"utils", "util", "common", "helpers", "misc"}
#: Where money and units are counted.
INTEGER_PACKAGES = ("domain", "compliance", "orders", "ledger", "settlement")
#: What alembic writes by the table is read once and never called.
GENERATED = "stoken/migrations/versions"
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm|root|home)/\w")
REGISTRY = re.compile(r"registry\.npmjs|registry\.yarnpkg|files\.pythonhosted|pypi\.org")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked(*patterns: str) -> dict[str, str]:
    """Return the text of each tracked file that matches, by its path from the root."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "-z", "--", *patterns], capture_output=True, check=True, cwd=ROOT
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and not name.startswith(GENERATED)]
    return {name: (ROOT / name).read_text(errors="replace") for name in names if (ROOT / name).is_file()}


@cache
def parsed(pattern: str) -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in tracked(pattern).items()}


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def floats(tree: ast.AST) -> list[int]:
    """Return the lines that hold a float: a literal, the type, or a true division."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in {"float", "Decimal"})
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not joins_paths(node))
    ]


def joins_paths(node: ast.BinOp) -> bool:
    return isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)


class TestEverySource:
    def test_it_is_short(self) -> None:
        sizes = {name: len(text.splitlines()) for name, text in tracked(*SOURCES).items()}
        # Migrations are generated; a contract's test suite reads best as one file.
        bounded = {name: size for name, size in sizes.items() if not name.startswith((GENERATED, "tests/contracts"))}
        assert {name: size for name, size in bounded.items() if size > FILE_LINES_MAX} == {}

    def test_its_licence_stands_on_top(self) -> None:
        mark = "SPDX-License-Identifier: Apache-2.0"
        assert [name for name, text in tracked(*SOURCES).items() if mark not in "".join(text.split("\n")[:2])] == []

    def test_its_name_says_what_it_is_for(self) -> None:
        assert [name for name in tracked(*SOURCES) if VAGUE & set(re.split(r"[/.]", name.lower()))] == []


class TestEveryPythonFile:
    def test_its_functions_are_short(self) -> None:
        long = [
            f"{name}:{function.lineno} {function.name}"
            for name, tree in parsed("*.py").items()
            for function in functions(tree)
            if length(function) > FUNCTION_LINES_MAX
        ]
        assert long == []

    def test_it_says_in_its_first_line_what_it_is(self) -> None:
        first = {name: (ast.get_docstring(tree) or "").split("\n")[0] for name, tree in parsed("*.py").items()}
        assert [name for name, line in first.items() if not line.endswith((".", ":"))] == []


class TestThePackage:
    def test_half_of_its_functions_fit_in_ten_lines(self) -> None:
        assert median(length(one) for tree in parsed("stoken/*.py").values() for one in functions(tree)) <= 10

    def test_half_of_its_files_fit_in_a_hundred_lines(self) -> None:
        assert median(len(text.splitlines()) for text in tracked("stoken/*.py").values()) <= 100

    @pytest.mark.parametrize("package", INTEGER_PACKAGES)
    def test_money_and_units_are_integers(self, package: str) -> None:
        found = {name: floats(tree) for name, tree in parsed(f"stoken/{package}/*.py").items()}
        assert found
        assert {name: lines for name, lines in found.items() if lines} == {}


class TestEveryContract:
    def test_its_pragma_is_pinned_unless_others_implement_it(self) -> None:
        for name, text in tracked("contracts/*.sol").items():
            pinned = "^0.8.20" if "/interfaces/" in name else "0.8.30"
            assert re.findall(r"^pragma solidity (.+);$", text, re.MULTILINE) == [pinned], name

    def test_it_imports_by_name(self) -> None:
        unnamed = re.compile(r"^import (?!\{)", re.MULTILINE)
        assert [name for name, text in tracked("contracts/*.sol").items() if unnamed.search(text)] == []

    def test_it_does_not_ask_for_the_base_fee(self) -> None:
        assert [name for name, text in tracked("contracts/*.sol").items() if "block.basefee" in text] == []


class TestEveryTrackedFile:
    def test_none_names_a_machine_or_a_registry(self) -> None:
        found = [
            f"{name}:{number}"
            for name, text in tracked().items()
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE_PATH.search(line) or REGISTRY.search(line)
        ]
        assert found == []


class TestFloats:
    @pytest.mark.parametrize("code", ["x = 0.5", "def f(x: float) -> None: ...", "y = a / b", "z = float(1)"])
    def test_they_are_found(self, code: str) -> None:
        assert floats(ast.parse(code)) == [1]

    @pytest.mark.parametrize("code", ["x = 5", "y = a // b", "path = folder / 'name'"])
    def test_integers_and_paths_are_not(self, code: str) -> None:
        assert floats(ast.parse(code)) == []
