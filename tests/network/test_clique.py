# SPDX-License-Identifier: Apache-2.0
"""Four signers that gossip: parted, killed one by one, and back; nothing fails falsely, everything pending is mined."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stoken.chain import validators
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading
from stoken.errors import LedgerUnavailableError
from stoken.ledger.roots import RootsStep
from stoken.mirror import Finality
from stoken.mirror.heartbeat import Heartbeat, Limits, health
from stoken.mirror.reader import ChainReader
from stoken.mirror.store import read_checkpoint
from stoken.monitoring.monitor import Monitor, Standing
from stoken.network import local
from stoken.network.geth import Geth
from tests.database import Databases
from tests.emitting import CODE, EmittingPath
from tests.recount import recount, register_is_the_chains
from tests.requirements import requirement

#: Two sides that were parted need up to 24 s to agree again.
_SETTLING_SECONDS = 60
#: Signers that come back have blocks within about as long as they were seen to need.
_RECOVERY_SECONDS = 90
#: Two of four signers make two blocks at most without the others, in about so long.
_ALONE_SECONDS = 8
_DEPTH = 6
_NS = 1_000_000_000
#: Signers make a block a second; without one for so long their chain has stopped.
_LIMITS = Limits(idle_ns=10 * _NS)


class Market:
    """What a worker does with a node that may go: mirror, heartbeat, sending, confirming; errors wait a round."""

    def __init__(self, engine: Engine, node: Geth) -> None:
        self.node, self.engine = node, engine
        self.rpc = RpcClient(node.url, timeout=5)
        self.path = EmittingPath(engine, self.rpc, Finality(depth=_DEPTH))
        self.roots = RootsStep(engine, ChainReader(self.rpc), time.time_ns)
        self.heartbeat = Heartbeat(engine, time.time_ns)
        self.unwound = 0

    def round(self) -> None:
        try:
            progress = self.path.mirror.execute()
            self.unwound = max(self.unwound, progress.unwound)
            self.roots.execute()
            self.heartbeat.beat(progress.head - progress.number, progress.blocks)
            self.path.now = time.monotonic()
            self.path.broadcast.execute()
            self.path.confirm.execute()
        except LedgerUnavailableError:
            time.sleep(0.2)

    def until(self, done: Callable[[], bool], seconds: float) -> float:
        """Run rounds until it is done and return how long that took."""
        began = time.monotonic()
        while not done():
            assert time.monotonic() - began < seconds
            self.round()
            time.sleep(0.05)
        return time.monotonic() - began

    def statuses(self, *keys: str) -> set[str]:
        return {self.path.row(key).status for key in keys}

    def height(self) -> int:
        return int(self.rpc.call("eth_blockNumber"), 16)

    def followed(self, number: int) -> bool:
        with reading(self.engine) as connection:
            return read_checkpoint(connection).number >= number

    def recount(self) -> None:
        """Let everything become final, then count again."""
        final = self.height() + _DEPTH
        self.until(lambda: self.height() >= final, _SETTLING_SECONDS)
        self.path.follow_as_the_worker()
        recount(self.engine, self.rpc)
        register_is_the_chains(self.engine, self.node.url)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Geth]]:
    made = local.clique(tmp_path_factory.mktemp("clique"), 4, code=CODE)
    with local.running(made):
        yield made


@pytest.fixture
def market(databases: Databases, nodes: list[Geth]) -> Iterator[Market]:
    url = databases.create("postgresql")
    engine = open_engine(url)
    made = Market(engine, nodes[3])
    made.path.create_issue()
    made.until(lambda: made.statuses("issue") == {"mined"}, _SETTLING_SECONDS)
    yield made
    made.rpc.close()
    engine.dispose()
    databases.remove(url)


def _hashes(nodes: list[Geth], number: int) -> set[str | None]:
    found: set[str | None] = set()
    for node in nodes:
        with RpcClient(node.url) as rpc:
            block = rpc.call("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003 - JSON-RPC has no names
        found.add(None if block is None else block["hash"])
    return found


def _wait_for_turn(market: Market) -> int:
    """Return a height just reached, behind which signers 0 and 2 make two blocks and in turn, 1 and 3 a lighter one."""
    height = market.height()
    while (after := market.height()) == height or after % 4 != 3:
        height = after if after % 4 == 3 else height
        time.sleep(0.02)
    return after


def _part(market: Market, winners: list[Geth], losers: list[Geth]) -> int:
    """Part the signers until both sides went as far as they can, the winners' chain the heavier; return a height at
    which they differ.
    """
    for _ in range(5):
        at = _wait_for_turn(market) + 1
        local.part(winners, losers)
        _run_for(market, _ALONE_SECONDS)
        hashes = _hashes([*winners, *losers], at)
        if None not in hashes and len(hashes) > 1 and _difficulty(winners[0]) > _difficulty(losers[0]):
            market.unwound = 0
            return at
        local.heal(winners, losers)
        _run_for(market, 30)
    raise AssertionError("the two sides never went apart as wanted")


def _difficulty(node: Geth) -> int:
    with RpcClient(node.url) as rpc:
        return int(rpc.call("eth_getBlockByNumber", "latest", False)["totalDifficulty"], 16)  # noqa: FBT003


class TestPartition:
    def test_a_natural_reorg_is_undone_and_nothing_is_lost(self, market: Market, nodes: list[Geth]) -> None:
        winners, losers = nodes[0::2], nodes[1::2]
        at = _part(market, winners, losers)
        market.path.mint("beside", 1, 5)
        market.until(lambda: market.statuses("beside") == {"broadcast"} and market.followed(at), 20)
        local.heal(winners, losers)
        market.until(lambda: market.unwound > 0, _SETTLING_SECONDS)
        market.until(lambda: market.statuses("beside") == {"mined"}, _SETTLING_SECONDS)
        market.recount()
        assert len(_hashes(nodes, at)) == 1


class TestDeadSigners:
    @requirement("OPS-03")
    def test_with_one_gone_the_chain_goes_on(self, market: Market, nodes: list[Geth]) -> None:
        nodes[0].kill()
        try:
            before = market.height()
            keys = [f"mint {at}" for at in range(4)]
            for at, key in enumerate(keys):
                market.path.mint(key, at, 1)
            market.until(lambda: market.statuses(*keys) == {"mined"}, _RECOVERY_SECONDS)
            market.until(lambda: market.height() >= before + 10, _RECOVERY_SECONDS)
            assert _current(market)
            assert _validators(market) == (3, 4)
            assert _standing(market).ready
        finally:
            nodes[0].start()
        market.recount()

    @requirement("OPS-03")
    def test_with_two_gone_it_halts_without_false_failures_and_mines_all_once_they_are_back(
        self, market: Market, nodes: list[Geth], record_property: Callable[[str, object], None]
    ) -> None:
        for node in nodes[:2]:
            node.kill()
        halted = _wait_for_halt(market)
        keys = [f"mint {at}" for at in range(5)]
        for at, key in enumerate(keys):
            market.path.mint(key, at, 1)
        _run_for(market, 12)
        assert not _current(market)
        assert _validators(market) == (2, 4)
        standing = _standing(market)
        assert (standing.validators_alive, standing.validators_total) == (2, 4)
        assert standing.alarms == ("idle", "too_few_validators")
        assert market.height() == halted
        assert market.statuses(*keys) == {"broadcast"}
        for node in nodes[:2]:
            node.start()
        seconds = market.until(lambda: market.statuses(*keys) == {"mined"}, _RECOVERY_SECONDS)
        record_property("recovery_seconds", round(seconds, 1))
        Path("build").mkdir(exist_ok=True)
        Path("build/clique-recovery.txt").write_text(f"{seconds:.1f} s from two signers' return to the last receipt\n")
        market.recount()
        assert _validators(market) == (4, 4)
        assert _standing(market).ready

    def test_a_node_that_is_gone_makes_the_ledger_stale(self, market: Market, nodes: list[Geth]) -> None:
        market.round()
        assert _current(market)
        nodes[3].kill()
        try:
            _run_for(market, 11)
            assert not _current(market)
        finally:
            nodes[3].start()
        market.until(lambda: _current(market), _SETTLING_SECONDS)


class TestHaltedChain:
    def test_orders_are_refused_while_our_transaction_waits(self, market: Market, nodes: list[Geth]) -> None:
        for node in nodes[:2]:
            node.kill()
        try:
            _wait_for_halt(market)
            market.path.mint("waits", 1, 1)
            _run_for(market, 15)
            current = _current(market)
        finally:
            for node in nodes[:2]:
                node.start()
            market.until(lambda: market.statuses("waits") == {"mined"}, _RECOVERY_SECONDS)
        assert not current


def _current(market: Market) -> bool:
    with reading(market.engine) as connection:
        return health(connection, time.time_ns(), _LIMITS).current


def _validators(market: Market) -> validators.Validators | None:
    return validators.ask(market.rpc, int(time.time()), 10)


def _standing(market: Market) -> Standing:
    return Monitor(market.engine, market.path.broadcast, _LIMITS, lambda: _validators(market)).standing()


def _wait_for_halt(market: Market) -> int:
    """Return the height at which no block came for five seconds."""
    height, since = market.height(), time.monotonic()
    while time.monotonic() - since < 5:
        market.round()
        if market.height() != height:
            height, since = market.height(), time.monotonic()
        time.sleep(0.1)
    return height


def _run_for(market: Market, seconds: float) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        market.round()
        time.sleep(0.1)
