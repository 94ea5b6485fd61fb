# SPDX-License-Identifier: Apache-2.0
"""Measure mirror, orders, verdicts and settlement against their floors, and print one table."""

import argparse
import subprocess
from time import perf_counter
from typing import Final

from rich.console import Console

from benchmarks import mirror, orders, settlement, verdict
from benchmarks.market import open_market
from benchmarks.pgbench import open_pgbench
from benchmarks.report import Row, table, versions
from stoken.network.anvil import find_binary

_PGBENCH_SECONDS: Final = 2
_PARTS: Final = ("mirror", "orders", "verdict", "settlement")


def main() -> None:
    """Measure what was asked for, and print it."""
    options = _options()
    console = Console(stderr=True, highlight=False)
    started = perf_counter()
    rows: list[Row] = []
    if "mirror" in options.only:
        console.print("measuring the mirror", style="dim")
        rows += mirror.measure(options.events, options.rounds)
    if {"orders", "verdict", "settlement"} & set(options.only):
        console.print("measuring the market", style="dim")
        rows += _measure_market(options)
    print(table(rows))
    print(f"* {_versions()}")
    print(f"* {perf_counter() - started:.0f} seconds in all; each ratio is that of two figures taken in one round")


def _measure_market(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    with open_market(options.orders * options.rounds + options.trades) as market:
        if "orders" in options.only:
            with open_pgbench(orders.CONNECTIONS, _PGBENCH_SECONDS) as pgbench:
                rows += orders.measure(market, pgbench, options.orders, options.rounds)
        if "verdict" in options.only:
            rows += verdict.measure(market, options.verdicts, options.rounds)
        if "settlement" in options.only:
            rows += settlement.measure(market, options.trades, options.rounds)
    return rows


def _versions() -> str:
    output = subprocess.run([find_binary(), "--version"], check=True, capture_output=True, text=True).stdout
    return versions(anvil=output.split("\n")[0].split()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, nargs="+", default=_PARTS, help="measure only these")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (default 5)")
    parser.add_argument("--events", type=int, default=200_000, help="Transfer events of the history (default 200000)")
    parser.add_argument("--orders", type=int, default=4_000, help="orders a round (default 4000)")
    parser.add_argument("--trades", type=int, default=1_000, help="trades a round (default 1000)")
    parser.add_argument("--verdicts", type=int, default=20_000, help="local verdicts a round (default 20000)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
