# SPDX-License-Identifier: Apache-2.0
"""Reorgs on real nodes, of any depth: what they took back is taken back, and mined again by the same bytes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.chain.transactions import sign_legacy
from stoken.db import open_engine, reading
from stoken.ledger.digest import digest
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep, store
from stoken.mirror.step import ReorgTooDeepError
from stoken.network import local
from stoken.network.driver import Driver
from stoken.network.geth import CHAIN_ID, Geth
from tests.database import Databases
from tests.emitting import CODE, GUARD, EmittingPath
from tests.ledger_events import SUITE
from tests.recount import recount, register_is_the_chains

#: Blocks that may change; at 64 geth gives dropped transactions back to its pool, beyond it does not.
WINDOW = 64
_STRANGER = b"\x99" * 32


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Geth]]:
    made = local.driven(tmp_path_factory.mktemp("driven"), 2, code=CODE)
    with local.running(made):
        yield made


@pytest.fixture(scope="module")
def driver(nodes: list[Geth]) -> Iterator[Driver]:
    with local.drive(nodes) as made:
        made.mine(WINDOW + 2)
        yield made


@pytest.fixture
def rpc(nodes: list[Geth]) -> Iterator[RpcClient]:
    with RpcClient(nodes[0].url) as client:
        yield client


@pytest.fixture
def path(engine: Engine, rpc: RpcClient, driver: Driver) -> EmittingPath:
    """A sender whose issue is mined; blocks are final 64 below the head."""
    made = EmittingPath(engine, rpc, Finality(depth=WINDOW))
    made.create_issue()
    made.broadcast.execute()
    driver.mine()
    made.follow_as_the_worker()
    return made


def _mint_in_each_block(path: EmittingPath, driver: Driver, blocks: int) -> None:
    """Mine that many blocks, transactions in the first, the second and the last."""
    for at in range(blocks):
        if at in {0, 1, blocks - 1}:
            path.mint(f"mint {at}", at % 5, 10 + at)
            path.broadcast.execute()
        driver.mine()
        path.follow_as_the_worker()


def _recount_when_final(path: EmittingPath, driver: Driver) -> None:
    recount(path.engine, path.rpc)
    driver.mine(WINDOW)
    path.follow_as_the_worker()
    recount(path.engine, path.rpc)
    register_is_the_chains(path.engine, path.rpc.url)


def _minted(path: EmittingPath, blocks: int) -> list[tuple[str, int | None]]:
    rows = [path.row(f"mint {at}") for at in sorted({0, min(1, blocks - 1), blocks - 1})]
    return [(row.status, row.block_number) for row in rows]


def _digest(engine: Engine) -> str:
    with reading(engine) as connection:
        return digest(connection)


def _fresh_digest(databases: Databases, kind: str, rpc: RpcClient) -> str:
    url = databases.create(kind)
    engine = open_engine(url)
    MirrorStep(engine, rpc, [LedgerProjection(SUITE)], Finality(depth=WINDOW)).run_to_head()
    found = _digest(engine)
    engine.dispose()
    databases.remove(url)
    return found


@pytest.mark.parametrize("depth", [1, 2, 10, WINDOW])
class TestReorgWithinTheWindow:
    def test_dropped_transactions_go_back_to_pending_and_the_same_bytes_are_mined(
        self, path: EmittingPath, driver: Driver, databases: Databases, database_kind: str, depth: int
    ) -> None:
        _mint_in_each_block(path, driver, depth)
        sent = path.raw("mint 0")
        assert all(status == "mined" for status, _ in _minted(path, depth))
        driver.reorg(depth)
        path.follow_as_the_worker()
        assert set(_minted(path, depth)) == {("broadcast", None)}
        recount(path.engine, path.rpc)
        path.resend()
        driver.mine()
        path.follow_as_the_worker()
        assert {status for status, _ in _minted(path, depth)} == {"mined"}
        assert path.raw("mint 0") == sent
        _recount_when_final(path, driver)
        assert _digest(path.engine) == _fresh_digest(databases, database_kind, path.rpc)

    def test_moved_transactions_are_confirmed_where_they_are_now(
        self, path: EmittingPath, driver: Driver, depth: int
    ) -> None:
        _mint_in_each_block(path, driver, depth)
        head = int(path.rpc.call("eth_blockNumber"), 16)
        contents = [driver.transactions(head - depth + 1 + at) for at in range(depth)]
        driver.reorg(depth, [[], *contents], length=depth + 1)
        path.follow_as_the_worker()
        first = head - depth + 2
        moved = [first + at for at in sorted({0, min(1, depth - 1), depth - 1})]
        assert _minted(path, depth) == [("mined", number) for number in moved]
        _recount_when_final(path, driver)


class TestReorgThatFailsATransaction:
    def test_it_is_recorded_as_failed(self, path: EmittingPath, driver: Driver) -> None:
        self._fail(path, driver)
        path.follow_as_the_worker()
        assert path.row("guarded").status == "failed"
        recount(path.engine, path.rpc)

    def test_it_is_recorded_as_failed_after_a_stop_between_unwinding_and_confirming(
        self, path: EmittingPath, driver: Driver
    ) -> None:
        self._fail(path, driver, at=0)
        receipt = path.rpc.call("eth_getTransactionReceipt", f"0x{path.row('guarded').hash.hex()}")
        assert receipt["status"] == "0x0"
        path.follow()
        path.confirm.execute()
        assert path.row("guarded").status == "failed"

    @staticmethod
    def _fail(path: EmittingPath, driver: Driver, at: int = 1) -> None:
        """Let a stranger's transaction come first on the other branch, so that ours reverts there."""
        stranger = _nonce_of_stranger(path.rpc)
        path.enqueue("guarded", to=GUARD)
        path.broadcast.execute()
        driver.mine()
        path.follow_as_the_worker()
        assert path.row("guarded").status == "mined"
        raw, _ = sign_legacy(_STRANGER, stranger, 100_000, GUARD, path.sender.rjust(32, b"\0"), CHAIN_ID)
        driver.reorg(1, [[raw], [path.raw("guarded")]] if at else [[raw, path.raw("guarded")]], length=2)


class TestReorgBelowFinality:
    def test_it_halts_and_changes_nothing(self, path: EmittingPath, driver: Driver) -> None:
        _mint_in_each_block(path, driver, WINDOW + 1)
        before, rows = _digest(path.engine), _minted(path, WINDOW + 1)
        driver.reorg(WINDOW + 1)
        for _ in range(2):
            with pytest.raises(ReorgTooDeepError, match="is final"):
                path.mirror.execute()
            path.confirm.execute()
        assert (_digest(path.engine), _minted(path, WINDOW + 1)) == (before, rows)

    def test_finality_is_what_the_nodes_tag_says(self, engine: Engine, rpc: RpcClient, driver: Driver) -> None:
        mirror = MirrorStep(engine, rpc, finality=Finality(tag="finalized"))
        head = int(rpc.call("eth_blockNumber"), 16)
        driver.mark(safe=head - 1, finalized=head - 3)
        mirror.run_to_head()
        driver.reorg(3)
        mirror.run_to_head()
        with reading(engine) as connection:
            at = store.read_checkpoint(connection)
        assert (at.number, at.final_number) == (head, head - 3)
        driver.reorg(4)
        with pytest.raises(ReorgTooDeepError):
            mirror.run_to_head()


def _nonce_of_stranger(rpc: RpcClient) -> int:
    return int(rpc.call("eth_getTransactionCount", f"0x{address_of(_STRANGER).hex()}", "latest"), 16)
