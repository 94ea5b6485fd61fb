# SPDX-License-Identifier: Apache-2.0
"""`stoken tx`: what became of the transactions that this worker signed, and what an operator may ask of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from stoken.bootstrap import check_chain, connect, open_databases
from stoken.chain import suite as suites
from stoken.cli.output import Json, emit, progress, table
from stoken.db import reading, schema, unit_of_work
from stoken.domain.transaction_states import LIVE, TransactionStatus
from stoken.settings import load_settings
from stoken.settlement import recovery as trades_recovery
from stoken.transactions import queries, recovery
from stoken.transactions.confirm import confirmed_to
from stoken.transactions.keys import open_signers
from stoken.transactions.queries import Transaction

app = typer.Typer(help="List, show, send again, withdraw and recover transactions.", add_completion=False)

Name = Annotated[str, typer.Argument(help="The transaction's key, or its hash in hex.")]
Note = Annotated[str, typer.Option(help="Why, for the record: no personal data.")]
_COLUMNS = ("sequence", "status", "sender", "nonce", "block", "final", "purpose", "key", "held")


@contextmanager
def _disposing(*engines: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        for engine in engines:
            engine.dispose()


@contextmanager
def _database() -> Iterator[Engine]:
    engine, market = open_databases(load_settings())
    with _disposing(engine, market):
        schema.check(engine)
        yield engine


@app.command("list")
def list_(
    *,
    status: Annotated[TransactionStatus | None, typer.Option(help="Only those of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    json: Json = False,
) -> None:
    """List transactions, newest first, and the keys with what waits on each."""
    with _database() as engine, reading(engine) as connection:
        final = confirmed_to(connection)
        found = [_document(each, final) for each in queries.transactions(connection, status, limit)]
        keys = [{**lane._asdict(), "sender": f"0x{lane.sender.hex()}"} for lane in queries.lanes(connection)]
    lines = [*table(found, _COLUMNS), "", *table(keys, ("sender", "holder", "epoch", "next_nonce", "waiting"))]
    emit({"transactions": found, "keys": keys}, lines, as_json=json)


@app.command()
def show(name: Name, *, json: Json = False) -> None:
    """Show a transaction with every version of its nonce: what was signed, what became of it, and why."""
    with _database() as engine, reading(engine) as connection:
        final = confirmed_to(connection)
        found = [_document(each, final) for each in queries.find(connection, name)]
    lines = [f"{field}: {value}" for each in found for field, value in (*each.items(), ("", ""))][:-1]
    emit({"versions": found}, lines, as_json=json)


@app.command()
def retry(name: Name, *, json: Json = False) -> None:
    """Have the worker send the same bytes again at once; never another transaction."""
    _ask(name, "retry", None, as_json=json)


@app.command()
def cancel(
    name: Name,
    *,
    note: Note,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also what may have left; on Besu, or where it is held.")
    ] = False,
    json: Json = False,
) -> None:
    """Have the worker withdraw what never left, on record; its nonce is filled, and a final block ends it."""
    _ask(name, "replace" if replace else "cancel", note, as_json=json)


@app.command()
def recover(*, json: Json = False) -> None:
    """Take in from the chain what the keys have sent since this database was backed up; the worker must not run.

    Requests and trades that led to it claim it when they are decided again: nothing mined is sent a second time.
    """
    settings = load_settings()
    suite = suites.load(settings.suite_file)
    engine, market = open_databases(settings)
    rpc, capabilities = connect(settings)
    with rpc, _disposing(engine, market), progress("reading blocks", None) as bar:
        schema.check(engine)
        check_chain(suite, capabilities)
        missing = recovery.gaps(engine, rpc, open_signers(settings.signer))
        found = recovery.search(rpc, capabilities.chain_id, missing, bar.advance)
        with unit_of_work(engine) as connection:
            found = recovery.store(connection, missing, found)
            settlements = trades_recovery.claim(connection, market, suite["settlement"])
    rows = [{"sender": f"0x{each.sender.hex()}", "nonce": each.nonce, "hash": f"0x{each.hash.hex()}"} for each in found]
    said = f"{len(found)} transactions recovered, {settlements} of them settlements"
    lines = [*table(rows, ("sender", "nonce", "hash")), said] if rows else [said]
    emit({"transactions": rows, "settlements": settlements}, lines, as_json=json)


def _ask(name: str, command: str, note: str | None, *, as_json: bool) -> None:
    with _database() as engine, unit_of_work(engine) as connection:
        queries.ask(connection, name, command, note)
    emit({"transaction": name, "asked": command}, [f"{command} asked of the worker: {name}"], as_json=as_json)


def _document(row: Transaction, final: int) -> dict[str, Any]:
    failure = row.failure
    return {
        "sequence": row.sequence,
        "key": row.key,
        "purpose": row.purpose,
        "owner": row.owner,
        "status": row.status,
        "sender": f"0x{row.sender.hex()}",
        "nonce": row.nonce,
        "version": row.version,
        "hash": f"0x{row.hash.hex()}",
        "receiver": f"0x{row.receiver.hex()}",
        "gas": row.gas,
        "block": "" if row.block_number is None else row.block_number,
        # What is not may still be taken back, whatever the status says.
        "final": row.block_number is not None and row.block_number <= final,
        "failure": "" if failure is None else f"{failure.code} {failure.error} {failure.arguments}",
        "replaced_by": "" if row.replaced_by is None else f"0x{row.replaced_by.hex()}",
        "asked": row.command or "",
        "note": row.note or "",
        # What the node says to bytes that it keeps refusing.
        "held": row.held or "" if TransactionStatus(row.status) in LIVE else "",
    }
