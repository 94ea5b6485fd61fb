# SPDX-License-Identifier: Apache-2.0
"""The order of receipt is the order of the register: both times stand beside each entry, and a breach is named."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, delete, update

from stoken.chain.rpc import RpcClient
from stoken.chain.statements import Act
from stoken.db import reading, unit_of_work
from stoken.issuance.entries import Entered, entered, entries, order_faults
from stoken.issuance.queries import RequestStatus
from stoken.issuance.tables import decisions
from stoken.parties import inbox
from stoken.parties.requests import ActRequest, Body
from stoken.transactions.tables import outbox
from tests.consortium import BUYER, SELLER
from tests.integration.write_world import TENANT, WriteWorld
from tests.requirements import requirement

_NS = 1_000_000_000


@pytest.fixture
def world(engine: Engine, rpc: RpcClient) -> WriteWorld:
    """A market, and then three mints, a refused one among them, and one that cannot be encoded."""
    made = WriteWorld(engine, rpc)
    made.found_market()
    desk, token = made.desk, made.token
    receive(made, "mint-1", desk.mint(token, SELLER, 5))
    receive(made, "too-many", desk.mint(token, SELLER, 5_000))
    receive(made, "malformed", ActRequest(Act(b"short", b"", bytes(32), bytes(32), 0, 0), ()))
    receive(made, "mint-2", desk.mint(token, BUYER, 6))
    made.turn()
    receive(made, "mint-3", desk.mint(token, BUYER, 7))
    made.turn()
    made.turn()
    return made


def receive(world: WriteWorld, request_id: str, body: Body) -> None:
    with unit_of_work(world.engine) as connection:
        inbox.receive(connection, TENANT, request_id, body, time.time_ns())


def of(world: WriteWorld) -> dict[str, Entered]:
    with reading(world.engine) as connection:
        return {each.id: each for each in entries(connection)}


def faults(world: WriteWorld) -> list[str]:
    with reading(world.engine) as connection:
        return list(order_faults(connection))


def changed(world: WriteWorld, change: Callable[[Connection], object]) -> list[str]:
    with unit_of_work(world.engine) as connection:
        change(connection)
    return faults(world)


class TestEntries:
    @requirement("TRF-13")
    def test_receipt_and_entry_times_stand_beside_a_dense_sequence(self, world: WriteWorld) -> None:
        found = of(world)
        assert [each.sequence for each in found.values()] == list(range(1, len(found) + 1))
        mints = [found[f"mint-{number}"] for number in (1, 2, 3)]
        for entry in mints:
            block = world.rpc.call("eth_getBlockByNumber", hex(entry.block_number or 0), False)  # noqa: FBT003
            assert entry.entered_at == int(block["timestamp"], 16)
            assert entry.status is RequestStatus.DONE
            assert abs(entry.received_at_ns / _NS - time.time()) < 600
        order = [(each.sequence, each.received_at_ns, (each.block_number, each.nonce)) for each in mints]
        assert order == sorted(order)
        for column in zip(*order, strict=True):
            assert list(column) == sorted(set(column))

    def test_what_was_refused_has_its_place_and_entered_nothing(self, world: WriteWorld) -> None:
        found = of(world)
        for name in ("too-many", "malformed"):
            assert (found[name].status, found[name].entered_at) == (RequestStatus.FAILED, None)
        assert found["malformed"].transaction_hash is None
        assert found["mint-1"].sequence < found["too-many"].sequence < found["mint-2"].sequence

    def test_pages_and_single_entries(self, world: WriteWorld) -> None:
        every = list(of(world).values())
        with reading(world.engine) as connection:
            assert entries(connection, after=3, limit=2) == every[3:5]
            assert entered(connection, 4) == every[3]
            assert entered(connection, len(every) + 1) is None

    def test_a_request_under_way_is_not_entered_yet(self, world: WriteWorld) -> None:
        receive(world, "late", world.desk.mint(world.token, BUYER, 1))
        world.issuance.execute()
        found = of(world)["late"]
        assert (found.status, found.block_number, found.entered_at) == (RequestStatus.SENT, None, None)


class TestOrderFaults:
    @requirement("TRF-13")
    def test_a_register_in_order_has_none(self, world: WriteWorld) -> None:
        assert faults(world) == []

    @requirement("TRF-13")
    def test_each_breach_is_named(self, world: WriteWorld) -> None:
        first, second = of(world)["mint-1"], of(world)["mint-3"]
        received = update(decisions).where(decisions.c.sequence == second.sequence)
        late = changed(world, lambda c: c.execute(received.values(received_at_ns=first.received_at_ns - 1)))
        assert late == [f"{second.sequence}: was received before {second.sequence - 1}"]
        future = second.received_at_ns + 3_600 * _NS
        early = changed(world, lambda c: c.execute(received.values(received_at_ns=future)))
        assert early == [f"{second.sequence}: was entered before it was received"]
        changed(world, lambda c: c.execute(received.values(received_at_ns=second.received_at_ns)))
        swapped = update(outbox).where(outbox.c.nonce == second.nonce).values(block_number=1)
        (fault,) = changed(world, lambda c: c.execute(swapped))[-1:]
        assert fault.startswith(f"{second.sequence}: was entered before ")
        missing = changed(world, lambda c: c.execute(delete(decisions).where(decisions.c.sequence == first.sequence)))
        assert f"{first.sequence + 1}: follows {first.sequence - 1}, so a request is missing" in missing
