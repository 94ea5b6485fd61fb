# SPDX-License-Identifier: Apache-2.0
"""Several keys: one writer each, work in order for each owner, retired keys drain, nobody starves."""

import pytest
from sqlalchemy import Engine, update

from stoken.chain.rpc import RpcClient
from stoken.db import unit_of_work
from stoken.errors import FencedError, StartupError
from stoken.transactions import queries, senders
from stoken.transactions.flight import candidates
from stoken.transactions.outbox import Outbox
from stoken.transactions.tables import senders as table
from stoken.transactions.withdraw import WithdrawStep
from tests.integration.transactions.write_path import SECRET, WritePath

OTHER = b"\x2b" * 32
#: Two owners that fall to different keys of two.
ISSUER, BROKER = "issuer", "bank"


@pytest.fixture
def path(engine: Engine, rpc: RpcClient) -> WritePath:
    made = WritePath(engine, rpc, SECRET, OTHER)
    made.take_over()
    return made


class TestLane:
    def test_an_owner_keeps_its_key(self, path: WritePath) -> None:
        rows = [path.order(f"number {at}", ISSUER) for at in range(3)]
        assert len({row.sender for row in rows}) == 1
        assert [row.nonce for row in rows] == [0, 1, 2]

    def test_owners_are_spread_over_the_keys(self, path: WritePath) -> None:
        assert path.order("one", ISSUER).sender != path.order("two", BROKER).sender

    def test_every_key_reaches_the_chain(self, path: WritePath) -> None:
        path.order("one", ISSUER)
        path.order("two", BROKER)
        path.settle()
        assert [path.row(key).status for key in ("one", "two")] == ["mined", "mined"]


class TestRotation:
    @pytest.fixture
    def retired(self, path: WritePath) -> bytes:
        """Leave a transaction in flight on a key, and go on without that key."""
        first = path.order("before", ISSUER)
        path.outbox = Outbox(path.signers, path.capabilities.chain_id, [first.sender], "one")
        path.take_over()
        return first.sender

    def test_a_retired_key_takes_no_new_work(self, path: WritePath, retired: bytes) -> None:
        assert path.order("after", ISSUER).sender != retired
        assert retired not in path.outbox.senders

    def test_it_finishes_what_it_carries_and_later_work_of_the_owner_waits_for_it(
        self, path: WritePath, retired: bytes
    ) -> None:
        path.order("after", ISSUER)
        assert path.broadcast.execute() == 1
        path.settle()
        assert [path.row(key).status for key in ("before", "after")] == ["mined", "signed"]
        path.settle()
        assert path.row("after").status == "mined"
        assert path.row("before").sender == retired

    def test_what_fills_a_nonce_waits_for_nobody(self, path: WritePath, retired: bytes) -> None:
        path.order("after", ISSUER)
        with unit_of_work(path.engine) as connection:
            queries.ask(connection, "before", "cancel", "note")
        WithdrawStep(path.engine, path.outbox, path.capabilities).execute()
        with path.engine.connect() as connection:
            chosen = candidates(connection, 10**9, 100)
        assert {(row.sender, row.purpose) for row in chosen} >= {(retired, "fill")}

    def test_without_any_key_left_there_is_no_start(self, path: WritePath) -> None:
        with pytest.raises(StartupError, match="retired"):
            Outbox(path.signers, 1, path.signers)


class TestInFlight:
    def test_keys_take_turns(self, path: WritePath) -> None:
        for at in range(4):
            path.order(f"hot {at}", ISSUER)
        path.order("cold", BROKER)
        with path.engine.connect() as connection:
            chosen = [row.owner for row in candidates(connection, 10**9, 2)]
        assert sorted(chosen) == [BROKER, ISSUER]

    def test_a_key_has_a_bound_of_its_own(self, path: WritePath) -> None:
        for at in range(4):
            path.order(f"hot {at}", ISSUER)
        with path.engine.connect() as connection:
            assert len(candidates(connection, 10**9, 100, key_max=3)) == 3

    def test_the_first_of_each_key_goes_whatever_the_others_wait_for(self, path: WritePath) -> None:
        path.order("hot", ISSUER, gas=500)
        path.order("hot 2", ISSUER, gas=100)
        path.order("cold", BROKER, gas=500)
        with path.engine.connect() as connection:
            chosen = [row.owner for row in candidates(connection, 100, 1)]
        assert sorted(chosen) == [BROKER, ISSUER]

    def test_gas_is_bounded_over_all_keys(self, path: WritePath) -> None:
        for at in range(3):
            path.order(f"hot {at}", ISSUER, gas=100)
            path.order(f"cold {at}", BROKER, gas=100)
        with path.engine.connect() as connection:
            assert len(candidates(connection, 450, 100)) == 4


class TestLease:
    def test_a_writer_learns_with_its_next_look_that_it_was_fenced_off(
        self, path: WritePath, engine: Engine, rpc: RpcClient
    ) -> None:
        WritePath(engine, rpc, SECRET, OTHER).take_over()
        with pytest.raises(FencedError):
            path.watch.execute()

    def test_a_living_lease_keeps_another_holder_out(self, path: WritePath, database_kind: str) -> None:
        if database_kind != "postgresql":
            pytest.skip("SQLite serves one machine: there the epoch alone decides")
        with pytest.raises(FencedError, match="one holds the key"), unit_of_work(path.engine) as connection:
            senders.claim(connection, path.sender, 0, 0, "two")
        assert path.order("still ours", ISSUER).status == "signed"

    def test_a_lease_that_ended_is_taken_over(self, path: WritePath) -> None:
        with unit_of_work(path.engine) as connection:
            connection.execute(update(table).values(lease_ends_at_ms=0))
        assert senders.claim_in_time(path.engine, path.sender, 0, 0, "two") == 2

    def test_its_holder_prolongs_it(self, path: WritePath, database_kind: str) -> None:
        if database_kind != "postgresql":
            pytest.skip("SQLite serves one machine: there the epoch alone decides")
        with unit_of_work(path.engine) as connection:
            connection.execute(update(table).values(lease_ends_at_ms=0))
        path.watch.execute()
        with pytest.raises(FencedError), unit_of_work(path.engine) as connection:
            senders.claim(connection, path.sender, 0, 0, "two")
