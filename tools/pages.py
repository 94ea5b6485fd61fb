# SPDX-License-Identifier: Apache-2.0
"""How a generated page looks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs/reference"

Json = Mapping[str, Any]


def page(title: str, source: str, introduction: str, parts: list[str]) -> str:
    """Return a reference page that says where it comes from."""
    head = f"<!-- Generated from {source} by tools/docs.py: do not edit. -->\n# {title}\n\n{introduction}\n"
    return head + "".join(f"\n{part.rstrip()}\n" for part in parts)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table; a bar within a cell is escaped."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
