# SPDX-License-Identifier: Apache-2.0
"""An old back-up is restored: what was sent since is taken from the chain, and nothing is sent a second time."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, unit_of_work
from stoken.errors import StartupError
from stoken.ledger.digest import digest
from stoken.settlement import recovery as trades_recovery
from stoken.settlement.step import RETRY_BLOCKS
from stoken.transactions import outbox, recovery
from tests.consortium import BROKER_2, charter
from tests.database import Databases
from tests.integration.write_world import WriteWorld
from tests.recount import recount


@pytest.fixture
def backup(world: WriteWorld, databases: Databases, database_url: str) -> Iterator[str]:
    """A copy of the database as it was before anything of the test happened."""
    world.engine.dispose()
    url = databases.copy(database_url)
    yield url
    databases.remove(url)


def recover(engine: Engine, market: Engine, world: WriteWorld) -> tuple[int, int]:
    """Do what `stoken tx recover` does."""
    missing = recovery.gaps(engine, world.rpc, world.outbox.senders)
    found = recovery.search(world.rpc, world.suite.chain_id, missing)
    with unit_of_work(engine) as connection:
        stored = recovery.store(connection, missing, found)
        return len(stored), trades_recovery.claim(connection, market, world.suite["settlement"])


def keys(engine: Engine, prefix: str) -> list[str]:
    with reading(engine) as connection:
        names = connection.execute(outbox.outbox.select().order_by(outbox.outbox.c.nonce)).all()
    return [row.key for row in names if row.key.startswith(prefix)]


class TestWorkIsRestored:
    def test_f32_it_replays_to_equality_and_sends_nothing_again(
        self, world: WriteWorld, backup: str, rpc: RpcClient
    ) -> None:
        world.carry("more", world.desk.credit(BROKER_2, 700))
        trades = [world.trade(10), world.trade(20)]
        world.settle(*trades)
        restored = open_engine(backup)
        with pytest.raises(StartupError, match="stoken tx recover"):
            WriteWorld(restored, rpc, market=world.engine)
        assert recover(restored, world.engine, world) == (2, 1)
        sent = int(rpc.call("eth_getTransactionCount", f"0x{world.outbox.senders[0].hex()}", "latest"), 16)
        again = WriteWorld(restored, rpc, market=world.engine)
        for _ in range(4):
            again.turn()
        assert again.outcome("more") == world.outcome("more")
        settled = [again.instruction(trade) for trade in trades]
        assert [each and (each.status, each.transaction_key, each.attempts) for each in settled] == [
            ("settled", "settle:1-2", 1)
        ] * 2
        assert keys(restored, "recovered:") == []
        assert int(rpc.call("eth_getTransactionCount", f"0x{world.outbox.senders[0].hex()}", "latest"), 16) == sent
        recount(restored, rpc)
        world.mirror.run_to_head()
        with reading(restored) as one, reading(world.engine) as other:
            assert digest(one) == digest(other)
        restored.dispose()

    def test_an_empty_database_takes_in_everything(
        self, world: WriteWorld, databases: Databases, database_kind: str, rpc: RpcClient
    ) -> None:
        trade = world.trade(10)
        world.settle(trade)
        sent = world.outbox.senders[0].hex()
        count = int(rpc.call("eth_getTransactionCount", f"0x{sent}", "latest"), 16)
        empty = open_engine(databases.create(database_kind))
        assert recover(empty, world.engine, world) == (count, 1)
        again = WriteWorld(empty, rpc, market=world.engine)
        for _ in range(4):
            again.turn()
        assert again.instruction(trade) == world.instruction(trade)
        assert again.outcome("mint") == world.outcome("mint")
        assert keys(empty, "recovered:") == []
        assert int(rpc.call("eth_getTransactionCount", f"0x{sent}", "latest"), 16) == count
        recount(empty, rpc)
        empty.dispose()

    def test_each_try_of_a_trade_that_was_tried_again_is_claimed(
        self, engine: Engine, rpc: RpcClient, databases: Databases, database_url: str
    ) -> None:
        world = WriteWorld(engine, rpc, charter(sender=False))
        world.found_market()
        engine.dispose()
        restored = open_engine(databases.copy(database_url))
        failed = world.settle(world.trade(10), world.trade(20))
        assert [each.attempts for each in failed] == [2, 2]
        assert recover(restored, engine, world) == (3, 3)
        assert recover(restored, engine, world) == (0, 0)
        again = WriteWorld(restored, rpc, charter(sender=False), engine)
        for _ in range(6):
            again.turn()
        assert [again.instruction_of(each.trade_id) for each in failed] == failed
        assert keys(restored, "recovered:") == []
        restored.dispose()

    def test_a_try_whose_event_is_past_at_the_first_look_is_followed_by_another(
        self, world: WriteWorld, databases: Databases, database_url: str, rpc: RpcClient
    ) -> None:
        trade = world.trade(10, price=2_000_000)
        world.settle(trade)
        world.engine.dispose()
        restored = open_engine(databases.copy(database_url))
        rpc.call("anvil_mine", hex(RETRY_BLOCKS))
        for _ in range(3):
            world.turn()
        again_failed = world.instruction(trade)
        world.carry("more", world.desk.credit(BROKER_2, 20_000_000))
        assert recover(restored, world.engine, world) == (2, 1)
        again = WriteWorld(restored, rpc, market=world.engine)
        for _ in range(3):
            again.turn()
        assert again.instruction(trade) == again_failed
        rpc.call("anvil_mine", hex(RETRY_BLOCKS))
        for _ in range(3):
            again.turn()
        settled = again.instruction(trade)
        assert settled is not None
        assert (settled.status, settled.attempts) == ("settled", 3)
        restored.dispose()

    def test_what_was_decided_and_never_left_is_decided_anew(
        self, world: WriteWorld, backup: str, rpc: RpcClient
    ) -> None:
        world.carry("one", world.desk.credit(BROKER_2, 1))
        world.request("two", world.desk.credit(BROKER_2, 2))
        world.issuance.execute()
        restored = open_engine(backup)
        assert recover(restored, world.engine, world) == (1, 0)
        again = WriteWorld(restored, rpc, market=world.engine)
        for _ in range(3):
            again.turn()
        assert again.outcome("two").status == "done"
        recount(restored, rpc)
        restored.dispose()


class TestEverythingIsRestored:
    def test_a_request_that_was_lost_claims_its_transaction_when_it_comes_again(
        self, world: WriteWorld, backup: str, rpc: RpcClient
    ) -> None:
        body = world.desk.credit(BROKER_2, 700)
        world.carry("more", body)
        restored = open_engine(backup)
        assert recover(restored, restored, world) == (1, 0)
        assert len(keys(restored, "recovered:")) == 1
        again = WriteWorld(restored, rpc)
        assert again.carry("more", body) == world.outcome("more")
        assert keys(restored, "recovered:") == []
        recount(restored, rpc)
        restored.dispose()

    def test_a_journal_that_lacks_trades_of_the_chain_is_refused_and_nothing_is_kept(
        self, world: WriteWorld, backup: str
    ) -> None:
        world.settle(world.trade(10))
        restored = open_engine(backup)
        with pytest.raises(StartupError, match="the journal lacks trade 1"):
            recover(restored, restored, world)
        assert keys(restored, "recovered:") == []
        restored.dispose()
