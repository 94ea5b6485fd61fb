# SPDX-License-Identifier: Apache-2.0
"""`stoken register`: who holds an issue, as of a final block or of a date."""

from datetime import date
from typing import Annotated

import typer

from stoken.bootstrap import open_databases
from stoken.cli.output import Json, emit, table
from stoken.db import reading, schema
from stoken.errors import InvalidInputError, StokenError
from stoken.issuance import entries as register_entries
from stoken.ledger import queries, statements
from stoken.ledger.queries import Register, Termination
from stoken.ledger.statements import Line
from stoken.settings import load_settings

app = typer.Typer(help="Show the register of an issue, or the owners at a record date.", add_completion=False)


@app.callback()
def _group() -> None:
    """Show the register of an issue, or the owners at a record date."""


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


@app.command()
def statement(
    isin: Annotated[str, typer.Argument(help="The issue.")],
    *,
    record_date: Annotated[int | None, typer.Option(help="A record date by its id; by default the last one.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Its block number, or its date YYYY-MM-DD in Seoul.")] = None,
    json: Json = False,
) -> None:
    """Print the owner statement of a declared record date; refused where its lines do not add up to the issue."""
    block, day = _moment(as_of)
    ledger, _ = open_databases(load_settings())
    schema.check(ledger)
    with reading(ledger) as connection:
        found = statements.owner_statement(connection, isin, record_date=record_date, at_block=block, at_date=day)
    columns = ("account", "units", "locked_up", "pledged", "trust_marked", "restricted", "frozen", "held")
    rows = [_line(line) for line in found.lines]
    heading = (
        f"{found.isin} at record date {found.record_date}, block {found.block.number} (0x{found.block.hash.hex()})"
    )
    lines = [heading, *table(rows, columns), f"{len(rows)} owners, {found.supply} units: the whole issue"]
    document = {
        "isin": found.isin,
        "token": "0x" + found.token.hex(),
        "record_date": found.record_date,
        "record_block": found.block.number,
        "block_hash": "0x" + found.block.hash.hex(),
        "block_time": found.block.time,
        "supply": str(found.supply),
        "lines": rows,
    }
    emit(document, lines, as_json=json)


class OrderError(StokenError):
    """The register's entries are not in the order of receipt."""

    code = "ENTRY_ORDER"
    title = "An entry of the register is not in the order in which requests came."


@app.command()
def entries(
    *,
    after: Annotated[int, typer.Option(help="Show what came after this place in the order of receipt.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="Show so many at most; all of them are checked.", min=1)] = 1_000,
    json: Json = False,
) -> None:
    """Print what institutions asked to be entered, in the order of receipt; exit 1 where an entry is out of order."""
    ledger, _ = open_databases(load_settings())
    schema.check(ledger)
    with reading(ledger) as connection:
        found = register_entries.entries(connection, after, limit)
        faults = list(register_entries.order_faults(connection))
    rows = [
        {
            "sequence": each.sequence,
            "tenant": each.tenant,
            "id": each.id,
            "kind": each.kind,
            "status": each.status.value,
            "received_at": str(each.received_at_ns),
            "entered_at": each.entered_at,
            "block_number": each.block_number,
        }
        for each in found
    ]
    columns = ("sequence", "received_at", "entered_at", "block_number", "status", "kind", "tenant", "id")
    emit({"entries": rows, "faults": faults}, [*table(rows, columns), *faults], as_json=json)
    if faults:
        raise OrderError(f"{len(faults)} out of order, first {faults[0]}", {"faults": len(faults)})


def _line(line: Line) -> dict[str, object]:
    amounts = ("units", "locked_up", "pledged", "trust_marked", "restricted", "frozen", "held")
    return {
        "account": "0x" + line.account.hex(),
        **{name: str(getattr(line, name)) for name in amounts},
        "account_frozen": line.account_frozen,
        "trust_marks": [
            {"id": "0x" + mark.id.hex(), "trustee": "0x" + mark.trustee.hex(), "units": str(mark.units)}
            for mark in line.trust_marks
        ],
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
