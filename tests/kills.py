# SPDX-License-Identifier: Apache-2.0
"""Kills `stoken work` by `kill -9` at random points and counts again after each: `python -m tests.kills 0:1000`.

The whole suite is deployed on a real node; requests come as the gateway stores them. Seeds run in chunks of a fresh
chain and database; a chunk whose result stands in the results file is passed over.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from stoken import bootstrap
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, unit_of_work
from stoken.issuance.queries import RequestStatus, outcome
from stoken.ledger import queries
from stoken.mirror import store
from stoken.network.anvil import Anvil
from stoken.parties import inbox
from stoken.parties.requests import Body
from stoken.settings import DatabaseSettings, RpcSettings, Settings, SignerSettings
from stoken.transactions.signer import create_keystore
from tests.checkout import commit
from tests.consortium import BROKER_1, BROKER_2, CASH, SELLER, SENDER, Desk, charter
from tests.database import Databases
from tests.e2e.bare_node import BareNode
from tests.recount import recount
from tests.spawner import Spawner

RESULTS: Final = Path(__file__).with_suffix(".jsonl")
CHUNK: Final = 25
ISIN: Final = b"ZZ0000000016"
_TENANT: Final = "ZZZZ0000000000000113"
_PASSWORD: Final = "kills"
_KINDS: Final = ("postgresql", "sqlite")
_BLOCK_SECONDS: Final = 0.2
_DEPTH: Final = 2
#: A worker is struck within so many blocks, from a request to its final one and beyond, and some time more.
_LIFE_BLOCKS: Final = 5
_BLOCK_SECONDS_MAX: Final = 0.3
#: Or while it starts.
_START_SECONDS: Final = 2.5
_PATIENCE_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.02
_ENDS: Final = {RequestStatus.DONE, RequestStatus.FAILED}


class Site:
    """A chain with the suite, a database, and the worker between them."""

    def __init__(self, database_url: str, node_url: str, folder: Path) -> None:
        self.url, self.node = node_url, BareNode(node_url)
        self.log = folder / "work.log"
        create_keystore(folder / "sender.json", SENDER, _PASSWORD, work_factor=2)
        settings = Settings(
            rpc=RpcSettings(url=node_url, finality_depth=_DEPTH),
            database=DatabaseSettings(url=database_url, market_url=database_url),
            signer=SignerSettings(keystore_file=folder / "sender.json", password=_PASSWORD),
            suite_file=folder / "suite.json",
        )
        self.suite = bootstrap.deploy(settings, charter())
        self.desk = Desk(self.suite.contracts, self.suite.chain_id)
        self.engine, self.rpc = open_engine(database_url), RpcClient(node_url)
        # From here on a block is mined when the worker has followed the last one, however slow the machine is.
        self.rpc.call("evm_setIntervalMining", 0)
        self.environment = _environment(settings, database_url)
        self.spawner = Spawner(self.log)
        self.worker: int | None = None
        #: What was accepted: whether a contract will carry it out.
        self.accepted: dict[str, bool] = {}
        self.credited = self.minted = 0

    def close(self) -> None:
        """End the worker and close what was opened."""
        self.spawner.close()
        self.rpc.close()
        self.engine.dispose()

    def found(self) -> None:
        """Create an issue and its holder, and open a cash account: by the worker, as everything."""
        self.send(self.desk.issue(ISIN), good=True)
        self.send(self.desk.onboard(SELLER), good=True)
        self.send(self.desk.open_cash(BROKER_2), good=True)
        self.start()
        self.wait()
        with reading(self.engine) as connection:
            self.token = queries.register(connection, ISIN.decode()).token
        self.send(self.desk.register(self.token, 10**9), good=True)
        self.wait()

    def start(self) -> None:
        self.worker = self.spawner.start(self.environment)

    def kill(self) -> int:
        """Kill the worker and return the status it ended with."""
        assert self.worker is not None
        pid, self.worker = self.worker, None
        return self.spawner.kill(pid)

    def send(self, body: Body, *, good: bool) -> None:
        """Store a request as the gateway does; from then on it is accepted."""
        name = f"r{len(self.accepted)}"
        with unit_of_work(self.engine) as connection:
            inbox.receive(connection, _TENANT, name, body, time.time_ns())
        self.accepted[name] = good

    def trouble(self, random: Random) -> None:
        """Send some requests of each kind: what credits, what mints, and what a contract refuses."""
        for _ in range(random.randint(1, 6)):
            kind, amount = random.random(), random.randint(1, 1_000)
            if kind < 0.6:
                self.send(self.desk.credit(BROKER_2, amount), good=True)
                self.credited += amount
            elif kind < 0.8:
                self.send(self.desk.mint(self.token, SELLER, amount), good=True)
                self.minted += amount
            else:
                self.send(self.desk.credit(BROKER_1, amount), good=False)

    def mine(self) -> bool:
        """Mine a block if the worker has followed the last one; tell whether it had."""
        head = int(self.rpc.call("eth_blockNumber"), 16)
        with reading(self.engine) as connection:
            followed = store.read_checkpoint(connection).number >= head
        if followed:
            self.rpc.call("evm_mine")
        return followed

    def run(self, blocks: int) -> None:
        """Let the worker follow so many blocks."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while blocks:
            assert time.monotonic() < deadline, "the worker stands still"
            blocks -= self.mine()
            time.sleep(_POLL_SECONDS)

    def wait(self) -> None:
        """Let the worker go on until each accepted request has an end."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        open_ones = list(self.accepted)[-20:]
        while open_ones:
            assert time.monotonic() < deadline, f"I1: {open_ones} have no end"
            with reading(self.engine) as connection:
                open_ones = [name for name in open_ones if outcome(connection, _TENANT, name).status not in _ENDS]
            self.mine()
            time.sleep(_POLL_SECONDS)

    def count(self) -> None:
        """Count again: mirror, outbox and nonces against the node, then who holds what, and that each acted once."""
        recount(self.engine, self.rpc)
        with reading(self.engine) as connection:
            register = queries.register(connection, ISIN.decode())
            for name, good in self.accepted.items():
                status = outcome(connection, _TENANT, name).status
                assert status is (RequestStatus.DONE if good else RequestStatus.FAILED), f"I1: {name} is {status}"
        final = register.block.number
        held = {f"0x{holder.hex()}": units for holder, units in register.holdings}
        assert held == self.node.balances(f"0x{self.token.hex()}", final), "I2, I4: units"
        assert held == ({f"0x{SELLER.account.hex()}": self.minted} if self.minted else {}), "I1: units"
        cash = self.node.balances(f"0x{self.suite['deposit'].hex()}", final)
        assert cash == ({f"0x{CASH[BROKER_2].hex()}": self.credited} if self.credited else {}), "I1: cash"


def strike(site: Site, seed: int) -> str | None:
    """Kill one worker amid its work, let another end it, and count; return what is wrong, None where nothing is."""
    random = Random(seed)  # noqa: S311 - a seed must be repeatable
    try:
        if seed % 5:
            site.trouble(random)
            site.run(random.randrange(_LIFE_BLOCKS))
            time.sleep(random.uniform(0, _BLOCK_SECONDS_MAX))
            ended = site.kill()
        else:
            site.kill()
            site.trouble(random)
            ended = _killed_at_start(site, random.uniform(0, _START_SECONDS))
        assert ended == signal.SIGKILL, f"the worker ended by itself: {ended}"
        site.start()
        site.wait()
        site.count()
    except AssertionError as error:
        tail = site.log.read_text().splitlines()[-5:] if site.log.exists() else []
        return " | ".join([str(error), *tail])
    return None


def run_chunk(first: int, last: int, databases: Databases, kind: str) -> dict[str, Any]:
    """Strike once for each seed on one chain and one database; return what came of it."""
    began, url = time.monotonic(), databases.create(kind)
    node = Anvil(block_seconds=_BLOCK_SECONDS, keep_history=True)
    with node, tempfile.TemporaryDirectory() as folder, closing(Site(url, node.url, Path(folder))) as site:
        site.found()
        ready = time.monotonic()
        failed = {seed: wrong for seed in range(first, last) if (wrong := strike(site, seed)) is not None}
        decisions = len(site.accepted)
    databases.remove(url)
    now = time.monotonic()
    return {
        "seeds": f"{first}:{last}",
        "code": commit(),
        "database": kind,
        "kills": last - first,
        "transactions": decisions,
        "seconds": round(now - began),
        "seconds_a_kill": round((now - ready) / (last - first), 2),
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


def _killed_at_start(site: Site, seconds: float) -> int:
    """Start a worker from nothing, kill it so long after, and return the status it ended with."""
    with site.log.open("ab") as log:
        command = [sys.executable, "-m", "stoken.cli", "work"]
        worker = subprocess.Popen(command, env=dict(site.environment), stdout=log, stderr=log)
    time.sleep(seconds)
    worker.kill()
    return -worker.wait()


def _environment(settings: Settings, url: str) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
    return inherited | {
        "STOKEN_RPC__URL": settings.rpc.url,
        "STOKEN_RPC__FINALITY_DEPTH": str(_DEPTH),
        "STOKEN_DATABASE__URL": url,
        "STOKEN_DATABASE__MARKET_URL": url,
        "STOKEN_SIGNER__KEYSTORE_FILE": str(settings.signer.keystore_file),
        "STOKEN_SIGNER__PASSWORD": _PASSWORD,
        "STOKEN_SUITE_FILE": str(settings.suite_file),
    }


if __name__ == "__main__":
    sys.exit(main())
