# SPDX-License-Identifier: Apache-2.0
"""Notices of broken invariants over HTTP: each addressee has its own, and every hop its stamp."""

import pytest
from sqlalchemy import delete

from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role
from stoken.ledger import breaks, tables
from stoken.ledger.invariants import Invariant
from stoken.ledger.reconciliation import record
from stoken.mirror.store import Checkpoint
from stoken.parties import receipts
from tests.integration.gateway.harness import STRANGER, Gateway, Json
from tests.unit.orders.factories import BPL1, BROKERS, TOKENS

_STAMPED = 1_700_000_000_000_000_123
BROKEN = Invariant("Q5", f"{BPL1}/{BROKERS[0].decode()}", 101, 100, holds=False)
ROLES = {"ACCOUNT_MANAGER": Role.ACCOUNT_MANAGER, "REGISTRAR": Role.REGISTRAR, "SUPERVISOR": Role.SUPERVISOR}


@pytest.fixture
def gateway(gateway: Gateway) -> Gateway:
    """The gateway over a ledger in which broker 1's open orders are not covered."""
    with unit_of_work(gateway.services.ledger) as connection:
        record(connection, [BROKEN], {TOKENS[BPL1]: BPL1}, Checkpoint(3, b"\x03" * 32, 3), _STAMPED)
    return gateway


def read(gateway: Gateway, roles: Role, lei: str | bytes = STRANGER) -> Json:
    return gateway.call("GET", "/notices", roles, lei).json()


def acknowledge(gateway: Gateway, notice: str, roles: Role, lei: str | bytes = STRANGER) -> tuple[int, Json]:
    answer = gateway.call("POST", f"/notices/{notice}/acknowledgement", roles, lei)
    return answer.status_code, answer.json()


class TestReadNotices:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/notices").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/notices", Role.ISSUER | Role.VENUE).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.now += 5
        (found,) = read(gateway, Role.ACCOUNT_MANAGER, BROKERS[0])
        assert found == {
            "id": found["id"],
            "block_number": 3,
            "invariant": "Q5",
            "subject": f"{BPL1}/{BROKERS[0].decode()}",
            "place": 1,
            "recipient": "ACCOUNT_MANAGER",
            "institution": BROKERS[0].decode(),
            "stamped_at": str(_STAMPED),
            "read_at": str(gateway.clock()),
            "acknowledged_at": None,
            "acknowledged_by": None,
        }

    def test_each_addressee_has_its_own_in_the_order_of_the_hops(self, gateway: Gateway) -> None:
        for place, (recipient, roles) in enumerate(ROLES.items(), 1):
            (found,) = read(gateway, roles, BROKERS[0])
            assert (found["recipient"], found["place"]) == (recipient, place)
        every = ROLES["REGISTRAR"] | ROLES["SUPERVISOR"] | ROLES["ACCOUNT_MANAGER"]
        assert len(read(gateway, every, BROKERS[0])) == 3
        assert read(gateway, Role.ACCOUNT_MANAGER, BROKERS[1]) == []

    def test_the_first_reading_is_the_one_on_record(self, gateway: Gateway) -> None:
        (first,) = read(gateway, Role.REGISTRAR)
        gateway.now += 60
        with gateway.services.inbox_lock:
            assert read(gateway, Role.REGISTRAR) == [first]

    def test_one_found_again_at_the_same_block_is_a_notice_of_its_own(self, gateway: Gateway) -> None:
        (first,) = read(gateway, Role.REGISTRAR)
        acknowledge(gateway, first["id"], Role.REGISTRAR)
        with unit_of_work(gateway.services.ledger) as connection:
            breaks.close_cases(connection, breaks.cases(connection, only_open=True), "operator", _STAMPED + 1)
            record(connection, [BROKEN], {TOKENS[BPL1]: BPL1}, Checkpoint(3, b"\x03" * 32, 3), _STAMPED + 2)
        found = read(gateway, Role.REGISTRAR)
        assert [each["acknowledged_at"] is None for each in found] == [False, True]
        assert [each["stamped_at"] for each in found] == [str(_STAMPED), str(_STAMPED + 2)]

    def test_each_page_goes_on_after_the_last_and_stamps_its_own_alone(self, gateway: Gateway) -> None:
        with unit_of_work(gateway.services.ledger) as connection:
            others = [BROKEN._replace(name=name) for name in ("Q1", "Q2")]
            record(connection, others, {TOKENS[BPL1]: BPL1}, Checkpoint(4, b"\x04" * 32, 4), _STAMPED)
        first = gateway.call("GET", "/notices", Role.SUPERVISOR, limit=2).json()
        assert [(each["block_number"], each["invariant"]) for each in first] == [(3, "Q5"), (4, "Q1")]
        with reading(gateway.services.market) as connection:
            assert set(receipts.receipts(connection)) == {each["id"] for each in first}
        (last,) = gateway.call("GET", "/notices", Role.SUPERVISOR, offset=2, limit=2).json()
        assert (last["block_number"], last["invariant"]) == (4, "Q2")
        assert read(gateway, Role.SUPERVISOR) == [*first, last]

    @pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 1_001}, {"offset": -1}, {"after": 1}])
    def test_a_page_that_cannot_be_is_refused(self, gateway: Gateway, page: dict[str, int]) -> None:
        assert gateway.call("GET", "/notices", Role.SUPERVISOR, **page).status_code == 400

    def test_without_a_break_there_are_none(self, gateway: Gateway) -> None:
        with unit_of_work(gateway.services.ledger) as connection:
            connection.execute(delete(tables.break_notices))
        assert read(gateway, Role.SUPERVISOR) == []


class TestAcknowledgeNotice:
    @pytest.fixture
    def notice(self, gateway: Gateway) -> str:
        with reading(gateway.services.ledger) as connection:
            return breaks.notices(connection)[0].id

    def test_anonymous(self, gateway: Gateway, notice: str) -> None:
        assert gateway.call("POST", f"/notices/{notice}/acknowledgement").status_code == 401

    def test_not_permitted(self, gateway: Gateway, notice: str) -> None:
        assert acknowledge(gateway, notice, Role.ISSUER)[0] == 403

    def test_valid(self, gateway: Gateway, notice: str) -> None:
        status, found = acknowledge(gateway, notice, Role.ACCOUNT_MANAGER, BROKERS[0])
        assert (status, found["acknowledged_at"], found["read_at"]) == (200, *[str(gateway.clock())] * 2)
        assert found["acknowledged_by"].endswith(f"@{BROKERS[0].decode()}")
        gateway.now += 60
        assert acknowledge(gateway, notice, Role.ACCOUNT_MANAGER, BROKERS[0]) == (200, found)
        assert read(gateway, Role.ACCOUNT_MANAGER, BROKERS[0]) == [found]

    @pytest.mark.parametrize(
        ("roles", "lei"),
        [(Role.ACCOUNT_MANAGER, BROKERS[1]), (Role.REGISTRAR, BROKERS[0]), (Role.SUPERVISOR, STRANGER)],
    )
    def test_anothers_notice_is_not_found(self, gateway: Gateway, notice: str, roles: Role, lei: str | bytes) -> None:
        assert acknowledge(gateway, notice, roles, lei)[0] == 404
        with reading(gateway.services.market) as connection:
            assert receipts.receipts(connection) == {}

    def test_one_that_does_not_exist_is_not_found(self, gateway: Gateway) -> None:
        assert acknowledge(gateway, "0" * 32, Role.SUPERVISOR)[0] == 404
