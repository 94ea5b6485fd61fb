# SPDX-License-Identifier: Apache-2.0
"""Write the ledger of requirements: each with the tests that show it, or its deferral. `--check` compares instead."""

import ast
import csv
import datetime as dt
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = Path("docs/reference")
PAGE: Final = REFERENCE / "requirements.md"
MARK: Final = "requirement"

#: In Solidity a tag in the NatSpec above a test function stands for the mark.
_TAGGED: Final = re.compile(r"((?:^[ \t]*///[^\n]*\n)+)[ \t]*function[ \t]+(\w+)", re.MULTILINE)
_TAG: Final = re.compile(r"@custom:requirement[ \t]+(.+)")
_INTRODUCTION: Final = """<!-- Generated from requirements.csv, deferrals.toml and the tests by tools/requirements.py: \
do not edit. -->
# Requirements

What an exchange of tokenised securities must do, by whom it is asked (B broker, C cash agent, I issuer, K registrar, \
N investor, O node operator, R supervisor, T trustee, V venue), and the tests that show it. A requirement that no test \
shows yet names the capability that will bring it, and since when it waits. \
[requirements.csv](requirements.csv) has the data, the refusals and the supervisor's check of each.
"""


class Requirement(NamedTuple):
    """A row of requirements.csv, as far as the page shows it."""

    group: str
    identifier: str
    who: str
    must: str


class Deferral(NamedTuple):
    """What will bring a requirement, and since when it waits."""

    capability: str
    since: dt.date


class Ledger(NamedTuple):
    """The requirements, and where each stands."""

    requirements: Sequence[Requirement]
    tests: Mapping[str, Sequence[str]]
    deferrals: Mapping[str, Deferral]


class LedgerError(Exception):
    """The sources contradict themselves; the message is one line."""


# --- reading ----------------------------------------------------------------------------------------------------------


def read(root: Path) -> Ledger:
    """Read requirements, deferrals and the marks of all tests below a checkout."""
    found: dict[str, list[str]] = {}
    for identifier, test in sorted(set(marks(root / "tests", root))):
        found.setdefault(identifier, []).append(test)
    return Ledger(_requirements(root / REFERENCE / "requirements.csv"), found, _deferrals(root))


def _requirements(path: Path) -> list[Requirement]:
    with path.open(newline="") as file:
        return [Requirement(row["group"], row["id"], row["who"], row["must"]) for row in csv.DictReader(file)]


def _deferrals(root: Path) -> dict[str, Deferral]:
    found: dict[str, Deferral] = {}
    for capability, entry in tomllib.loads((root / REFERENCE / "deferrals.toml").read_text()).items():
        for identifier in entry["brings"]:
            if identifier in found:
                raise LedgerError(f"{identifier}: deferred to {found[identifier].capability} and to {capability}")
            found[identifier] = Deferral(capability, entry["date"])
    return found


def marks(tests: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield each requirement that a test is marked with, and the test's name as its runner has it."""
    for path in sorted(tests.rglob("*.py")):
        for identifier, name in _python_marks(ast.parse(path.read_text()).body, ()):
            yield identifier, f"{path.relative_to(root)}::{name}"
    for path in sorted(tests.rglob("*.t.sol")):
        for comment, name in _TAGGED.findall(path.read_text()):
            for identifiers in _TAG.findall(comment):
                for identifier in re.split(r"[,\s]+", identifiers.strip()):
                    yield identifier, f"{path.relative_to(root)}::{name}"


def _python_marks(body: Sequence[ast.stmt], outer: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = (*outer, node.name)
            for decorator in node.decorator_list:
                for identifier in _arguments(decorator):
                    yield identifier, "::".join(names)
            if isinstance(node, ast.ClassDef):
                yield from _python_marks(node.body, names)


def _arguments(decorator: ast.expr) -> list[str]:
    if not isinstance(decorator, ast.Call):
        return []
    name = decorator.func.attr if isinstance(decorator.func, ast.Attribute) else getattr(decorator.func, "id", "")
    return [str(argument.value) for argument in decorator.args if name == MARK and isinstance(argument, ast.Constant)]


# --- judging ----------------------------------------------------------------------------------------------------------


def faults(ledger: Ledger) -> list[str]:
    """Return one line for each requirement that stands nowhere or twice, and for each that does not exist."""
    known = [requirement.identifier for requirement in ledger.requirements]
    lines = [f"{identifier}: listed twice" for identifier in sorted({one for one in known if known.count(one) > 1})]
    for identifier in known:
        shown, waiting = ledger.tests.get(identifier), ledger.deferrals.get(identifier)
        if shown and waiting:
            lines.append(f"{identifier}: shown by {shown[0]}, so take it out of {REFERENCE}/deferrals.toml")
        elif not shown and not waiting:
            lines.append(f"{identifier}: neither shown by a test nor deferred in {REFERENCE}/deferrals.toml")
    lines += [f"{one}: unknown, at {tests[0]}" for one, tests in ledger.tests.items() if one not in known]
    lines += [f"{one}: unknown, in deferrals.toml" for one in ledger.deferrals if one not in known]
    return lines


# --- writing ----------------------------------------------------------------------------------------------------------


def render(ledger: Ledger) -> str:
    """Return the page."""
    shown = sum(requirement.identifier in ledger.tests for requirement in ledger.requirements)
    count = f"{shown} of {len(ledger.requirements)} are shown by tests, {len(ledger.deferrals)} are deferred."
    parts = [_INTRODUCTION, count]
    for group, members in groupby(ledger.requirements, key=lambda requirement: requirement.group):
        rows = "\n".join(_row(requirement, ledger) for requirement in members)
        parts.append(f"## {group}\n\n| id | who | must | shown by |\n| --- | --- | --- | --- |\n{rows}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _row(requirement: Requirement, ledger: Ledger) -> str:
    tests = ledger.tests.get(requirement.identifier)
    if tests:
        state = "<br>".join(f"`{test}`" for test in tests)
    else:
        deferral = ledger.deferrals[requirement.identifier]
        state = f"deferred {deferral.since.isoformat()}: {deferral.capability}"
    cells = (requirement.identifier, requirement.who, requirement.must, state)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the page, or with `--check` say that it is stale; refuse a ledger with a fault in either case."""
    try:
        ledger = read(root)
    except LedgerError as error:
        print(error)
        return 1
    if lines := faults(ledger):
        print("\n".join(lines))
        return 1
    page, text = root / PAGE, render(ledger)
    stale = not page.exists() or page.read_text() != text
    if stale and "--check" in arguments:
        print(f"stale: {PAGE} (run python tools/requirements.py)")
        return 1
    if stale:
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
