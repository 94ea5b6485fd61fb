# SPDX-License-Identifier: Apache-2.0
"""`stoken issue`: check issue files before anybody signs for them."""

from pathlib import Path
from typing import Annotated

import typer

from stoken.cli.output import Json, emit, table
from stoken.issuance.issue_file import IssueFile, read_issue_files

app = typer.Typer(help="Check issue files.", add_completion=False)
_COLUMNS = ("isin", "short_code", "instrument_type", "units", "unit_price", "issue_amount")


@app.callback()
def _group() -> None:
    """Check issue files."""


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="One record, or a list.")],
    json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Check that an issue file is complete, and that identifiers and amounts agree."""
    found = [_summary(issue) for issue in read_issue_files(file.read_bytes())]
    emit({"valid": True, "instruments": found}, [*table(found, _COLUMNS), f"{len(found)} valid"], as_json=json)


def _summary(issue: IssueFile) -> dict[str, str | None]:
    return {
        "isin": issue.isin,
        "short_code": issue.short_code,
        "instrument_type": issue.instrument_type.value,
        "units": str(issue.units),
        "unit_price": None if issue.unit_price is None else str(issue.unit_price),
        "issue_amount": None if issue.issue_amount is None else str(issue.issue_amount),
    }
