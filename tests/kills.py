# SPDX-License-Identifier: Apache-2.0
"""Kills a worker by `kill -9` at random points, and counts everything again after each: `python -m tests.kills 0:1000`.

The worker is a process of its own over a real node and a real database: outbox, sending, mirror, ledger, confirmation.
Seeds run in chunks of a fresh chain and database; a chunk whose result stands in the results file is passed over.
"""

import argparse
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading
from stoken.mirror import Finality
from stoken.network.anvil import Anvil
from stoken.transactions.outbox import read
from tests.database import Databases
from tests.emitting import GUARD, EmittingPath, put_code
from tests.recount import recount, register_is_the_chains

RESULTS: Final = Path(__file__).with_suffix(".jsonl")
CHUNK: Final = 25
_SECRET: Final = b"\x71" * 32
_KINDS: Final = ("sqlite", "postgresql")
#: A worker lives as long after its start; in that time it passes each of its points many times.
_LIFE_SECONDS: Final = 0.8
_START_SECONDS: Final = 30
_DEPTH: Final = 2
_ROUNDS_MAX: Final = 200


class Site:
    """A chain and a database; each process opens both for itself."""

    def __init__(self, database_url: str, node_url: str, acknowledged: Path) -> None:
        self.database_url, self.node_url, self.acknowledged = database_url, node_url, acknowledged

    def open(self) -> EmittingPath:
        return EmittingPath(
            open_engine(self.database_url), RpcClient(self.node_url), Finality(depth=_DEPTH), secret=_SECRET
        )

    def work(self, seed: int, began: int) -> None:
        """Decide, send, mine, mirror and confirm without end; each decision is acknowledged once it is committed."""
        path, number = self.open(), 0
        os.write(began, b".")
        path.create_issue()
        with self.acknowledged.open("ab", buffering=0) as acknowledged:
            while True:
                key = f"{seed}.{number}"
                if number % 3:
                    path.mint(key, number % 5, 1)
                else:  # it logs nothing that the ledger knows, or nothing at all
                    path.enqueue(key, to=GUARD if number % 2 else b"\x0e" * 20)
                acknowledged.write(f"{key}\n".encode())
                path.now = time.monotonic()
                path.round()
                path.rpc.call("evm_mine")
                number += 1

    def count(self) -> None:
        """Start again, bring everything to its end, and count it; every acknowledged decision was carried out."""
        path = self.open()
        keys = self.acknowledged.read_text().split("\n")[:-1] if self.acknowledged.exists() else []
        for _ in range(_ROUNDS_MAX):
            path.now += 5
            path.follow_as_the_worker()
            if not path.broadcast.execute():
                break
            path.rpc.call("evm_mine")
        path.rpc.call("anvil_mine", hex(_DEPTH))
        path.follow_as_the_worker()
        with reading(path.engine) as connection:
            rows = [read(connection, key) for key in keys]
        assert {None if row is None else row.status for row in rows} <= {"mined"}
        recount(path.engine, path.rpc)
        if keys:
            register_is_the_chains(path.engine, self.node_url)


def strike(site: Site, seed: int) -> str | None:
    """Kill one worker and count again; return what is wrong, None where nothing is."""
    random = Random(seed)  # noqa: S311 - a seed must be repeatable
    watching, began = os.pipe()
    worker = _forked(lambda: site.work(seed, began))
    # Most are struck at work, one of five while it starts and takes the keys over.
    if seed % 5:
        select.select([watching], [], [], _START_SECONDS)
    time.sleep(random.uniform(0, _LIFE_SECONDS))
    os.close(watching)
    os.close(began)
    ended, status = os.waitpid(worker, os.WNOHANG)
    if ended:
        return f"the worker ended by itself: {status}"
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    _, status = os.waitpid(_forked(site.count), 0)
    return None if status == 0 else f"the count differs: {status}"


def run_chunk(first: int, last: int, databases: Databases, kind: str) -> dict[str, Any]:
    """Strike once for each seed on one chain and one database; return what came of it."""
    began, url = time.monotonic(), databases.create(kind)
    with Anvil(block_seconds=None, keep_history=True) as node, tempfile.TemporaryDirectory() as folder:
        with RpcClient(node.url) as rpc:
            put_code(rpc)
        site = Site(url, node.url, Path(folder) / "acknowledged")
        failed = {seed: wrong for seed in range(first, last) if (wrong := strike(site, seed)) is not None}
        decisions = len(site.acknowledged.read_text().split()) if site.acknowledged.exists() else 0
    databases.remove(url)
    seconds = round(time.monotonic() - began)
    return {
        "seeds": f"{first}:{last}",
        "database": kind,
        "kills": last - first,
        "transactions": decisions,
        "seconds": seconds,
        "failed": failed,
    }


def done(results: Path) -> set[str]:
    """Return the chunks whose result is on record."""
    return {json.loads(line)["seeds"] for line in results.read_text().splitlines()} if results.exists() else set()


def chunks(first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """Yield chunks of seeds, each with its kind of database: in turn."""
    for start in range(first, last, CHUNK):
        yield start, min(start + CHUNK, last), _KINDS[start // CHUNK % len(_KINDS)]


def main() -> int:
    """Run the seeds that have no result yet; exit 1 where a count differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("seeds", help="first:last, the last one excluded")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are and go")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split(":"))
    failed = False
    # Node and server are stopped, whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder, closing(Databases(Path(folder))) as databases:
        for start, end, kind in chunks(first, last):
            if f"{start}:{end}" in done(arguments.results):
                continue
            result = run_chunk(start, end, databases, kind)
            failed |= bool(result["failed"])
            with arguments.results.open("a") as file:
                file.write(json.dumps(result) + "\n")
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()
    return int(failed)


def _forked(work: Callable[[], None]) -> int:
    """Run work in a process of its own; what it opened dies with it, and it shares no connection."""
    child = os.fork()
    if child:
        return child
    status = 1
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - the parent learns of it by the status
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
