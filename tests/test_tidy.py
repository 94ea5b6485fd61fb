# SPDX-License-Identifier: Apache-2.0
"""What a machine can hold of the project's style, over all files that git tracks; ruff holds the rest."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SPDX = "SPDX-License-Identifier: Apache-2.0"
#: Where money and units are counted.
INTEGER_PACKAGES = ("domain", "compliance", "orders", "ledger", "settlement")
#: What alembic writes by the table is read once and never called.
GENERATED = "stoken/migrations/versions"
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm|root|home)/\w")
REGISTRY = re.compile(r"registry\.npmjs|registry\.yarnpkg|files\.pythonhosted|pypi\.org")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "-z", "--", *patterns], capture_output=True, text=True, check=True, cwd=ROOT
    )
    names = [name for name in listed.stdout.split("\0") if name]
    return [path for name in names if not name.startswith(GENERATED) and (path := ROOT / name).is_file()]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(*patterns: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", tracked(*patterns), ids=name_of)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def floats(tree: ast.AST) -> list[int]:
    """Return the lines that hold a float: a literal, the type, or a true division."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in {"float", "Decimal"})
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _joins_paths(node))
    ]


def _joins_paths(node: ast.BinOp) -> bool:
    return isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)


@each("*.py", "*.sol", "*.js", "Makefile", "tools/solc", ".ci/run", "*.sh")
class TestEverySource:
    def test_it_is_short(self, path: Path) -> None:
        assert len(path.read_text().splitlines()) <= FILE_LINES_MAX

    def test_its_licence_stands_on_top(self, path: Path) -> None:
        assert any(SPDX in line for line in path.read_text().splitlines()[:2])

    def test_its_name_says_what_it_is_for(self, path: Path) -> None:
        vague = {"utils", "util", "common", "helpers", "misc"}
        assert not vague & {part.lower() for part in path.relative_to(ROOT).with_suffix("").parts}


@each("*.py")
class TestEveryPythonFile:
    def test_its_functions_are_short(self, path: Path) -> None:
        assert [function.name for function in functions(path) if length(function) > FUNCTION_LINES_MAX] == []

    def test_it_says_in_one_sentence_what_it_is(self, path: Path) -> None:
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring
        assert docstring.splitlines()[0].endswith((".", ":"))


class TestThePackage:
    def test_half_of_its_functions_fit_in_ten_lines(self) -> None:
        assert median(length(function) for path in tracked("stoken/*.py") for function in functions(path)) <= 10

    def test_half_of_its_files_fit_in_a_hundred_lines(self) -> None:
        assert median(len(path.read_text().splitlines()) for path in tracked("stoken/*.py")) <= 100

    @pytest.mark.parametrize("package", INTEGER_PACKAGES)
    def test_money_and_units_are_integers(self, package: str) -> None:
        found = {name_of(path): floats(ast.parse(path.read_text())) for path in tracked(f"stoken/{package}/*.py")}
        assert {name: lines for name, lines in found.items() if lines} == {}


@each("contracts/*.sol")
class TestEveryContract:
    def test_its_pragma_is_pinned_unless_others_implement_it(self, path: Path) -> None:
        pragmas = re.findall(r"^pragma solidity (.+);$", path.read_text(), re.MULTILINE)
        assert pragmas == ["^0.8.20" if "interfaces" in path.parts else "0.8.30"]

    def test_it_imports_by_name(self, path: Path) -> None:
        assert re.findall(r"^import (?!\{).*$", path.read_text(), re.MULTILINE) == []

    def test_it_does_not_ask_for_the_base_fee(self, path: Path) -> None:
        assert "block.basefee" not in path.read_text()


class TestEveryTrackedFile:
    def test_none_names_a_machine_or_a_registry(self) -> None:
        found = []
        for path in tracked():
            try:
                lines = path.read_text().splitlines()
            except UnicodeDecodeError:
                continue
            found += [
                f"{name_of(path)}:{number}"
                for number, line in enumerate(lines, 1)
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
