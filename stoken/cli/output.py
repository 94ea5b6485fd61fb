# SPDX-License-Identifier: Apache-2.0
"""What commands print: a table or lines for people, one JSON document for programs."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def emit(document: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a document as JSON, or the lines that say the same."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """Return rows as aligned lines under their column names."""
    cells = [list(columns), *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


class Bar:
    """Counts work that is done; shown at a terminal, silent elsewhere."""

    def __init__(self, advance: Any) -> None:  # noqa: ANN401 - rich's callable, or none
        """Take what moves the bar."""
        self.advance = advance


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Bar]:
    """Show a bar on standard error while long work goes on; `advance(n)` moves it."""
    if not sys.stderr.isatty():
        yield Bar(lambda _steps=1: None)
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and a pipe does not need it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=total)
        yield Bar(lambda steps=1: bars.advance(task, steps))
