# SPDX-License-Identifier: Apache-2.0
"""`stoken transfer`: what the contracts would answer to a transfer, and where they answered otherwise."""

import time
from typing import Annotated

import typer
from sqlalchemy import Connection, Engine

from stoken.bootstrap import open_databases
from stoken.cli.output import Json, emit, table
from stoken.compliance.moves import Channel, Move
from stoken.compliance.verdict import explain as every_refusal
from stoken.db import reading, schema, unit_of_work
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Address
from stoken.drift import records
from stoken.drift.records import Drift
from stoken.errors import InvalidInputError, StokenError
from stoken.ledger import queries
from stoken.ledger.feed import decode_facts, final_blocks
from stoken.orders.state import declined_by
from stoken.settings import load_settings

app = typer.Typer(help="Ask what the contracts would answer, and where verdicts parted.", add_completion=False)


class DriftedError(StokenError):
    """Verdicts parted and nobody has said why."""

    code = "VERDICT_DRIFT"
    title = "On some token the local verdict differed from the contracts', and nobody has said why."


@app.command()
def check(
    isin: Annotated[str, typer.Argument(help="The issue.")],
    sender: Annotated[str, typer.Argument(help="The account that gives.")],
    receiver: Annotated[str, typer.Argument(help="The account that takes.")],
    units: Annotated[int, typer.Argument(help="How many units.", min=0)],
    *,
    channel: Annotated[str, typer.Option(help="PLAIN, VENUE or INSTRUCTED.")] = Channel.PLAIN.name,
    explain: Annotated[bool, typer.Option(help="Name every rule that says no, not the first alone.")] = False,
    block: Annotated[int | None, typer.Option(help="A final block; by default the last one.", min=0)] = None,
    json: Json = False,
) -> None:
    """Say what the contracts would answer in a call at a final block, from the ledger alone; exit 0 also for a no."""
    if channel not in Channel.__members__:
        raise InvalidInputError(
            f"--channel {channel} is none of {', '.join(Channel.__members__)}", {"field": "channel"}
        )
    accounts = _account("sender", sender), _account("receiver", receiver)
    with reading(_ledger()) as connection:
        token = queries.instrument(connection, isin).token
        state = _state(connection, queries.final_block(connection, block).number)
    at = state.block_number, state.block_time
    move = Move(state, token, *accounts, units, *at, Channel[channel])
    failing = list(every_refusal(move))
    refusals = [
        {
            "rule": each.rule.id,
            "code": each.verdict.refusal.value,
            "values": {name: str(value) for name, value in declined_by(each.verdict).values},
        }
        for each in (failing if explain else failing[:1])
    ]
    document = {
        "allowed": not failing,
        "refusals": refusals,
        "block_number": state.block_number,
        "block_hash": "0x" + state.block_hash.hex(),
        "rule_set": move.rules.version,
    }
    lines = [f"{each['rule']}: {each['code']} {each['values'] or ''}".rstrip() for each in refusals] or ["allowed"]
    emit(document, [*lines, f"block {state.block_number}, rule set {move.rules.version}"], as_json=json)


@app.command()
def drifts(*, json: Json = False) -> None:
    """Show where verdicts parted; exit 1 while one of them is open."""
    with reading(_ledger()) as connection:
        found = records.drifts(connection)
    rows = [_row(drift) for drift in found]
    columns = ("id", "state", "token", "block_number", "seen", "local", "chain", "resolved_by")
    emit({"drifts": rows}, table(rows, columns) if rows else ["none"], as_json=json)
    still = [drift.id for drift in found if drift.is_open]
    if still:
        raise DriftedError(f"{len(still)} open: {', '.join(map(str, still))}", {"open": len(still)})


@app.command()
def resolve(
    drift: Annotated[int, typer.Argument(help="Its number, as `drifts` shows it.")],
    *,
    by: Annotated[str, typer.Option(help="Who looked into it.")],
    cause: Annotated[str, typer.Option(help="Why verdicts parted, and why they will not again.")],
    json: Json = False,
) -> None:
    """Close a drift, after which its token takes orders again; if verdicts still part, the next look closes it anew."""
    if not by.strip() or not cause.strip():
        raise InvalidInputError("--by and --cause must say something", {"field": "by" if not by.strip() else "cause"})
    with unit_of_work(_ledger()) as connection:
        found = records.resolve(connection, drift, by, cause, time.time_ns())
    emit(_row(found), [f"drift {found.id} is resolved by {by}"], as_json=json)


def _ledger() -> Engine:
    ledger, _ = open_databases(load_settings())
    schema.check(ledger)
    return ledger


def _state(connection: Connection, number: int) -> ChainState:
    """Fold the ledger's feed to a block."""
    state = ChainState()
    while state.block_number < number:
        for block in final_blocks(connection, state.block_number):
            if block.number > number:
                break
            state.apply_block(block.number, block.hash, block.time, decode_facts(block.facts))
    return state


def _account(name: str, text: str) -> Address:
    try:
        account = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        account = b""
    if len(account) != len(bytes(20)):
        raise InvalidInputError(f"{name}: {text} is not an address", {"field": name})
    return account


def _row(drift: Drift) -> dict[str, object]:
    found = drift.difference
    return {
        "id": drift.id,
        "state": "open" if drift.is_open else "resolved",
        "token": "0x" + found.token.hex(),
        "sender": "0x" + found.sender.hex(),
        "receiver": "0x" + found.receiver.hex(),
        "units": str(found.units),
        "channel": Channel(found.channel).name,
        "block_number": found.block_number,
        "block_hash": "0x" + found.block_hash.hex(),
        "local": "0x" + found.local.hex(),
        "chain": "0x" + found.chain.hex(),
        "seen": drift.seen,
        "found_at_ns": str(drift.found_at_ns),
        "resolved_at_ns": None if drift.resolved_at_ns is None else str(drift.resolved_at_ns),
        "resolved_by": drift.resolved_by,
        "cause": drift.cause,
    }
