# SPDX-License-Identifier: Apache-2.0
"""A trade that cannot be signed takes no other with it."""

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import Engine

from stoken.chain import texts
from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.orders.outcomes import Trade
from stoken.settlement import instructions
from stoken.settlement.step import SettlementStep
from stoken.transactions.outbox import Failure, Outbox
from stoken.transactions.signer import SignerError
from tests.consortium import BUYER, SENDER, VENUE
from tests.integration.faulty_signer import FaultySigner
from tests.integration.write_world import WriteWorld

_Check = Callable[[bytes, bytes], None]


class World(WriteWorld):
    """A market whose settlement signs with a signer that may fail, and checks texts in its own way."""

    def use(self, signer: FaultySigner, check: _Check = texts.check, trades_max: int = 50) -> None:
        self.outbox = Outbox({signer.address: signer}, self.suite.chain_id, check=check)
        self.outbox.take_over(self.engine, self.rpc)
        self.settlement = SettlementStep(self.engine, self.engine, self.outbox, self.suite, VENUE, trades_max)

    def keys(self, *trades: Trade) -> list[str | None]:
        found = [self.instruction(trade) for trade in trades]
        return [each and each.transaction_key for each in found]


@pytest.fixture
def world(engine: Engine, rpc: RpcClient) -> World:
    made = World(engine, rpc)
    made.found_market()
    return made


class TestRefusedTrade:
    def test_it_fails_on_record_and_the_others_of_its_batch_settle_alone(self, world: World) -> None:
        trades = [world.trade(10) for _ in range(3)]
        mark = trades[1].buy_signature

        def check(to: bytes, data: bytes) -> None:
            texts.check(to, data)
            if mark in data:
                raise RefusedError(Refusal.PII_ON_CHAIN_FORBIDDEN, "holds text")

        world.use(FaultySigner(SENDER), check)
        found = world.settle(*trades)
        assert [each.status for each in found] == ["settled", "failed", "settled"]
        assert [each.transaction_key for each in found] == ["settle:1-1", "settle:2-2", "settle:3-3"]
        failure = msgspec.json.decode(found[1].failure or b"", type=Failure)
        assert (failure.code, failure.arguments["reason"]) == ("PII_ON_CHAIN_FORBIDDEN", "holds text")
        with reading(world.engine) as connection:
            assert instructions.failures_after(connection, 0) == [(1, 2)]
        assert world.settlement.execute() == 0


class TestSignerThatFails:
    def test_what_is_before_it_is_sent_and_the_rest_follows_once(self, world: World) -> None:
        trades = [world.trade(10) for _ in range(4)]
        signer = FaultySigner(SENDER, trades[2].buy_signature)
        world.use(signer, trades_max=1)
        world.journal(*trades[:1])
        # One entry, of which one trade is signed and two are not.
        world.journal(*trades[1:])
        for _ in range(2):
            with pytest.raises(SignerError):
                world.settlement.execute()
        assert world.keys(*trades) == ["settle:1-1", "settle:2-2", None, None]
        signer.marks = ()
        for _ in range(4):
            world.turn()
        found = [world.instruction(trade) for trade in trades]
        assert [each and (each.status, each.attempts) for each in found] == [("settled", 1)] * 4
        assert world.units(BUYER) == 40
