# SPDX-License-Identifier: Apache-2.0
"""The mirror follows a real node: at the head, through reorgs, after a kill; it never commits half a block."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import Engine, func, select

from stoken.chain.rpc import Json, RpcClient
from stoken.db import open_engine, reading
from stoken.errors import LedgerUnavailableError, StartupError
from stoken.ledger import queries
from stoken.ledger.digest import digest
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep, store, tables
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.reader import ChainReader
from stoken.mirror.step import HEAD_BLOCKS, ReorgTooDeepError
from stoken.network.anvil import Anvil
from tests.database import Databases
from tests.emitter import emit, mine
from tests.integration.ledger.histories import random_history
from tests.ledger_events import ISIN, NOBODY, SUITE, address, issue, transfer


def _mirror(engine: Engine, rpc: RpcClient, depth: int = 0) -> MirrorStep:
    return MirrorStep(engine, rpc, [LedgerProjection(SUITE)], Finality(depth=depth))


def _digest(engine: Engine) -> str:
    with reading(engine) as connection:
        return digest(connection)


def _balances(engine: Engine, rpc: RpcClient) -> dict[bytes, int]:
    with reading(engine) as connection:
        assert store.read_checkpoint(connection).number == int(rpc.call("eth_blockNumber"), 16)
        return dict(queries.register(connection, ISIN).holdings)


def _fresh_digest(databases: Databases, kind: str, rpc: RpcClient, depth: int) -> str:
    url = databases.create(kind)
    engine = open_engine(url)
    _mirror(engine, rpc, depth).run_to_head()
    found = _digest(engine)
    engine.dispose()
    databases.remove(url)
    return found


class _Lossy(RpcClient):
    """A node that leaves the last item out of its answers to one method."""

    lossy_method = ""

    def call(self, method: str, *params: object) -> Json:
        answer = super().call(method, *params)
        return answer[:-1] if method == self.lossy_method else answer


class TestFollowing:
    def test_one_block_a_commit_at_the_head(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, [issue(), transfer(NOBODY, address(1), 100)], [], [transfer(address(1), address(2), 30)])
        mirror = _mirror(engine, rpc)
        seen = [mirror.execute() for _ in range(4)]
        assert [(step.blocks, step.logs) for step in seen] == [(1, 0), (1, 2), (1, 0), (1, 1)]
        assert [step.caught_up for step in seen] == [False, False, False, True]
        assert mirror.execute().blocks == 0
        assert _balances(engine, rpc) == {address(1): 70, address(2): 30}

    def test_keeps_the_hash_of_every_transaction(self, engine: Engine, rpc: RpcClient) -> None:
        (sent,) = emit(rpc, [issue()])
        rpc.call("evm_mine")
        _mirror(engine, rpc).run_to_head()
        with reading(engine) as connection:
            row = connection.execute(select(tables.transactions)).one()
        assert "0x" + row.hash.hex() == sent

    @pytest.mark.parametrize("transactions", [1, 2, 16, 17, 127, 128, 129])
    def test_receipts_hash_to_the_nodes_root_for_any_number_of_transactions(
        self, rpc: RpcClient, transactions: int
    ) -> None:
        mine(rpc, [transfer(address(1), address(2), index) for index in range(transactions)])
        block = ChainReader(rpc).verified_block(1)
        assert [block] == ChainReader(rpc).blocks(1, 1)
        assert len(block.logs) == transactions

    def test_catching_up_in_ranges_equals_block_by_block(
        self, databases: Databases, database_kind: str, engine: Engine, rpc: RpcClient
    ) -> None:
        mirror = _mirror(engine, rpc, depth=2)
        for events in random_history(5, 40):
            mine(rpc, events)
            mirror.run_to_head()
        assert _digest(engine) == _fresh_digest(databases, database_kind, rpc, depth=2)


class TestReorgs:
    @pytest.mark.parametrize("depth", [1, 5, 64])
    def test_replaced_blocks_are_unwound_to_the_fork(
        self, databases: Databases, database_kind: str, engine: Engine, rpc: RpcClient, depth: int
    ) -> None:
        mirror = _mirror(engine, rpc, depth=depth + 3)
        history = random_history(3, depth + 15)
        mine(rpc, *history[:15])
        fork = rpc.call("evm_snapshot")
        mine(rpc, *history[15:])
        mirror.run_to_head()
        rpc.call("evm_revert", fork)
        assert mirror.execute().unwound == 0  # a node that answers an older head may just lag
        mine(rpc, [transfer(address(0), address(5), 1)], *random_history(4, depth)[1:], [])
        assert mirror.execute().unwound == depth
        mirror.run_to_head()
        assert _digest(engine) == _fresh_digest(databases, database_kind, rpc, depth=depth + 3)

    def test_what_was_read_ahead_on_a_branch_that_is_gone_is_read_again(
        self, engine: Engine, rpc: RpcClient, databases: Databases, database_kind: str
    ) -> None:
        mirror = _mirror(engine, rpc, depth=35)
        history = random_history(3, 40)
        mine(rpc, *history[:10])
        fork = rpc.call("evm_snapshot")
        mine(rpc, *history[10:])
        mirror.execute()  # the next range is read meanwhile, on the branch that goes
        assert mirror._ahead.size(HEAD_BLOCKS) > 10  # noqa: SLF001 - else this shows nothing
        mirror._ahead._pending.result()  # type: ignore[union-attr]  # noqa: SLF001
        rpc.call("evm_revert", fork)
        mine(rpc, *random_history(4, 40)[1:])
        mirror.run_to_head()
        assert _digest(engine) == _fresh_digest(databases, database_kind, rpc, depth=35)

    def test_a_reorg_that_drops_transactions_takes_them_back(self, engine: Engine, rpc: RpcClient) -> None:
        mirror = _mirror(engine, rpc, depth=4)
        mine(rpc, [issue(), transfer(NOBODY, address(1), 100)], [transfer(address(1), address(2), 30)])
        mirror.run_to_head()
        rpc.call("anvil_reorg", 1, [])
        mine(rpc, [], [], [], [])
        mirror.run_to_head()
        assert _balances(engine, rpc) == {address(1): 100}

    def test_one_below_finality_halts_and_changes_nothing(self, engine: Engine, rpc: RpcClient) -> None:
        mirror = _mirror(engine, rpc, depth=2)
        mine(rpc, [issue()])
        fork = rpc.call("evm_snapshot")
        mine(rpc, *([transfer(NOBODY, address(1), 100)] for _ in range(5)))
        mirror.run_to_head()
        before = _digest(engine)
        rpc.call("evm_revert", fork)
        mine(rpc, *([transfer(NOBODY, address(2), 100)] for _ in range(6)))
        for _ in range(2):
            with pytest.raises(ReorgTooDeepError, match="is final"):
                mirror.execute()
        assert _digest(engine) == before


class TestNodesThatErr:
    @pytest.mark.parametrize(("method", "behind"), [("eth_getLogs", 20), ("eth_getBlockReceipts", 1)])
    def test_a_missing_log_is_never_committed(
        self, engine: Engine, rpc: RpcClient, node: Anvil, method: str, behind: int
    ) -> None:
        mine(rpc, [issue(), transfer(NOBODY, address(1), 100)], *([[]] * (behind - 1)))
        with _Lossy(node.url) as lossy:
            lossy.lossy_method = method
            mirror = _mirror(engine, lossy)
            with pytest.raises(IncompleteBlockError):
                mirror.run_to_head()
        with reading(engine) as connection:
            assert store.read_checkpoint(connection).number < 1
        assert _mirror(engine, rpc).run_to_head().number == behind
        assert _balances(engine, rpc) == {address(1): 100}

    def test_a_node_of_another_chain_is_refused(self, engine: Engine, rpc: RpcClient) -> None:
        _mirror(engine, rpc).execute()
        with Anvil(block_seconds=None, chain_id=5) as other, RpcClient(other.url) as stranger:
            mirror = _mirror(engine, stranger)
            with pytest.raises(StartupError, match="chain 20260, the node to chain 5"):
                mirror.execute()

    def test_an_unreachable_node_is_retryable(self, engine: Engine) -> None:
        with RpcClient("http://127.0.0.1:1", timeout=1) as nobody, pytest.raises(LedgerUnavailableError) as caught:
            _mirror(engine, nobody).execute()
        assert caught.value.retryable


_PROGRAM = """
import sys
from stoken.chain.rpc import Json, RpcClient
from stoken.db import open_engine
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MirrorStep
from tests.ledger_events import SUITE
MirrorStep(open_engine(sys.argv[1]), RpcClient(sys.argv[2]), [LedgerProjection(SUITE)]).run_to_head()
"""


class TestKilling:
    @pytest.mark.parametrize("passes", [1, 3])
    def test_in_the_middle_of_a_commit_leaves_nothing_of_the_block(
        self, database_url: str, rpc: RpcClient, node: Anvil, passes: int
    ) -> None:
        mine(rpc, [issue()], [transfer(NOBODY, address(1), 100)], [transfer(address(1), address(2), 30)])
        killed = subprocess.run(
            [sys.executable, "-c", _PROGRAM, database_url, node.url],
            env={**os.environ, "STOKEN_FAILPOINT": f"mirror.block:{passes}"},
            check=False,
        )
        assert killed.returncode == -9
        engine = open_engine(database_url)
        with reading(engine) as connection:
            assert store.read_checkpoint(connection).number == passes - 2
            assert connection.execute(select(func.count()).select_from(tables.blocks)).scalar_one() == passes - 1
        _mirror(engine, rpc).run_to_head()
        assert _balances(engine, rpc) == {address(1): 70, address(2): 30}
        engine.dispose()
