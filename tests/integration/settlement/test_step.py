# SPDX-License-Identifier: Apache-2.0
"""Trades of the journal settle in batches; what the ledger says of them is recorded, also when it is no."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stoken.chain.reverts import decode_revert
from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.network.anvil import Anvil
from stoken.settlement import instructions
from stoken.settlement.step import RETRY_BLOCKS, TRIES_MAX
from stoken.transactions import outbox
from tests.consortium import BROKER_2, BUYER, SELLER, STRANGER, charter
from tests.integration.write_world import WriteWorld

ROOT = Path(__file__).parents[3]


class TestSettlement:
    def test_trades_of_one_entry_settle_in_one_transaction(self, world: WriteWorld) -> None:
        settled = world.settle(world.trade(10), world.trade(20), world.trade(30))
        assert [each.status for each in settled] == ["settled"] * 3
        assert {each.transaction_key for each in settled} == {"settle:1-3"}
        assert (world.units(SELLER), world.units(BUYER)) == (440, 60)

    def test_a_trade_that_fails_stops_no_other(self, world: WriteWorld) -> None:
        good, poor, unknown = world.trade(10), world.trade(10, price=9_000_000), world.trade(5, buyer=STRANGER)
        settled, failed, refused = world.settle(good, poor, unknown)
        assert [each.status for each in (settled, failed, refused)] == ["settled", "failed", "failed"]
        reasons = [decode_revert(each.failure or b"").code for each in (failed, refused)]
        assert reasons == ["INSUFFICIENT_CASH", "ACCOUNT_UNKNOWN"]
        assert (world.units(SELLER), world.units(BUYER)) == (490, 10)

    def test_a_trade_that_failed_is_tried_again_some_blocks_later(self, world: WriteWorld) -> None:
        trade = world.trade(10, price=2_000_000)
        (failed,) = world.settle(trade)
        assert (failed.status, failed.attempts) == ("failed", 1)
        world.carry("more", world.desk.credit(BROKER_2, 20_000_000))
        again = world.instruction(trade)
        assert again is not None
        assert again.attempts == 1
        world.rpc.call("anvil_mine", hex(RETRY_BLOCKS))
        for _ in range(3):
            world.turn()
        settled = world.instruction(trade)
        assert settled is not None
        assert (settled.status, settled.attempts, settled.transaction_key) == ("settled", 2, "settle:1:2")
        assert world.units(BUYER) == 10

    def test_past_its_deadline_it_is_not(self, world: WriteWorld) -> None:
        trade = world.trade(10, price=2_000_000)
        world.settle(trade)
        world.rpc.call("evm_setNextBlockTimestamp", trade.buy.settle_by + 1)
        world.rpc.call("anvil_mine", hex(RETRY_BLOCKS))
        for _ in range(3):
            world.turn()
        failed = world.instruction(trade)
        assert failed is not None
        assert (failed.status, failed.attempts, failed.transaction_key) == ("failed", TRIES_MAX, "settle:1-1")

    def test_more_trades_than_a_batch_holds_settle_in_several(self, world: WriteWorld) -> None:
        settled = world.settle(*(world.trade(1) for _ in range(60)))
        assert {each.status for each in settled} == {"settled"}
        assert len({each.transaction_key for each in settled}) == 2
        assert world.units(BUYER) == 60

    def test_a_batch_under_way_lets_the_next_one_fill(self, world: WriteWorld) -> None:
        first, second, third = (world.trade(1) for _ in range(3))
        world.journal(first)
        world.settlement.execute()
        world.journal(second)
        assert world.settlement.execute() == 0
        world.journal(third)
        world.turn()
        world.turn()
        world.turn()
        found = [world.instruction(each) for each in (second, third)]
        assert [each and each.transaction_key for each in found] == ["settle:2-3"] * 2


class TestRevertedBatch:
    def test_its_trades_are_tried_alone_and_then_have_failed(self, engine: Engine, rpc: RpcClient) -> None:
        world = WriteWorld(engine, rpc, charter(sender=False))
        world.found_market()
        failed = world.settle(world.trade(10), world.trade(20))
        assert [(each.status, each.attempts) for each in failed] == [("failed", 2)] * 2
        with reading(engine) as connection:
            assert instructions.failures_after(connection, 0) == [(1, 1), (2, 2)]
            row = outbox.read(connection, failed[0].transaction_key)
        assert row is not None
        assert row.failure is not None
        assert row.failure.code == "ROLE_REQUIRED"
        assert world.units(BUYER) == 0


class TestKilledWorker:
    @pytest.mark.parametrize("failpoint", ["settlement.decided", "outbox.committed", "outbox.broadcast"])
    def test_each_trade_settles_once(
        self, world: WriteWorld, failpoint: str, database_url: str, node: Anvil, rpc: RpcClient
    ) -> None:
        trade = world.trade(10)
        world.journal(trade)
        command = [sys.executable, "-m", "tests.integration.write_world", database_url, node.url]
        environment = {**os.environ, "STOKEN_FAILPOINT": failpoint}
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60).returncode
        assert ended == -signal.SIGKILL
        restarted = WriteWorld(world.engine, rpc)
        restarted.token = world.token
        for _ in range(3):
            restarted.turn()
        found = restarted.instruction(trade)
        assert found is not None
        assert (found.status, found.attempts) == ("settled", 1)
        assert restarted.units(BUYER) == 10
