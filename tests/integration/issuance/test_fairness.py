# SPDX-License-Identifier: Apache-2.0
"""A tenant with a thousand requests does not hold up another with one."""

import pytest
from sqlalchemy import Engine, select

from stoken.chain.rpc import RpcClient
from stoken.chain.statements import CashEntry
from stoken.chain.suite import Suite
from stoken.db import unit_of_work
from stoken.issuance import step
from stoken.issuance.step import IssuanceStep
from stoken.parties import inbox
from stoken.parties.requests import CashCreditRequest
from stoken.transactions.tables import outbox
from tests.integration.transactions.write_path import WritePath
from tests.ledger_events import SUITE


class Inbox:
    """Requests of several tenants, and the step that decides them."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        self.path = WritePath(engine, rpc)
        self.path.take_over()
        self.engine = engine
        self.step = IssuanceStep(engine, engine, self.path.outbox, Suite(1, b"", 0, SUITE), 10**7)

    def receive(self, tenant: str, count: int) -> None:
        with unit_of_work(self.engine) as connection:
            for at in range(count):
                body = CashCreditRequest(CashEntry(b"\xca" * 20, 1, at.to_bytes(32), 2**39), bytes(65))
                inbox.receive(connection, tenant, f"number {at}", body, 0)

    def decided(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(outbox.c.key).order_by(outbox.c.sequence)).scalars())


@pytest.fixture
def box(engine: Engine, rpc: RpcClient) -> Inbox:
    return Inbox(engine, rpc)


class TestFairness:
    def test_each_tenant_has_a_share_of_every_commit(self, box: Inbox) -> None:
        box.receive("hot", 120)
        box.receive("cold", 2)
        assert box.step.execute() == 27
        assert box.decided()[-2:] == ["request:cold:number 0", "request:cold:number 1"]

    def test_each_request_is_decided_once_and_in_its_tenants_order(self, box: Inbox) -> None:
        box.receive("hot", 60)
        box.receive("cold", 30)
        box.receive("late", 1)
        while box.step.execute():
            pass
        keys = box.decided()
        assert len(keys) == len(set(keys)) == 91
        for tenant, count in (("hot", 60), ("cold", 30), ("late", 1)):
            own = [key for key in keys if f":{tenant}:" in key]
            assert own == [f"request:{tenant}:number {at}" for at in range(count)]

    def test_what_comes_later_is_not_missed(self, box: Inbox) -> None:
        box.receive("one", 1)
        box.step.execute()
        box.receive("two", 1)
        assert [box.step.execute(), box.step.execute()] == [1, 0]

    def test_a_tenant_with_much_in_flight_waits_alone(self, box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(step, "IN_FLIGHT_MAX", 50)
        box.receive("hot", 120)
        assert box.step.execute() == 50
        box.receive("cold", 1)
        assert box.step.execute() == 1
        assert box.step.execute() == 0
        box.path.settle()
        assert box.step.execute() > 0
