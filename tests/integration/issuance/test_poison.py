# SPDX-License-Identifier: Apache-2.0
"""A request that cannot be signed takes no other with it."""

import pytest
from sqlalchemy import Engine, select

from stoken.chain.rpc import RpcClient
from stoken.chain.statements import CashEntry
from stoken.chain.suite import Suite
from stoken.db import reading, unit_of_work
from stoken.issuance.queries import RequestStatus, outcome
from stoken.issuance.step import IssuanceStep
from stoken.parties import inbox
from stoken.parties.requests import CashCreditRequest
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import SignerError
from stoken.transactions.tables import outbox
from tests.integration.faulty_signer import FaultySigner
from tests.integration.transactions.write_path import SECRET
from tests.ledger_events import SUITE

SIGNATURE = bytes(64) + b"\x1b"


class Desk:
    """Credits of two tenants, and the step that decides them with the product's own text check."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        self.engine = engine
        self.signer = FaultySigner(SECRET, (7).to_bytes(32))
        keys = Outbox({self.signer.address: self.signer}, 20260)
        keys.take_over(engine, rpc)
        self.step = IssuanceStep(engine, engine, keys, Suite(1, b"", 0, SUITE), 10**7)

    def receive(self, tenant: str, name: str, reference: int, signature: bytes = SIGNATURE) -> None:
        body = CashCreditRequest(CashEntry(b"\xca" * 20, 1, reference.to_bytes(32), 2**39), signature)
        with unit_of_work(self.engine) as connection:
            inbox.receive(connection, tenant, name, body, 0)

    def status(self, tenant: str, name: str) -> RequestStatus:
        with reading(self.engine) as connection:
            return outcome(connection, tenant, name).status

    def sent(self) -> list[str]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(outbox.c.key).order_by(outbox.c.sequence)).scalars())


@pytest.fixture
def desk(engine: Engine, rpc: RpcClient) -> Desk:
    return Desk(engine, rpc)


class TestPoison:
    def test_what_may_be_text_is_refused_alone(self, desk: Desk) -> None:
        desk.receive("a", "one", 1)
        desk.receive("a", "bad", 2, b"Anne Example, Seoul")
        desk.receive("a", "two", 3)
        assert desk.step.execute() == 3
        assert desk.sent() == ["request:a:one", "request:a:two"]
        assert desk.status("a", "bad") is RequestStatus.FAILED

    def test_what_the_signer_fails_on_holds_up_its_tenant_alone(self, desk: Desk) -> None:
        desk.receive("a", "one", 1)
        desk.receive("a", "bad", 7)
        desk.receive("a", "two", 2)
        desk.receive("b", "one", 3)
        for _ in range(2):
            with pytest.raises(SignerError):
                desk.step.execute()
        assert desk.sent() == ["request:a:one", "request:b:one"]
        assert desk.status("a", "two") is RequestStatus.RECEIVED
        desk.receive("b", "two", 4)
        with pytest.raises(SignerError):
            desk.step.execute()
        desk.signer.marks = ()
        desk.step.execute()
        assert desk.sent()[2:] == ["request:b:two", "request:a:bad", "request:a:two"]
        assert desk.step.execute() == 0

    def test_a_refusal_behind_it_waits_with_it(self, desk: Desk) -> None:
        desk.receive("a", "bad", 7)
        desk.receive("a", "refused", 1, b"Anne Example, Seoul")
        with pytest.raises(SignerError):
            desk.step.execute()
        assert desk.status("a", "refused") is RequestStatus.RECEIVED
        desk.signer.marks = ()
        assert desk.step.execute() == 2
        assert desk.status("a", "refused") is RequestStatus.FAILED
