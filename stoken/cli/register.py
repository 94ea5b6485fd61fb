# SPDX-License-Identifier: Apache-2.0
"""`stoken register`: who holds an issue, as of a final block or of a date."""

from datetime import date
from typing import Annotated

import typer

from stoken.bootstrap import open_databases
from stoken.cli.output import Json, emit, table
from stoken.db import reading, schema
from stoken.errors import InvalidInputError
from stoken.ledger import queries
from stoken.ledger.queries import Register, Termination
from stoken.settings import load_settings

app = typer.Typer(help="Show the register of an issue.", add_completion=False)


@app.callback()
def _group() -> None:
    """Show the register of an issue."""


@app.command()
def show(
    isin: Annotated[str, typer.Argument(help="The issue.")],
    *,
    as_of: Annotated[str | None, typer.Option(help="A block number, or a date YYYY-MM-DD in Seoul.")] = None,
    json: Json = False,
) -> None:
    """Print the register from the ledger, by default as of the last final block."""
    block, day = _moment(as_of)
    ledger, _ = open_databases(load_settings())
    schema.check(ledger)
    with reading(ledger) as connection:
        found = queries.register(connection, isin, at_block=block, at_date=day)
    rows = [{"address": "0x" + holding.account.hex(), "units": str(holding.units)} for holding in found.holdings]
    lines = [_heading(found), *table(rows, ("address", "units")), f"{len(rows)} holders, {found.units} units"]
    emit(_document(found, rows), lines, as_json=json)


@app.command()
def termination(isin: Annotated[str, typer.Argument(help="The issue.")], *, json: Json = False) -> None:
    """Print the residual report of a terminated issue; exits with 1 where units are left."""
    ledger, _ = open_databases(load_settings())
    schema.check(ledger)
    with reading(ledger) as connection:
        found = queries.termination(connection, isin)
    shown = _report(found)
    emit(shown, (f"{key:<17}{value}" for key, value in shown.items()), as_json=json)
    if found.residual or found.minted != found.burned:
        raise typer.Exit(1)


def _report(found: Termination) -> dict[str, object]:
    return {
        "isin": found.isin,
        "token": "0x" + found.token.hex(),
        "terminated_at": found.block.time,
        "block_number": found.block.number,
        "block_hash": "0x" + found.block.hash.hex(),
        "minted": str(found.minted),
        "burned": str(found.burned),
        "residual": str(found.residual),
    }


def _moment(as_of: str | None) -> tuple[int | None, date | None]:
    if as_of is None:
        return None, None
    if as_of.isascii() and as_of.isdigit() and len(as_of) < len("YYYY-MM-DD") * 2 - 1:
        return int(as_of), None
    try:
        return None, date.fromisoformat(as_of)
    except ValueError as error:
        raise InvalidInputError(f"--as-of {as_of} is neither a block number nor a date", {"field": "as-of"}) from error


def _heading(found: Register) -> str:
    return f"{found.isin} as of block {found.block.number} (0x{found.block.hash.hex()}), rule set {found.rule_set}"


def _document(found: Register, rows: list[dict[str, str]]) -> dict[str, object]:
    return {
        "isin": found.isin,
        "token": "0x" + found.token.hex(),
        "block_number": found.block.number,
        "block_hash": "0x" + found.block.hash.hex(),
        "block_time": found.block.time,
        "rule_set": found.rule_set,
        "units": str(found.units),
        "register": rows,
    }
