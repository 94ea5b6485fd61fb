# SPDX-License-Identifier: Apache-2.0
"""Mirror and ledger on a dense and a sparse history, against fetching and decoding the same logs' JSON alone."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import perf_counter, sleep, time_ns
from typing import Final

from eth_utils.address import to_checksum_address
from sqlalchemy import Engine, func, select
from web3 import Web3

from benchmarks import history
from benchmarks.history import History
from benchmarks.pgbench import open_server
from benchmarks.report import Row, expect
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, schema
from stoken.ledger import tables
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import RootsStep
from stoken.mirror import MirrorStep
from stoken.mirror.reader import ChainReader
from stoken.mirror.roots import read_roots
from stoken.mirror.step import HEAD_BLOCKS
from stoken.mirror.store import read_checkpoint
from stoken.mirror.window import RANGE_BLOCKS_MAX, RANGE_LOGS
from stoken.network.anvil import Anvil
from stoken.worker import IDLE_SECONDS
from tests.database import PostgresServer
from tests.ledger_events import SUITE, TOKEN

_LAG_BLOCKS: Final = 50
_LAG_PERIOD_SECONDS: Final = 0.2
_RANGE = RANGE_LOGS // history.A_BLOCK
_TRANSFER_ABI: Final = [
    {
        "type": "event",
        "name": "Transfer",
        "anonymous": False,
        "inputs": [
            {"name": "from", "type": "address", "indexed": True},
            {"name": "to", "type": "address", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    }
]


def measure(events: int, rounds: int) -> list[Row]:
    """Return the row of catch-up and, beside it, those of its verified roots and of verified blocks at the head."""
    floor, catching_up, with_roots, at_the_head, by_web3, postgres = [], [], [], [], [], []
    with (
        open_server() as server,
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
            by_web3.append(_fetch_by_web3(node.url, written))
            catching_up.append(_follow(mirror, written.events))
            with_roots.append(1 / (1 / catching_up[-1] + 1 / _verify_roots(engine, rpc, written.events)))
            postgres.append(_follow_on_postgres(server, rpc, written.events))
            written.mine(HEAD_BLOCKS)
            at_the_head.append(_follow(mirror, HEAD_BLOCKS * history.A_BLOCK))
            _verify(engine)
            database.unlink()
    against = "bare `eth_getLogs` + JSON decode"
    thin_events = events // 4
    sparse, sparse_floor = _measure_sparse(thin_events, rounds)
    lag, lag_blocks = _measure_lag(rounds)
    size = f"{events:,} Transfer events, {history.A_BLOCK:,} a block, anvil; a fresh SQLite database each round"
    thin = f"{thin_events:,} Transfer events, {history.SPARSE} a block, catching up"
    behind = f"the mirror as the worker runs it, {_LAG_BLOCKS} blocks of {history.SPARSE} events, five a second"
    rooted = "catch-up, and the pass over history after it"
    durable = "a server on the same cores, which syncs every commit"
    verified = "a commit a block, its receipts root recomputed"
    return [
        Row("mirror and ledger, catching up: events", against, catching_up, floor, 0.3, size),
        Row("mirror and ledger on PostgreSQL, catching up: events", against, postgres, floor, note=durable),
        Row("mirror and ledger, catching up: events", "`get_logs` of a web3.py contract", catching_up, by_web3, 12),
        Row("mirror and ledger, catching up with verified roots: events", against, with_roots, floor, note=rooted),
        Row("mirror and ledger, at the head: events", against, at_the_head, floor, note=verified),
        Row("mirror and ledger, sparse: events", f"{against}, and headers", sparse, sparse_floor, note=thin),
        Row("blocks at which the mirror lagged one at most", "all of them", lag, lag_blocks, 0.99, behind),
    ]


def _measure_sparse(events: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return our rates and those of fetching the same headers and logs, on ten events a block."""
    ours, floor = [], []
    with (
        tempfile.TemporaryDirectory(prefix="stoken-bench-") as name,
        Anvil(block_seconds=None, keep_history=True) as node,
        RpcClient(node.url, timeout=60) as rpc,
    ):
        written = History(rpc, sparse=True)
        written.mine(events // history.SPARSE)
        for number in range(rounds):
            database = Path(name, f"{number}.db")
            _migrate(database)
            engine = open_engine(f"sqlite:///{database}")
            started = perf_counter()
            rpc.batch(("eth_getBlockByNumber", (hex(block), False)) for block in range(written.first, written.last + 1))
            headers = perf_counter() - started
            floor.append(1 / (1 / _fetch(rpc, written, RANGE_BLOCKS_MAX) + headers / written.events))
            ours.append(_follow(MirrorStep(engine, rpc, [LedgerProjection(SUITE)]), written.events))
            _verify(engine)
    return ours, floor


def _measure_lag(rounds: int) -> tuple[list[float], list[float]]:
    """Return of so many blocks in how many the mirror stood at most one block behind, just before the next came."""
    with (
        tempfile.TemporaryDirectory(prefix="stoken-bench-") as name,
        Anvil(block_seconds=None, keep_history=True) as node,
        RpcClient(node.url, timeout=60) as rpc,
    ):
        written = History(rpc, sparse=True)
        _migrate(Path(name, "head.db"))
        engine = open_engine(f"sqlite:///{Path(name, 'head.db')}")
        mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)])
        mirror.run_to_head()
        near = [float(sum(lag <= 1 for lag in _lags(mirror, written))) for _ in range(rounds)]
        engine.dispose()
    return near, [float(_LAG_BLOCKS)] * rounds


def _lags(mirror: MirrorStep, written: History) -> list[int]:
    """Mine a block each period while the mirror follows in a thread of its own; return how far it was behind."""
    done, lags, stands_at = Event(), list[int](), [written.last]

    def follow() -> None:
        while not done.is_set():
            stands_at[0] = mirror.execute().number
            done.wait(IDLE_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        for _ in range(_LAG_BLOCKS):
            written.mine(1)
            sleep(_LAG_PERIOD_SECONDS)
            lags.append(written.last - stands_at[0])
        done.set()
        following.result()
    return lags


def _migrate(path: Path) -> None:
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    engine.dispose()


def _fetch(rpc: RpcClient, written: History, blocks: int = _RANGE) -> float:
    started, found = perf_counter(), 0
    for first in range(written.first, written.last + 1, blocks):
        last = min(first + blocks - 1, written.last)
        found += len(rpc.call("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last)}))
    seconds = perf_counter() - started
    expect("logs fetched", found, written.events)
    return found / seconds


def _fetch_by_web3(url: str, written: History) -> float:
    """Read a range by the contract's event of web3.py: decoded, and neither checked nor stored."""
    transfer = (
        Web3(Web3.HTTPProvider(url)).eth.contract(to_checksum_address(TOKEN), abi=_TRANSFER_ABI).events.Transfer()
    )
    started = perf_counter()
    last = min(written.first + _RANGE - 1, written.last)
    found = transfer.get_logs(from_block=written.first, to_block=last)
    seconds = perf_counter() - started
    expect("logs fetched by web3.py", len(found), (last + 1 - written.first) * history.A_BLOCK)
    return len(found) / seconds


def _follow(mirror: MirrorStep, events: int) -> float:
    started = perf_counter()
    mirror.run_to_head()
    return events / (perf_counter() - started)


def _follow_on_postgres(server: PostgresServer, rpc: RpcClient, events: int) -> float:
    name = server.create()
    engine = open_engine(server.url(name))
    rate = _follow(MirrorStep(engine, rpc, [LedgerProjection(SUITE)]), events)
    _verify(engine)
    server.drop(name)
    return rate


def _verify_roots(engine: Engine, rpc: RpcClient, events: int) -> float:
    """Return the rate of the pass over history, which no order is taken before."""
    step = RootsStep(engine, ChainReader(rpc), time_ns)
    started = perf_counter()
    while step.execute():
        pass
    seconds = perf_counter() - started
    with reading(engine) as connection:
        expect("blocks verified", read_roots(connection).number, read_checkpoint(connection).number)
    return events / seconds


def _verify(engine: Engine) -> None:
    with reading(engine) as connection:
        supply = connection.execute(select(tables.instruments.c.supply)).scalar_one()
        held = connection.execute(select(func.sum(tables.positions.c.balance))).scalar_one()
    engine.dispose()
    expect("units held", held, supply)
