# SPDX-License-Identifier: Apache-2.0
"""What became of each mutant: a file of results for each contract, and the page made of them."""

import csv
import io
import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from tools.pages import ROOT
from tools.proof.mutants import Mutant
from tools.proof.syntax import read

FOLDER: Final = ROOT / "tests/mutation"
SCOPE: Final = ("control/LegalActions", "control/Measures", "compliance", "token", "settlement")
LEAST: Final = 95.0
KILLED: Final = "killed"
SURVIVED: Final = "survived"
INVALID: Final = "invalid"
_LONGEST: Final = 160
_COLUMNS: Final = ("line", "column", "function", "operator", "original", "mutated", "verdict", "by")
_HEAD: Final = re.compile(r"# source (\w+), (\d+) mutants")
_PAGE: Final = ROOT / "docs/reference/mutation.md"


class Row(NamedTuple):
    """A mutant and its verdict: killed by a test, survived, or invalid, since it does not compile."""

    line: int
    column: int
    function: str
    operator: str
    original: str
    mutated: str
    verdict: str
    by: str

    def key(self) -> tuple[str | int, ...]:
        """Tell mutants of one source apart."""
        return self.line, self.column, self.function, self.operator, self.original, self.mutated


class Results(NamedTuple):
    """The rows of a contract, of how many mutants, and of which version of it."""

    digest: str
    mutants: int
    rows: list[Row]


def scope() -> list[str]:
    """Return the sources that are mutated."""
    found = []
    for part in SCOPE:
        folder = ROOT / "contracts" / part
        files = sorted(folder.rglob("*.sol")) if folder.is_dir() else [folder.with_suffix(".sol")]
        found += [file.relative_to(ROOT).as_posix() for file in files]
    return found


def digest(path: str) -> str:
    """Return what the results of a source belong to."""
    return sha256(read(path).encode()).hexdigest()[:16]


def row(mutant: Mutant, verdict: str, by: str = "") -> Row:
    """Return the row of a mutant."""
    before = read(mutant.path)[: mutant.fault.start]
    column = len(before) - before.rfind("\n")
    fault = mutant.fault
    mutated = "" if fault.kind == "guard" else fault.text
    return Row(
        mutant.line, column, fault.function, fault.operator, _short(mutant.original), _short(mutated), verdict, by
    )


def load(path: str) -> Results | None:
    """Return the committed results of a source."""
    file = _file(path)
    if not file.exists():
        return None
    head, rest = file.read_text().split("\n", 1)
    found = _HEAD.match(head)
    if not found:
        raise SystemExit(f"{file}: the first line does not say of which source it is")
    rows = [Row(int(each[0]), int(each[1]), *each[2:]) for each in list(csv.reader(io.StringIO(rest)))[1:]]
    return Results(found[1], int(found[2]), rows)


def save(path: str, results: Results) -> None:
    """Write the results of a source, in its order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted(results.rows))
    file = _file(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"# source {results.digest}, {results.mutants} mutants\n{out.getvalue()}")


def equivalents() -> dict[tuple[str, str, str, str], str]:
    """Return the reasons for mutants that no test can tell from the original: by source, function and change."""
    entries = tomllib.loads((FOLDER / "equivalents.toml").read_text()).get("equivalent", [])
    return {(each["source"], each["function"], each["original"], each["mutated"]): each["reason"] for each in entries}


def survivors(path: str, results: Results) -> list[Row]:
    """Return what survived and has no reason for it."""
    reasons = equivalents()
    return [each for each in results.rows if each.verdict == SURVIVED and reason_key(path, each) not in reasons]


def score(path: str, results: Results) -> tuple[int, int]:
    """Return how many mutants were killed, and of how many that count."""
    killed = sum(each.verdict == KILLED for each in results.rows)
    return killed, killed + len(survivors(path, results))


def page() -> str:
    """Return the reference page."""
    parts: dict[str, tuple[int, int]] = {}
    lines: list[str] = []
    kept: list[str] = []
    alive: list[str] = []
    reasons = equivalents()
    for path in scope():
        results, name = load(path), path.removeprefix("contracts/").removesuffix(".sol")
        if not results:
            lines.append(f"| {name} | | | | | | not measured |")
            continue
        counts = [sum(each.verdict == verdict for each in results.rows) for verdict in (KILLED, SURVIVED, INVALID)]
        killed, counted = score(path, results)
        part = "legal actions" if name.startswith("control/") else name.split("/")[0]
        sums = parts.get(part, (0, 0))
        parts[part] = (sums[0] + killed, sums[1] + counted)
        state = "" if results.digest == digest(path) else "of an earlier version"
        if len(results.rows) < results.mutants:
            state = ", ".join(part for part in (state, f"{len(results.rows)} of {results.mutants} run") if part)
        equal = counts[1] - (counted - killed)
        cells = (name, results.mutants, counts[2], counts[0], equal, counted - killed, _percent(killed, counted), state)
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        for each in results.rows:
            if each.verdict == SURVIVED:
                said = f"* {name}:{each.line}, `{each.function}`: {_change(each)}"
                reason = reasons.get(reason_key(path, each))
                (kept if reason else alive).append(f"{said}: {reason}" if reason else said)
    totals = [f"| {part} | {killed} of {of} | {_percent(killed, of)} |" for part, (killed, of) in parts.items()]
    return _TEXT.format(least=LEAST, totals="\n".join(totals), rows="\n".join(lines),
                        kept="\n".join(kept) or "None.", alive="\n".join(alive) or "None.")  # fmt: skip


def write_page(*, check: bool) -> int:
    """Write the page, or say whether it is what would be written."""
    text = page()
    if check:
        if _PAGE.exists() and _PAGE.read_text() == text:
            return 0
        print(f"{_PAGE.relative_to(ROOT)} is not what the results say: python -m tools.mutate --page")
        return 1
    _PAGE.write_text(text)
    return 0


def reason_key(path: str, each: Row) -> tuple[str, str, str, str]:
    """Return what a reason is given for."""
    return path.removeprefix("contracts/"), each.function, each.original, each.mutated


def _file(path: str) -> Path:
    return FOLDER / f"{path.removeprefix('contracts/').removesuffix('.sol')}.csv"


def _short(text: str) -> str:
    """Keep what tells mutants of one place apart: of a long expression its beginning and its end."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:100]} ... {line[-55:]}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _change(each: Row) -> str:
    before, after = each.original.replace("|", "\\|"), each.mutated.replace("|", "\\|")
    return f"`{before}` becomes `{after}`" if after else f"without `{before}`"


_TEXT: Final = """<!-- Generated by tools/mutate.py; do not edit. -->
# Mutation tests

Faults are put into the contracts of token, compliance, settlement and legal actions, one at a time; a fault that no
unit or fuzz test notices has survived. At least {least:g} % must be noticed. `python -m tools.mutate` runs what is
missing or of an earlier version, `python -m tools.mutate contracts/compliance/Rules.sol` one contract; how it works:
[ADR 15](../adr/0015-mutants-behind-a-switch.md).

| part | noticed | share |
|---|---|---|
{totals}

| contract | mutants | do not compile | noticed | equivalent | survived | share | |
|---|---|---|---|---|---|---|---|
{rows}

Tests of cost do not count: they would notice any change. An equivalent mutant does what the original does; each has
its reason in `tests/mutation/equivalents.toml`.

## Survivors

{alive}

## Equivalent

{kept}
"""
