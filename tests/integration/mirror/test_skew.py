# SPDX-License-Identifier: Apache-2.0
"""F16: this machine's clock is wrong; block time decides over deadlines, and the mirror says when the two part."""

import time

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import BlockClock, MirrorStep
from stoken.mirror.clock import BlockTimeError
from stoken.settlement.step import RETRY_BLOCKS, TRIES_MAX
from tests.consortium import BROKER_2, BUYER
from tests.database import Databases
from tests.integration.write_world import WriteWorld

_NS = 1_000_000_000


class Skewed(WriteWorld):
    """A worker whose clock is some seconds ahead of UTC, and so of the chain, or behind."""

    def __init__(self, engine: Engine, rpc: RpcClient, seconds: int) -> None:
        super().__init__(engine, rpc)
        self.seconds = seconds
        clock = BlockClock(lambda: time.time_ns() + self.seconds * _NS)
        self.mirror = MirrorStep(engine, rpc, [LedgerProjection(self.suite.contracts)], clock=clock)

    def go_to(self, block_time: int, seconds: int) -> None:
        """Let the chain come to a time, with our clock off by so many seconds, and let failed trades be tried again."""
        self.seconds = block_time - int(time.time()) + seconds
        self.rpc.call("evm_setNextBlockTimestamp", block_time)
        self.rpc.call("anvil_mine", hex(RETRY_BLOCKS))
        for _ in range(3):
            self.turn()


@pytest.mark.slow
class TestSkew:
    @pytest.mark.parametrize("seconds", [-5, -1, 1, 5, 3_600])
    def test_f16_deadlines_are_counted_in_block_time(self, databases: Databases, rpc: RpcClient, seconds: int) -> None:
        url = databases.create("sqlite")
        engine = open_engine(url)
        world = Skewed(engine, rpc, seconds)
        world.found_market()
        early, late = world.trade(10, price=2_000_000), world.trade(10, price=9_000_000)
        assert {each.status for each in world.settle(early, late)} == {"failed"}
        world.carry("more", world.desk.credit(BROKER_2, 20_000_000))
        # By an hour's skew the deadline is past, by the chain it is not.
        world.go_to(early.buy.settle_by - 60, seconds)
        tried = world.instruction(early)
        assert tried is not None
        assert (tried.status, tried.attempts) == ("settled", 2)
        world.go_to(late.buy.settle_by + 1, seconds)
        over = world.instruction(late)
        assert over is not None
        assert (over.status, over.attempts) == ("failed", TRIES_MAX)
        assert world.units(BUYER) == 10
        engine.dispose()
        databases.remove(url)

    def test_f16_a_clock_an_hour_behind_stops_the_mirror_until_it_is_right(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        world = Skewed(engine, rpc, -3_600)
        rpc.call("evm_mine")
        for _ in range(2):
            with pytest.raises(BlockTimeError, match="s ahead of UTC"):
                world.mirror.run_to_head()
        world.seconds = 0
        world.found_market()
        assert world.settle(world.trade(10))[0].status == "settled"
