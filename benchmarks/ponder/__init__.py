# SPDX-License-Identifier: Apache-2.0
"""Ponder on the same events: cold, with everything to fetch, and warm, with its cache of the node's answers filled.

Its app lies in this folder; `make bench-ponder` installs it with Ponder itself into a cache. Only its indexing counts,
from its own log: neither the start of Node nor that of its database.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, perf_counter
from typing import Final

import httpx

from benchmarks import history
from benchmarks.history import History
from benchmarks.report import Row, expect
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, schema
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MirrorStep
from stoken.network.anvil import Anvil
from tests.ledger_events import SUITE, TOKEN

_INSTALLED: Final = Path(__file__).parents[2] / ".cache/ponder"
#: Ponder takes a block as final only so far below the head, and what is not final as another kind of work.
_ABOVE: Final = 128
_SECONDS_MAX: Final = 1_200


def installed_version() -> str | None:
    """Return the version of Ponder in the cache, None where `make bench-ponder` could not install it."""
    package = _INSTALLED / "node_modules/ponder/package.json"
    return str(json.loads(package.read_text())["version"]) if (_INSTALLED / "stamp").exists() else None


def measure(events: int, rounds: int) -> list[Row]:
    """Return the rows: a dense history against Ponder warm and cold, and a sparse one of which Ponder reads the start.

    Ponder takes a second for a few hundred events of it, in which the mirror would hardly have begun.
    """
    ours, cold, warm = _follow(events, events, rounds, sparse=False)
    few = events // 10
    thin, thin_cold, thin_warm = _follow(events, few, rounds, sparse=True)
    name = f"Ponder {installed_version()}"
    size = f"{events:,} Transfer events, {history.A_BLOCK:,} a block; Ponder on PGlite, its backfill alone"
    sparse = f"{events:,} Transfer events, {history.SPARSE} a block; of them Ponder the first {few:,}"
    return [
        Row("mirror and ledger, beside Ponder: events", f"{name}, warm", ours, warm, 2, size),
        Row("mirror and ledger, beside Ponder: events", f"{name}, cold", ours, cold, 5),
        Row("mirror and ledger, sparse, beside Ponder: events", f"{name}, warm", thin, thin_warm, 0, sparse),
        Row("mirror and ledger, sparse, beside Ponder: events", f"{name}, cold", thin, thin_cold, 100),
    ]


def backfill_seconds(log: Iterable[str]) -> float:
    """Return how long a run says that its backfill took; RuntimeError where its log ends without one, or late."""
    started, ends_at = None, monotonic() + _SECONDS_MAX
    for line in log:
        entry = json.loads(line) if line.startswith("{") else {}
        message = str(entry.get("msg", ""))
        if message.startswith("Started backfill indexing"):
            started = entry["time"]
        elif message.startswith("Completed backfill indexing") and started is not None:
            return float(entry["time"] - started) / 1000
        if monotonic() > ends_at:
            raise RuntimeError("the benchmark is void: Ponder takes too long")
    raise RuntimeError("the benchmark is void: Ponder ended before it had indexed")


def _follow(events: int, few: int, rounds: int, *, sparse: bool) -> tuple[list[float], list[float], list[float]]:
    """Return rates round by round: ours over all events, Ponder's cold and Ponder's warm over the first few."""
    ours, cold, warm = list[float](), list[float](), list[float]()
    a_block = history.SPARSE if sparse else history.A_BLOCK
    with Anvil(block_seconds=None, keep_history=True) as node, RpcClient(node.url, timeout=60) as rpc:
        written = History(rpc, sparse=sparse)
        written.mine(events // a_block)
        read = range(written.first, written.first + few // a_block)
        rpc.call("anvil_mine", hex(_ABOVE))
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="stoken-bench-") as name:
                ours.append(_mirror(Path(name), rpc, written))
                for rates, run in ((cold, "cold"), (warm, "warm")):
                    seconds, indexed = _index(Path(name), node.url, rpc, read, run)
                    expect("events indexed by Ponder", indexed, few)
                    rates.append(few / seconds)
    return ours, cold, warm


def _mirror(folder: Path, rpc: RpcClient, written: History) -> float:
    engine = open_engine(f"sqlite:///{folder / 'stoken.db'}")
    schema.upgrade(engine)
    started = perf_counter()
    MirrorStep(engine, rpc, [LedgerProjection(SUITE)]).run_to_head()
    seconds = perf_counter() - started
    engine.dispose()
    return written.events / seconds


def _index(folder: Path, url: str, rpc: RpcClient, blocks: range, name: str) -> tuple[float, int]:
    """Run Ponder once over these blocks and return its seconds and events.

    Runs of another name find in the same folder what the first one fetched.
    """
    port = _free_port()
    settings = {
        "BENCH_DATABASE": str(folder / "ponder"),
        "BENCH_RPC": url,
        "BENCH_CHAIN_ID": str(int(rpc.call("eth_chainId"), 16)),
        "BENCH_TOKEN": f"0x{TOKEN.hex()}",
        "BENCH_FIRST": str(blocks[0]),
        "BENCH_LAST": str(blocks[-1]),
        "PONDER_TELEMETRY_DISABLED": "true",
    }
    program = shutil.which("node") or "node"
    options = ("--schema", name, "--hostname", "127.0.0.1", "--port", str(port), "--log-format", "json")
    ponder = subprocess.Popen(
        [program, "node_modules/ponder/dist/esm/bin/ponder.js", "start", *options],
        cwd=_INSTALLED,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        seconds = backfill_seconds(ponder.stdout or ())
        indexed = httpx.get(f"http://127.0.0.1:{port}/indexed", trust_env=False, timeout=60).json()
    finally:
        ponder.kill()
        ponder.wait()
    return seconds, int(indexed["events"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
