# SPDX-License-Identifier: Apache-2.0
"""Requests are carried to the chain once, and their outcome is what the chain said."""

import pytest
from sqlalchemy import Engine, func, select

from stoken.chain.rpc import RpcClient
from stoken.chain.statements import Act
from stoken.db import reading
from stoken.domain.refusals import Refusal
from stoken.issuance.queries import RequestStatus
from stoken.parties.requests import ActRequest
from stoken.transactions.tables import outbox
from tests.consortium import BUYER, REGISTRAR, SELLER, STRANGER, VENUE
from tests.integration.write_world import WriteWorld


@pytest.fixture
def world(engine: Engine, rpc: RpcClient) -> WriteWorld:
    made = WriteWorld(engine, rpc)
    made.found_market()
    return made


class TestIssuance:
    def test_each_kind_of_request_is_done(self, world: WriteWorld) -> None:
        ids = ["issue", "onboard-1", "cash-ZZZZ0000000000001665", "credit", "register", "mint", "unpause"]
        assert {world.outcome(each).status for each in ids} == {RequestStatus.DONE}
        assert world.units(SELLER) == 500

    def test_a_refusal_of_a_contract_is_final_with_its_code(self, world: WriteWorld) -> None:
        outcome = world.carry("too-many", world.desk.mint(world.token, SELLER, 501))
        assert outcome.status is RequestStatus.FAILED
        assert outcome.failure is not None
        assert outcome.failure.code == Refusal.SUPPLY_CAP_EXCEEDED
        assert outcome.failure.arguments == {"registered": 1_000, "supply": 1_001}

    def test_an_unverified_receiver_is_refused(self, world: WriteWorld) -> None:
        outcome = world.carry("stranger", world.desk.mint(world.token, STRANGER, 1))
        assert outcome.failure is not None
        assert outcome.failure.code == Refusal.INVESTOR_NOT_VERIFIED

    def test_an_act_is_carried_out_once(self, world: WriteWorld) -> None:
        act = world.desk.mint(world.token, BUYER, 1)
        assert world.carry("first", act).status is RequestStatus.DONE
        again = world.carry("second", act)
        assert again.failure is not None
        assert again.failure.code == Refusal.DUPLICATE_INSTRUCTION
        assert world.units(BUYER) == 1

    def test_requests_are_decided_once(self, world: WriteWorld) -> None:
        with reading(world.engine) as connection:
            before = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
        restarted = WriteWorld(world.engine, world.rpc)
        assert restarted.issuance.execute() == 0
        with reading(world.engine) as connection:
            assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() == before

    def test_text_is_refused_without_a_transaction(self, world: WriteWorld) -> None:
        with reading(world.engine) as connection:
            before = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
        named = world.desk.act(world.token, b"Hong Gil-dong", REGISTRAR, VENUE)
        outcome = world.carry("named", named)
        assert outcome.status is RequestStatus.FAILED
        assert outcome.failure is not None
        assert outcome.failure.code == Refusal.PII_ON_CHAIN_FORBIDDEN
        assert "no function of the suite" in str(outcome.failure.arguments["reason"])
        with reading(world.engine) as connection:
            assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() == before

    def test_what_cannot_be_encoded_fails_without_a_transaction(self, world: WriteWorld) -> None:
        malformed = ActRequest(Act(b"short", b"", bytes(32), bytes(32), 0, 0), ())
        outcome = world.carry("malformed", malformed)
        assert (outcome.status, outcome.transaction_hash) == (RequestStatus.FAILED, None)

    def test_an_unknown_request_was_only_received(self, world: WriteWorld) -> None:
        assert world.outcome("unheard-of").status is RequestStatus.RECEIVED
