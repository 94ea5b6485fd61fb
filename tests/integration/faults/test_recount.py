# SPDX-License-Identifier: Apache-2.0
"""The recount notices what it is there for: each invariant, broken by hand, is found broken."""

import pytest
from sqlalchemy import update

from stoken.chain.rpc import RpcClient
from stoken.chain.transactions import sign_legacy
from stoken.db import unit_of_work
from stoken.mirror import tables as mirror
from stoken.transactions.tables import outbox
from tests import recount
from tests.emitting import EmittingPath
from tests.integration.faults.writer import SECRET


@pytest.fixture
def mined(path: EmittingPath, rpc: RpcClient) -> EmittingPath:
    path.mint("one", 1, 5)
    path.broadcast.execute()
    rpc.call("anvil_mine", "0x8")
    path.follow_as_the_worker()
    recount.recount(path.engine, rpc)
    recount.register_is_the_chains(path.engine, rpc.url)
    return path


class TestRecount:
    @pytest.mark.parametrize("table", [mirror.logs, mirror.transactions])
    def test_it_misses_what_the_mirror_lost(self, mined: EmittingPath, rpc: RpcClient, table: object) -> None:
        with unit_of_work(mined.engine) as connection:
            connection.execute(table.delete())  # type: ignore[attr-defined]
        with pytest.raises(AssertionError):
            recount.mirror_is_the_chain(mined.engine, rpc)

    def test_it_sees_a_forged_hash(self, mined: EmittingPath, rpc: RpcClient) -> None:
        with unit_of_work(mined.engine) as connection:
            connection.execute(update(mirror.blocks).where(mirror.blocks.c.number == 1).values(hash=b"\xf0" * 32))
        with pytest.raises(AssertionError):
            recount.mirror_is_the_chain(mined.engine, rpc)

    @pytest.mark.parametrize("status", ["broadcast", "failed"])
    def test_it_sees_a_false_end(self, mined: EmittingPath, rpc: RpcClient, status: str) -> None:
        with unit_of_work(mined.engine) as connection:
            connection.execute(update(outbox).where(outbox.c.key == "one").values(status=status))
        with pytest.raises(AssertionError):
            recount.each_transaction_has_one_effect(mined.engine, rpc)

    def test_it_sees_a_second_hash_of_a_nonce(self, mined: EmittingPath, rpc: RpcClient) -> None:
        _, foreign = sign_legacy(SECRET, 0, 21_000, b"\x0e" * 20, b"", 20260)
        with unit_of_work(mined.engine) as connection:
            connection.execute(update(outbox).where(outbox.c.key == "one").values(hash=foreign))
        with pytest.raises((AssertionError, KeyError)):
            recount.no_nonce_carries_two_hashes(mined.engine, rpc)

    def test_it_sees_a_register_that_differs(self, mined: EmittingPath, rpc: RpcClient) -> None:
        mined.mint("two", 2, 7)
        mined.broadcast.execute()
        rpc.call("anvil_mine", "0x8")
        mined.follow_as_the_worker()
        with unit_of_work(mined.engine) as connection:
            connection.exec_driver_sql(
                "UPDATE ledger_positions SET balance = balance + 1"
                if connection.dialect.name == "sqlite"
                else "UPDATE ledger.positions SET balance = balance + 1"
            )
        with pytest.raises(AssertionError):
            recount.register_is_the_chains(mined.engine, rpc.url)
