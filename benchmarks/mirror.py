# SPDX-License-Identifier: Apache-2.0
"""Mirror and ledger on a dense history, against fetching and decoding the same logs' JSON and no more."""

import shutil
import tempfile
from pathlib import Path
from time import perf_counter

from sqlalchemy import Engine, func, select

from benchmarks import history
from benchmarks.history import History
from benchmarks.report import Row, expect
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, schema
from stoken.ledger import tables
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MirrorStep
from stoken.mirror.step import HEAD_BLOCKS
from stoken.mirror.window import RANGE_LOGS
from stoken.network.anvil import Anvil
from tests.ledger_events import SUITE

_RANGE = RANGE_LOGS // history.A_BLOCK


def measure(events: int, rounds: int) -> list[Row]:
    """Return the row of catch-up and, beside it, that of verified blocks at the head."""
    floor, catching_up, at_the_head = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="stoken-bench-") as name,
        Anvil(block_seconds=None, keep_history=True) as node,
        RpcClient(node.url, timeout=60) as rpc,
    ):
        written = History(rpc)
        written.mine(events // history.A_BLOCK)
        empty = Path(name, "empty.db")
        _migrate(empty)
        for number in range(rounds):
            database = Path(shutil.copy(empty, Path(name, f"{number}.db")))
            engine = open_engine(f"sqlite:///{database}")
            mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)])
            floor.append(_fetch(rpc, written))
            catching_up.append(_follow(mirror, written.events))
            written.mine(HEAD_BLOCKS)
            at_the_head.append(_follow(mirror, HEAD_BLOCKS * history.A_BLOCK))
            _verify(engine)
            database.unlink()
    against = "bare `eth_getLogs` + JSON decode"
    size = f"{events:,} Transfer events, {history.A_BLOCK:,} a block, anvil; a fresh SQLite database each round"
    verified = "a commit a block, its receipts root recomputed"
    return [
        Row("mirror and ledger, catching up: events", against, catching_up, floor, 0.3, size),
        Row("mirror and ledger, at the head: events", against, at_the_head, floor, note=verified),
    ]


def _migrate(path: Path) -> None:
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    engine.dispose()


def _fetch(rpc: RpcClient, written: History) -> float:
    started, found = perf_counter(), 0
    for first in range(written.first, written.last + 1, _RANGE):
        last = min(first + _RANGE - 1, written.last)
        found += len(rpc.call("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)}))
    seconds = perf_counter() - started
    expect("logs fetched", found, written.events)
    return found / seconds


def _follow(mirror: MirrorStep, events: int) -> float:
    started = perf_counter()
    mirror.run_to_head()
    return events / (perf_counter() - started)


def _verify(engine: Engine) -> None:
    with reading(engine) as connection:
        supply = connection.execute(select(tables.instruments.c.supply)).scalar_one()
        held = connection.execute(select(func.sum(tables.positions.c.balance))).scalar_one()
    engine.dispose()
    expect("units held", held, supply)
