# SPDX-License-Identifier: Apache-2.0
"""The pass over history finds what blooms and indices do not show, and until it is done no order is taken."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine
from typing_extensions import override

from stoken.chain.rpc import Json, NodeError, RpcClient
from stoken.db import reading, unit_of_work
from stoken.errors import LedgerUnavailableError
from stoken.ledger import breaks, queries
from stoken.ledger.comparison import heal
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import RootsStep, read_again
from stoken.ledger.verification import ROOTS, Verification
from stoken.mirror import Finality, MirrorStep, store
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.heartbeat import Heartbeat, health
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.mirror.roots import read_roots
from stoken.mirror.step import HEAD_BLOCKS
from stoken.network.anvil import Anvil
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.telemetry.metrics import Counts
from tests.emitter import mine
from tests.fault_proxy import Fault, FaultProxy, MissingLogs
from tests.integration.gateway.harness import Gateway
from tests.ledger_events import ISIN, NOBODY, SUITE, address, issue, transfer

_METHOD_NOT_FOUND = -32601
_TWICE = transfer(address(1), address(2), 10)
#: The block whose last two logs have one address and the same topics.
_AT = 3


class LastOfTheBlock(Fault):
    """Of one block, the last log is left out of a range."""

    @override
    def result(self, call: Json, result: Json) -> Json:
        of_block = [log for log in result if int(log["blockNumber"], 16) == _AT] if isinstance(result, list) else []
        return [log for log in result if log is not of_block[-1]] if of_block else result


class _ByTransaction(RpcClient):
    """A node that does not know receipts by block."""

    asked = 0

    @override
    def call(self, method: str, *params: object) -> Json:
        if method == "eth_getBlockReceipts":
            raise NodeError(_METHOD_NOT_FOUND, "the method does not exist")
        return super().call(method, *params)

    @override
    def batch(self, calls: object) -> list[Json]:
        listed = list(calls)  # type: ignore[call-overload]
        if any(method == "eth_getBlockReceipts" for method, _ in listed):
            raise NodeError(_METHOD_NOT_FOUND, "the method does not exist")
        self.asked += sum(method == "eth_getTransactionReceipt" for method, _ in listed)
        return super().batch(listed)


class Path:
    """A mirror, the pass over its history, and its sign of life."""

    def __init__(self, engine: Engine, rpc: RpcClient, depth: int = 0) -> None:
        self.engine, self.rpc = engine, rpc
        self.counts = Counts()
        self.mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)], Finality(depth=depth))
        self.roots = RootsStep(engine, ChainReader(rpc), time.time_ns, self.counts)

    def follow(self) -> None:
        self.mirror.run_to_head()
        Heartbeat(self.engine, time.time_ns).beat(0)

    def verified(self) -> int:
        with reading(self.engine) as connection:
            return read_roots(connection).number

    def number(self) -> int:
        with reading(self.engine) as connection:
            return store.read_checkpoint(connection).number

    def reason(self) -> str:
        with reading(self.engine) as connection:
            return health(connection, time.time_ns()).reason

    def cases(self) -> list[breaks.Break]:
        with reading(self.engine) as connection:
            return breaks.cases(connection, only_open=True)

    def balances(self) -> dict[bytes, int]:
        with reading(self.engine) as connection:
            return dict(queries.register(connection, ISIN).holdings)

    def heal(self, rpc: RpcClient) -> int:
        mended = read_again(self.engine, ChainReader(rpc))
        verification = Verification(SUITE, PinnedCalls(rpc))
        return heal(self.engine, SUITE, verification, "operator", time.time_ns(), mended=mended).closed


def _history(rpc: RpcClient, more: int = 20) -> None:
    """Mine an issue, a mint, two equal transfers in block `_AT`, and blocks that put it below the head."""
    mine(rpc, [issue()], [transfer(NOBODY, address(1), 100)], [_TWICE, _TWICE], *([[]] * more))


@pytest.fixture
def path(engine: Engine, rpc: RpcClient) -> Path:
    return Path(engine, rpc)


@pytest.fixture
def proxy(node: Anvil) -> Iterator[FaultProxy]:
    with FaultProxy(node.url) as between:
        yield between


class TestNodeThatDropsTheLastOfTwoEqualLogs:
    def test_f11_catch_up_commits_and_the_pass_finds_it_and_halts_everything(
        self, engine: Engine, rpc: RpcClient, proxy: FaultProxy
    ) -> None:
        _history(rpc)
        proxy.fail("eth_getLogs", LastOfTheBlock(), None)
        with RpcClient(proxy.url) as through:
            path = Path(engine, through)
            path.follow()
            assert path.balances() == {address(1): 90, address(2): 10}  # the chain says 80 and 20
            assert path.reason() == "unverified"
            for _ in range(2):
                path.roots.execute()
        with RpcClient("http://127.0.0.1:1", timeout=1) as nobody:
            assert Path(engine, nobody).roots.execute() == 0  # nothing more is asked while the case is open
        (case,) = path.cases()
        assert (case.block_number, case.table, case.mirror, case.chain) == (_AT, ROOTS, "1 logs", "2 logs")
        with reading(engine) as connection:
            assert breaks.halted_tokens(connection) == (b"",)
        assert (path.verified(), path.reason()) == (_AT - 1, "unverified")

    def test_f11_no_order_is_taken_before_the_roots_are_verified_and_healed(
        self, engine: Engine, rpc: RpcClient, proxy: FaultProxy, gateway: Gateway
    ) -> None:
        def look(path: Path) -> None:
            def told(_: Connection) -> LedgerHealth:
                with reading(engine) as connection:
                    found, halted = health(connection, time.time_ns()), breaks.halted_tokens(connection)
                return LedgerHealth(found.current, halted, found.head, found.reason)

            path.follow()
            gateway.run(BlockFeed(gateway.actor, gateway.services.market, health=told).step())

        _history(rpc)
        proxy.fail("eth_getLogs", LastOfTheBlock(), None)
        with RpcClient(proxy.url) as through:
            path = Path(engine, through)
            for due in (lambda: 0, path.roots.execute, lambda: path.heal(through)):
                due()
                look(path)
                refused = gateway.sell()
                assert (refused.status_code, refused.json()["code"]) == (503, "LEDGER_UNAVAILABLE")
            path.roots.execute()
            look(path)
            assert gateway.sell().status_code == 201

    def test_f11_only_an_operators_rebuild_heals_it_and_the_pass_goes_on(
        self, engine: Engine, rpc: RpcClient, proxy: FaultProxy
    ) -> None:
        _history(rpc)
        proxy.fail("eth_getLogs", LastOfTheBlock(), None)
        with RpcClient(proxy.url) as through:
            path = Path(engine, through)
            path.follow()
            path.roots.execute()
            assert path.heal(through) == 1
            assert path.balances() == {address(1): 80, address(2): 20}
            assert (path.cases(), path.reason()) == ([], "unverified")
            path.roots.execute()
        assert (path.verified(), path.reason(), path.cases()) == (path.number(), "", [])


class TestCleanHistory:
    def test_is_verified_and_opens_the_venue(self, path: Path, rpc: RpcClient) -> None:
        _history(rpc)
        path.follow()
        assert (path.verified(), path.reason()) == (-1, "unverified")
        assert path.roots.execute() == path.number() + 1
        assert (path.verified(), path.reason(), path.cases()) == (path.number(), "", [])
        assert path.roots.execute() == 0
        shown = {sample.name: sample.value for sample in path.counts.samples()}
        assert shown["stoken_mirror_verified_blocks_total"] == path.number() + 1
        with reading(path.engine) as connection:
            roots = read_roots(connection)
        assert (roots.blocks, roots.logs) == (path.number() + 1, 4)
        assert roots.per_second(roots.blocks) > 0

    def test_blocks_at_the_head_need_no_second_look(self, path: Path, rpc: RpcClient) -> None:
        mine(rpc, [issue()], [transfer(NOBODY, address(1), 100)])
        path.follow()
        assert (path.verified(), path.reason()) == (path.number(), "")
        assert path.roots.execute() == 0

    def test_blocks_at_the_head_do_not_hide_that_older_ones_are_unverified(self, path: Path, rpc: RpcClient) -> None:
        mine(rpc, [issue()])
        path.follow()
        mine(rpc, *([[]] * (HEAD_BLOCKS + 4)))
        path.follow()
        assert (path.verified(), path.reason()) == (1, "unverified")
        path.roots.execute()
        assert (path.verified(), path.reason()) == (path.number(), "")

    def test_a_node_without_receipts_by_block_is_asked_by_transaction(
        self, engine: Engine, rpc: RpcClient, node: Anvil
    ) -> None:
        _history(rpc)
        with _ByTransaction(node.url) as slow:
            Path(engine, rpc).follow()
            path = Path(engine, slow)
            path.roots.execute()
            assert (path.verified(), path.cases(), slow.asked) == (path.number(), [], 4)

    def test_a_restart_goes_on_where_it_stood(
        self, path: Path, rpc: RpcClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _history(rpc)
        path.follow()
        monkeypatch.setattr("stoken.ledger.roots._BLOCKS_MAX", 5)
        assert (path.roots.execute(), path.verified()) == (5, 4)
        again = Path(path.engine, rpc)
        assert (again.roots.execute(), again.verified()) == (5, 9)
        while again.roots.execute():
            pass
        assert again.verified() == again.number()

    def test_a_batch_holds_only_so_many_transactions_and_one_block_at_least(
        self, path: Path, rpc: RpcClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _history(rpc)
        path.follow()
        monkeypatch.setattr("stoken.ledger.roots._TRANSACTIONS_MAX", 1)
        seen = []
        while done := path.roots.execute():
            seen.append(done)
        assert seen == [2, 1, 1, path.number() - _AT]


class TestChangingChain:
    def test_a_reorg_takes_the_verified_height_back(self, engine: Engine, rpc: RpcClient) -> None:
        path = Path(engine, rpc, depth=30)
        _history(rpc, 10)
        fork = rpc.call("evm_snapshot")
        mine(rpc, *([[]] * 5))
        path.follow()
        path.roots.execute()
        assert path.verified() == path.number() == _AT + 15
        rpc.call("evm_revert", fork)
        mine(rpc, [transfer(address(1), address(3), 1)], *([[]] * 20))
        assert path.mirror.execute().unwound == 5
        assert path.verified() == path.number() == _AT + 10
        path.follow()
        path.roots.execute()
        assert (path.verified(), path.cases()) == (path.number(), [])

    def test_another_block_at_the_node_is_neither_a_case_nor_verified(self, engine: Engine, rpc: RpcClient) -> None:
        path = Path(engine, rpc, depth=30)
        fork = rpc.call("evm_snapshot")
        _history(rpc)
        path.follow()
        rpc.call("evm_revert", fork)
        mine(rpc, [issue()], *([[]] * 25))
        with pytest.raises(IncompleteBlockError, match="is another one at the node"):
            path.roots.execute()
        assert (path.verified(), path.cases()) == (-1, [])

    def test_logs_that_were_changed_in_the_database_are_found(self, path: Path, rpc: RpcClient) -> None:
        _history(rpc)
        path.follow()
        with unit_of_work(path.engine) as connection:
            (block,) = store.read_blocks(connection, _AT, _AT)
            first, second = block.logs
            store.replace_logs(connection, block._replace(logs=[first, second._replace(data=bytes(32))]))
        path.roots.execute()
        assert [case.block_number for case in path.cases()] == [_AT]


class TestNodesThatErr:
    def test_receipts_that_do_not_give_the_root_verify_nothing(
        self, engine: Engine, rpc: RpcClient, proxy: FaultProxy
    ) -> None:
        _history(rpc)
        Path(engine, rpc).follow()
        proxy.fail("eth_getBlockReceipts", MissingLogs())
        with RpcClient(proxy.url) as through:
            path = Path(engine, through)
            with pytest.raises(IncompleteBlockError, match="do not give its root"):
                path.roots.execute()
            assert (path.verified(), path.cases()) == (-1, [])
            path.roots.execute()
        assert path.verified() == path.number()

    def test_an_unreachable_node_verifies_nothing(self, path: Path, rpc: RpcClient) -> None:
        _history(rpc)
        path.follow()
        with RpcClient("http://127.0.0.1:1", timeout=1) as nobody, pytest.raises(LedgerUnavailableError):
            Path(path.engine, nobody).roots.execute()
        assert path.verified() == -1
