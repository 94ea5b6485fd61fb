# SPDX-License-Identifier: Apache-2.0
"""Measure mirror, orders, verdicts and settlement against their floors; a table for each."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final, Never

import httpx
from rich.console import Console

from benchmarks import mirror, orders, ponder, sealed, settlement, verdict
from benchmarks.market import open_market
from benchmarks.pgbench import open_pgbench
from benchmarks.report import Row, load, table, versions, write_section
from stoken.errors import StokenError
from stoken.network.anvil import find_binary

_PGBENCH_SECONDS: Final = 2
_PARTS: Final = ("mirror", "seals", "ponder", "orders", "verdict", "settlement")
#: A part that takes longer waits for a node, or for Ponder, that will never answer.
_SECONDS_MAX: Final = 900
#: What a part ends with where a node, Ponder or a database misbehaves; any other error is ours.
_FAILURES: Final = (StokenError, RuntimeError, OSError, subprocess.SubprocessError, httpx.HTTPError)


def main() -> None:
    """Measure what was asked for, print it, and write it to the page; a part that fails is named and left out."""
    options = _options()
    console = Console(stderr=True, highlight=False)
    failed = []
    for part, measure in _measures(options, console):
        console.print(f"measuring: {part}", style="dim")
        before, started = load(), perf_counter()
        try:
            with time_limit(_SECONDS_MAX):
                rows = measure()
        except _FAILURES as error:
            console.print(f"failed: {part}: {type(error).__name__}: {error}", style="red")
            failed.append(part)
            continue
        lines = (
            table(rows),
            f"* {_versions()}",
            f"* {perf_counter() - started:.0f} seconds; load of the machine {before} at the start, {load()} at the end",
        )
        text = "\n".join(lines)
        print(text)
        if options.page:
            write_section(options.page, part, text)
    sys.exit(1 if failed else 0)


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise RuntimeError from within what takes longer: clients would take a TimeoutError for their own."""

    def expire(_number: int, _frame: object) -> Never:
        raise RuntimeError(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _measures(options: argparse.Namespace, console: Console) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """Yield the parts that were asked for; the market stands while its parts are measured."""
    if "mirror" in options.only:
        yield "mirror", lambda: mirror.measure(options.events, options.rounds)
    if "seals" in options.only:
        yield "seals", lambda: sealed.measure(options.events // 4, options.rounds)
    if "ponder" in options.only and ponder.installed_version() is None:
        console.print("Ponder is not installed, its rows are left out: `make bench-ponder` needs the npm registry")
    elif "ponder" in options.only:
        yield "ponder", lambda: ponder.measure(options.ponder_events, options.rounds)
    if not {"orders", "verdict", "settlement"} & set(options.only):
        return
    with open_market(options.orders * options.rounds + options.trades) as market:
        if "orders" in options.only:
            with open_pgbench(orders.CONNECTIONS, _PGBENCH_SECONDS) as pgbench:
                yield "orders", lambda: orders.measure(market, pgbench, options.orders, options.rounds)
        if "verdict" in options.only:
            yield "verdict", lambda: verdict.measure(market, options.verdicts, options.rounds)
        if "settlement" in options.only:
            yield "settlement", lambda: settlement.measure(market, options.trades, options.rounds)


def _versions() -> str:
    output = subprocess.run([find_binary(), "--version"], check=True, capture_output=True, text=True).stdout
    return versions(anvil=output.split("\n")[0].split()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, nargs="+", default=_PARTS, help="measure only these")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (default 5)")
    parser.add_argument("--events", type=int, default=200_000, help="Transfer events of the history (default 200000)")
    parser.add_argument("--ponder-events", type=int, default=50_000, help="the same beside Ponder (default 50000)")
    parser.add_argument("--orders", type=int, default=4_000, help="orders a round (default 4000)")
    parser.add_argument("--trades", type=int, default=1_000, help="trades a round (default 1000)")
    parser.add_argument("--verdicts", type=int, default=20_000, help="local verdicts a round (default 20000)")
    parser.add_argument("--page", type=Path, help="write each part's section of this page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
