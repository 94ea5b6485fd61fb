# SPDX-License-Identifier: Apache-2.0
"""`stoken clock`: how far this machine's clock is from UTC now, and how far the processes' clocks were."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from stoken.bootstrap import open_databases
from stoken.cli.output import Json, emit, table
from stoken.db import reading, schema
from stoken.errors import StokenError
from stoken.mirror.utc import LIMIT_NS, ClockEntry, clock_log, clock_summary
from stoken.settings import load_settings
from stoken.telemetry.kernel_clock import read_clock

app = typer.Typer(help="Show the clock's distance from UTC, and the drift log.", add_completion=False)
_COLUMNS: Final = ("at", "host", "process", "offset_ns", "error_ns", "synchronised", "within")


class ClockDivergesError(StokenError):
    """The clock is not kept, or further from UTC than stamps may be."""

    code = "CLOCK_DIVERGES"
    title = "The clock is not kept within a millisecond of UTC."


@app.command()
def status(*, json: Json = False) -> None:
    """Ask the kernel how far this machine's clock is from UTC; exit 1 beyond a millisecond, or if nobody keeps it."""
    found = read_clock()
    within = found.synchronised and found.divergence_ns <= LIMIT_NS
    kept = "kept" if found.synchronised else "not kept"
    line = f"offset {found.offset_ns} ns, estimated error {found.error_ns} ns, {kept}"
    emit({**found._asdict(), "limit_ns": LIMIT_NS, "within": within}, [line], as_json=json)
    if not within:
        raise ClockDivergesError(line)


@app.command()
def log(
    *,
    since: Annotated[datetime | None, typer.Option(help="From this instant on, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Newest lines of each database.")] = 1_000,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where a line is beyond the limit.")] = False,
    json: Json = False,
) -> None:
    """Show the drift log of worker and gateway: what the clock was off by, when, and in which process."""
    since_ns = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    with ExitStack() as stack:
        connections = list(_readings(stack))
        lines = sorted(line for each in connections for line in clock_log(each, since_ns, limit))
        sums = [clock_summary(each, since_ns) for each in connections]
    beyond, count = sum(each.beyond for each in sums), sum(each.entries for each in sums)
    worst = max(each.offset_ns_max for each in sums)
    rows = [_document(line) for line in lines]
    document = {"entries": count, "beyond": beyond, "offset_ns_max": worst, "limit_ns": LIMIT_NS, "log": rows}
    summary = f"{count} readings, {beyond} beyond {LIMIT_NS} ns or not kept; largest offset {worst} ns"
    emit(document, [*table(rows, _COLUMNS), summary], as_json=json)
    if check and beyond:
        raise ClockDivergesError(summary, {"entries": count, "beyond": beyond})


def _readings(stack: ExitStack) -> Iterator[Connection]:
    """Give a reading of each database: two files on SQLite, one database on PostgreSQL."""
    ledger, market = open_databases(load_settings())
    for engine in (ledger, market):
        stack.callback(engine.dispose)
    for engine in [ledger] if ledger.url == market.url else [ledger, market]:
        schema.check(engine)
        yield stack.enter_context(reading(engine))


def _document(line: ClockEntry) -> dict[str, Any]:
    at = datetime.fromtimestamp(line.at_ns / 1_000_000_000, UTC).isoformat(timespec="milliseconds")
    return {"at": at, **{name: value for name, value in line._asdict().items() if name != "at_ns"}}
