# SPDX-License-Identifier: Apache-2.0
"""What was measured, as rows of one table: a rate, the floor's rate in the same rounds, and their ratio."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

_PACKAGES: Final = ("msgspec", "httpx", "sqlalchemy", "coincurve", "starlette", "uvicorn", "uvloop")
_HEAD: Final = """<!-- Written by make bench: do not edit. -->

# Benchmarks

What `make bench` measured last, part by part: medians of several rounds, the spread of their ratios, and versions.
Rates depend on the machine and on what else it did, which each part says; a **ratio** is that of two rates taken one
right after the other. `make bench BENCH="--only mirror"` measures one part and writes its section anew.
"""
_SECTION: Final = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """Rates a second, round by round: `ours[i]` and `floor[i]` were measured one right after the other."""

    what: str
    against: str
    ours: Sequence[float]
    floor: Sequence[float]
    #: The ratio that performance asks for; 0 where the row is only there for comparison.
    target: float = 0
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Return ours to floor, round by round."""
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table: medians, and the spread from the lowest to the highest round."""
    lines = [
        "| what | a second | against | a second | ratio | lowest-highest | target |",
        "|---|---:|---|---:|---:|---|---:|",
    ]
    for row in rows:
        ratios = row.ratios
        cells = (
            row.what,
            f"{median(row.ours):,.0f}",
            row.against,
            f"{median(row.floor):,.0f}",
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f}-{max(ratios):.2f} ({len(ratios)} rounds)",
            f"{row.target:.2f}" if row.target else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"* {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes])


def versions(**programs: str) -> str:
    """Return one line that names the versions of interpreter, packages and these programs."""
    named = {"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}, **programs}
    return ", ".join(f"{name} {number}" for name, number in named.items())


def load() -> str:
    """Say how busy the machine is: a benchmark beside others is worth its ratios alone."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def write_section(page: Path, part: str, text: str) -> None:
    """Replace the section of one part on the page, or add it; the others stay as they are."""
    pieces = _SECTION.split(page.read_text() if page.exists() else "")[1:]
    sections = dict(zip(pieces[::2], pieces[1::2], strict=True)) | {part: f"\n\n{text.strip()}\n\n"}
    body = "".join(f"## {name}\n\n{sections[name].strip()}\n\n" for name in sorted(sections))
    page.write_text(f"{_HEAD}\n{body}".rstrip() + "\n")


def expect(what: str, found: object, wanted: object) -> None:
    """Raise RuntimeError where a round did not do the work that it was timed for."""
    if found != wanted:
        raise RuntimeError(f"the benchmark is void: {what}: {found} instead of {wanted}")
