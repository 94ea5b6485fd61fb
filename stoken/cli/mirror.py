# SPDX-License-Identifier: Apache-2.0
"""`stoken mirror`: where the mirror stands, whether it equals the chain, and its ledger folded anew."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from stoken.bootstrap import check_chain, connect, finality_of, limits_of, open_databases
from stoken.chain import suite as suites
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.cli import mirror_breaks, mirror_finality
from stoken.cli.mirror_status import standing
from stoken.cli.output import Bar, Json, emit, progress, table
from stoken.db import open_engine, reading, schema, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.errors import InvalidInputError, LedgerUnavailableError, RefusedError, StokenError
from stoken.ledger import breaks, reconciliation
from stoken.ledger import digest as ledger_digest
from stoken.ledger.comparison import compare_all, count_rows, heal
from stoken.ledger.final_blocks import FinalBlock, final_block_record, final_block_records
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import read_again
from stoken.ledger.verification import Difference, Verification
from stoken.mirror import MirrorStep
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.mirror.store import Checkpoint, read_checkpoint
from stoken.orders.cover_log import close_cover
from stoken.parties import receipts
from stoken.settings import Settings, load_settings
from stoken.telemetry import logs

app = typer.Typer(help="Show, verify and rebuild the mirror and its ledger.", add_completion=False)
_COLUMNS = ("table", "key", "field", "mirror", "chain")


class LedgerDiffersError(StokenError):
    """The ledger differs from the chain, or from the one that was folded anew."""

    code = "LEDGER_DIFFERS"
    title = "The ledger differs from what it was compared with."


@app.command()
def status(
    *, digest: Annotated[bool, typer.Option(help="Compute the ledger's digest too.")] = True, json: Json = False
) -> None:
    """Show where the mirror stands behind the node, at what rate it writes, and what is in question."""
    settings = load_settings()
    with _ledger(settings) as engine, reading(engine) as connection:
        limits, rule = limits_of(settings), finality_of(settings).rule
        found = standing(connection, _head(settings), time.time_ns(), limits, rule, with_digest=digest)
    emit(found.document(), found.lines(), as_json=json)


@app.command()
def verify(*, json: Json = False) -> None:
    """Compare every row of the ledger with the contracts; open a case for each difference, and exit 1 on any."""
    logs.configure(json=json or None)
    settings = load_settings()
    with _ledger(settings) as engine, _node(settings) as (rpc, suite):
        with reading(engine) as connection:
            total = count_rows(connection)
        with progress("comparing the ledger with the chain", total) as bar:
            verification = Verification(suite.contracts, PinnedCalls(rpc))
            found = compare_all(engine, verification, time.time_ns, bar.advance)
    rows = [_row(item) for item in found.differences]
    blocks = {"first_block": found.first.number, "last_block": found.last.number}
    document = {"rows": found.rows, **blocks, "new_cases": found.new_cases, "differences": rows}
    summary = f"{found.rows} rows compared at blocks {found.first.number} to {found.last.number}"
    emit(document, [*(table(rows, _COLUMNS) if rows else ()), f"{summary}, {len(rows)} differences"], as_json=json)
    if rows:
        raise LedgerDiffersError(f"{len(rows)} differences from the chain", {"differences": len(rows)})


@app.command()
def finality(
    *,
    block: Annotated[int | None, typer.Option(min=0, help="One block; refused above the last final one.")] = None,
    after: Annotated[int, typer.Option(min=-1, help="Only blocks above this one.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, lowest first.")] = 1_000,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the node's headers; exit 1 on any fault.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the rule of finality, and since when each block that says something of ours is final, by whose seals."""
    settings = load_settings()
    with _ledger(settings) as engine, reading(engine) as connection:
        found = [final_block_record(connection, block)] if block is not None else ()
        found = found or final_block_records(connection, after, limit)
        final = read_checkpoint(connection).final_number
    wrong = _not_borne_out(settings, found) if check else []
    rows, rule = [mirror_finality.document(record) for record in found], finality_of(settings).rule
    lines = [f"final up to block {final}, by {rule}", *table(rows, mirror_finality.COLUMNS), *wrong]
    emit({"rule": rule, "final_block": final, "blocks": rows, "faults": wrong}, lines, as_json=json)
    if wrong:
        raise LedgerDiffersError(f"{len(wrong)} records are not borne out by the node", {"differences": len(wrong)})


@app.command()
def reconcile(*, json: Json = False) -> None:
    """Evaluate Q1-Q6 over every row and, the journal replayed, every open order; log them, exit 1 on a broken one."""
    logs.configure(json=json or None)
    settings = load_settings()
    with _databases(settings) as (engine, market), _node(settings) as (rpc, suite):
        schema.check(market)
        now = time.time_ns()
        found = reconciliation.close(engine, Verification(suite.contracts, PinnedCalls(rpc)), now)
        found += close_cover(engine, market, now)
    emit({"evaluations": mirror_breaks.rows(found)}, mirror_breaks.lines(found), as_json=json)
    broken = [item for item in found if not item.holds]
    if broken:
        details = {"broken": len(broken), "block": broken[0].block_number}
        raise RefusedError(Refusal.RECONCILIATION_BREAK, details=details)


@app.command()
def reconciliations(
    *,
    after: Annotated[int, typer.Option(min=-1, help="Only evaluations at blocks above this one.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, lowest block first.")] = 1_000,
    json: Json = False,
) -> None:
    """Show the Q1-Q6 log: what each commit changed of the invariants' figures, and every close."""
    with _ledger(load_settings()) as engine, reading(engine) as connection:
        found = reconciliation.evaluations(connection, after, limit)
    emit({"evaluations": mirror_breaks.rows(found)}, mirror_breaks.lines(found), as_json=json)


@app.command("breaks")
def breaks_(*, json: Json = False) -> None:
    """Show the cases, open and closed, and who was told of each broken invariant, in which order and when."""
    with _ledger(load_settings()) as engine, reading(engine) as connection:
        found = mirror_breaks.cases(breaks.cases(connection, only_open=False), breaks.notices(connection))
    lines = table(found, mirror_breaks.CASE_COLUMNS) if found else ["no case was ever opened"]
    emit({"cases": found}, lines, as_json=json)


@app.command("notices")
def notices_(*, json: Json = False) -> None:
    """Show the notices of broken invariants: to whom, when stamped, first read and acknowledged, and by whom."""
    with _databases(load_settings()) as (engine, market):
        schema.check(market)
        with reading(engine) as connection, reading(market) as seen:
            found = mirror_breaks.notices(breaks.notices(connection), receipts.receipts(seen))
    lines = table(found, mirror_breaks.NOTICE_COLUMNS) if found else ["nobody had to be told of anything"]
    emit({"notices": found}, lines, as_json=json)


@app.command()
def rebuild(
    *,
    from_chain: Annotated[
        bool, typer.Option(help="Read the chain again, not the mirror's logs; compare alone.")
    ] = False,
    heal_by: Annotated[
        str | None,
        typer.Option("--heal", help="Name of the operator on whose word the rebuilt ledger replaces the other."),
    ] = None,
    json: Json = False,
) -> None:
    """Fold the ledger anew and compare digests; exit 1, and no change, if they differ, unless --heal is given."""
    logs.configure(json=json or None)
    settings = load_settings()
    if from_chain and heal_by is not None:
        raise InvalidInputError("--heal replaces the ledger from the mirror's logs: without --from-chain")
    suite = suites.load(settings.suite_file)
    with _ledger(settings) as engine:
        if heal_by is not None:
            _heal(settings, engine, suite, heal_by, as_json=json)
            return
        before, after = _reread(settings, engine, suite) if from_chain else _refold(engine, suite)
    if after != before:
        raise LedgerDiffersError("the rebuilt ledger differs; nothing was changed", {"before": before, "after": after})
    emit({"digest": after, "equal": True}, [f"rebuilt, equal: {after}"], as_json=json)


def _not_borne_out(settings: Settings, found: Sequence[FinalBlock]) -> list[str]:
    with _node(settings) as (rpc, _):
        return list(mirror_finality.faults(rpc, found))


@contextmanager
def _ledger(settings: Settings) -> Iterator[Engine]:
    with _databases(settings) as (ledger, _):
        yield ledger


@contextmanager
def _databases(settings: Settings) -> Iterator[tuple[Engine, Engine]]:
    ledger, market = open_databases(settings)
    try:
        schema.check(ledger)
        yield ledger, market
    finally:
        ledger.dispose()
        market.dispose()


@contextmanager
def _node(settings: Settings) -> Iterator[tuple[RpcClient, Suite]]:
    suite = suites.load(settings.suite_file)
    rpc, capabilities = connect(settings)
    with rpc:
        check_chain(suite, capabilities)
        yield rpc, suite


def _head(settings: Settings) -> int | None:
    """Return the node's head, None where it does not answer."""
    try:
        with RpcClient(settings.rpc.url, settings.rpc.timeout_seconds) as rpc:
            return int(rpc.call("eth_blockNumber"), 16)
    except LedgerUnavailableError:
        return None


def _refold(engine: Engine, suite: Suite) -> tuple[str, str]:
    """Fold the mirror's logs anew in a unit of work that leaves nothing, and return both digests."""
    with unit_of_work(engine) as connection, _blocks_bar(read_checkpoint(connection)) as bar:
        with connection.begin_nested() as tried:
            before = ledger_digest.digest(connection)
            after = ledger_digest.rebuild(connection, suite.contracts, bar.advance)
            tried.rollback()
        return before, after


def _heal(settings: Settings, engine: Engine, suite: Suite, operator: str, *, as_json: bool) -> None:
    with reading(engine) as connection:
        at = read_checkpoint(connection)
    with _node(settings) as (rpc, _), _blocks_bar(at) as bar:
        verification = Verification(suite.contracts, PinnedCalls(rpc))
        mended = read_again(engine, ChainReader(rpc, sealed_from=finality_of(settings).sealed_from))
        done = heal(engine, suite.contracts, verification, operator, time.time_ns(), bar.advance, mended)
    document = {"digest": done.after, "before": done.before, "equal": done.before == done.after, "closed": done.closed}
    emit(document, [f"rebuilt on the word of {operator}: {done.after}, {done.closed} cases closed"], as_json=as_json)


def _reread(settings: Settings, engine: Engine, suite: Suite) -> tuple[str, str]:
    """Mirror the chain into a database of its own, up to the block of the ledger, and return both digests."""
    with reading(engine) as connection:
        at, before = read_checkpoint(connection), ledger_digest.digest(connection)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stoken-"))
        rpc, _ = stack.enter_context(_node(settings))
        bar = stack.enter_context(_blocks_bar(at))
        fresh = open_engine(f"sqlite:///{Path(folder, 'fresh.db')}")
        stack.callback(fresh.dispose)
        schema.upgrade(fresh)
        mirror = MirrorStep(fresh, rpc, [LedgerProjection(suite.contracts)], finality_of(settings))
        number = -1
        while number < at.number:
            step = mirror.execute(at.number)
            number = step.number
            bar.advance(step.blocks)
        with reading(fresh) as connection:
            return before, ledger_digest.digest(connection)


@contextmanager
def _blocks_bar(at: Checkpoint) -> Iterator[Bar]:
    with progress("rebuilding the ledger", at.number + 1) as bar:
        yield bar


def _row(item: Difference) -> dict[str, Any]:
    key = ",".join(f"0x{part.hex()}" if isinstance(part, bytes) else str(part) for part in item.key)
    token = f"0x{item.token.hex()}" if item.token else None
    return {
        "table": item.table,
        "key": key,
        "field": item.field,
        "mirror": item.mirror,
        "chain": item.chain,
        "token": token,
    }
