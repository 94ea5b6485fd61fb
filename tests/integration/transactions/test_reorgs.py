# SPDX-License-Identifier: Apache-2.0
"""A reorg that drops our transaction takes its confirmation back, and the same bytes are mined again."""

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.mirror import Finality, MirrorStep
from tests.integration.transactions.write_path import WritePath


@pytest.fixture
def path(engine: Engine, rpc: RpcClient) -> WritePath:
    made = WritePath(engine, rpc)
    made.mirror = MirrorStep(engine, rpc, finality=Finality(depth=5))
    made.take_over()
    return made


class TestReorg:
    def test_a_dropped_transaction_goes_back_to_pending_and_is_mined_again(self, path: WritePath) -> None:
        path.enqueue("one")
        path.settle()
        assert path.row("one").status == "mined"
        path.rpc.call("anvil_reorg", 1, [])
        path.follow()
        assert (path.row("one").status, path.row("one").block_number) == ("broadcast", None)
        path.now += 5
        path.settle()
        assert path.row("one").status == "mined"
        assert path.nonce_on_chain() == 1

    def test_a_moved_transaction_is_confirmed_where_it_is_now(self, path: WritePath) -> None:
        path.enqueue("one")
        path.settle()
        raw = f"0x{path.raw('one').hex()}"
        path.rpc.call("evm_mine")
        path.rpc.call("anvil_reorg", 2, [[raw, 1]])
        path.follow()
        path.follow()
        assert (path.row("one").status, path.row("one").block_number) == ("mined", 2)
