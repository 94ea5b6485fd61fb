# SPDX-License-Identifier: Apache-2.0
"""Accounts, allocations, positions: a broker's own, and nobody else's."""

import httpx
import pytest

from stoken.domain import facts
from stoken.domain.codes import InvestorClass, Role
from stoken.migrations.tables import complete_metadata
from stoken.parties.pseudonym import Pseudonyms
from tests.integration.gateway.harness import Gateway, account_body, hexed
from tests.requirements import requirement
from tests.unit.orders.factories import BPL1, BROKERS, TOKENS, address, cash_account, rules


class TestOpenAccount:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/accounts", body=account_body("new")).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/accounts", Role.VENUE, body=account_body("new")).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        response = gateway.as_broker("POST", "/accounts", account_body("new", investor_class="PROFESSIONAL"))
        assert response.status_code == 201
        assert response.json() == {
            "account": hexed(address("new")),
            "broker": BROKERS[0].decode(),
            "pseudonym": hexed(Pseudonyms("test", bytes(range(32))).of("person new")),
            "key_id": "test",
            "investor_class": "PROFESSIONAL",
            "owner_type": "CUSTOMER",
            "closed": False,
            "blocked": False,
        }

    def test_a_person_has_one_pseudonym_at_two_brokers(self, gateway: Gateway) -> None:
        first = gateway.as_broker("POST", "/accounts", account_body("one", ci="twin"))
        second = gateway.as_broker("POST", "/accounts", account_body("two", ci="twin"), BROKERS[1])
        assert first.json()["pseudonym"] == second.json()["pseudonym"]

    def test_another_brokers_account_is_missing(self, gateway: Gateway) -> None:
        assert gateway.as_broker("POST", "/accounts", account_body("seller"), BROKERS[1]).status_code == 404

    def test_the_persons_identifier_is_stored_nowhere(self, gateway: Gateway) -> None:
        gateway.as_broker("POST", "/accounts", account_body("new", ci="canary-900101"))
        with gateway.services.market.connect() as connection:
            for table in complete_metadata().tables.values():
                assert "canary" not in repr(connection.execute(table.select()).all())

    def test_a_refused_body_does_not_repeat_the_identifier(self, gateway: Gateway) -> None:
        response = gateway.as_broker("POST", "/accounts", account_body("new", ci="canary" * 30))
        assert response.json()["details"]["field"] == "ci"
        assert "canary" not in response.text


class TestAllocateCash:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/cash/allocations", body=gateway.allocation("buyer")).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/cash/allocations", Role.CASH_AGENT, body=gateway.allocation("buyer"))
        assert response.status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        response = gateway.as_broker("POST", "/cash/allocations", gateway.allocation("buyer", 1_000), BROKERS[1])
        assert (response.status_code, response.json()["allocated"]) == (201, "50001000")

    def test_the_same_allocation_again_credits_once(self, gateway: Gateway) -> None:
        body = gateway.allocation("buyer", 1_000)
        answers = [gateway.as_broker("POST", "/cash/allocations", body, BROKERS[1]).json() for _ in range(2)]
        assert answers[0] == answers[1]

    def test_an_unsigned_amount_is_refused(self, gateway: Gateway) -> None:
        body = gateway.allocation("buyer", 1_000) | {"amount": "9000"}
        response = gateway.as_broker("POST", "/cash/allocations", body, BROKERS[1])
        assert response.json()["code"] == "SIGNATURE_INVALID"

    @pytest.mark.parametrize("amount", [1_000, "0", "-5", "1e3", ""])
    def test_an_amount_is_a_positive_decimal_string(self, gateway: Gateway, amount: object) -> None:
        body = gateway.allocation("buyer") | {"amount": amount}
        response = gateway.as_broker("POST", "/cash/allocations", body, BROKERS[1])
        assert (response.status_code, response.json()["details"]["field"]) == (400, "amount")


class TestReadPositions:
    where = f"/positions/{hexed(address('seller'))}"

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.where).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.where, Role.ISSUER).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.sell(quantity=10)
        found = gateway.as_broker("GET", self.where).json()
        (holding,) = found["positions"]
        assert (holding["isin"], holding["balance"], holding["available"]) == (BPL1, "1000", "990")
        assert (found["broker"], found["block_number"]) == (BROKERS[0].decode(), 1)

    def test_encumbered_units_stand_in_the_extract_with_kind_party_and_end(self, gateway: Gateway) -> None:
        seller, trustee = address("seller"), address("trustee")
        gateway.apply(
            [
                facts.EncumbranceSet(b"m" * 32, TOKENS[BPL1], seller, 3, 300, 0, trustee, b"d" * 32),
                facts.EncumbranceSet(b"c" * 32, TOKENS[BPL1], seller, 4, 50, 2**33, bytes(20), b"p" * 32),
            ]
        )
        (holding,) = gateway.as_broker("GET", self.where).json()["positions"]
        assert (holding["trust_marked"], holding["restricted"], holding["available"]) == ("300", "350", "650")
        certificate, mark = holding["encumbrances"]
        assert (certificate["kind"], certificate["until"], certificate["party"]) == ("CERTIFICATE", 2**33, None)
        assert (mark["kind"], mark["units"], mark["party"]) == ("TRUST_MARK", "300", hexed(trustee))
        assert (mark["until"], mark["reason"]) == (None, hexed(b"d" * 32))

    def test_cash_stands_beside_securities(self, gateway: Gateway) -> None:
        gateway.buy(quantity=10, price=5_000)
        found = gateway.as_broker("GET", f"/positions/{hexed(address('buyer'))}", broker=BROKERS[1]).json()
        assert found["cash"] == {
            "allocated": "50000000",
            "reserved": "50000",
            "in_flight": "0",
            "available": "49950000",
        }

    def test_another_brokers_account_is_missing(self, gateway: Gateway) -> None:
        theirs = gateway.as_broker("GET", self.where, broker=BROKERS[1])
        unknown = gateway.as_broker("GET", f"/positions/{hexed(cash_account(BROKERS[0]))}", broker=BROKERS[1])
        assert theirs.status_code == unknown.status_code == 404
        assert theirs.content == unknown.content

    def test_the_registrar_sees_every_account(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.where, Role.REGISTRAR).status_code == 200


class TestClasses:
    WHERE = f"/accounts/{hexed(address('buyer'))}/classes"

    def change(self, gateway: Gateway, broker: bytes = BROKERS[1], **changed: object) -> httpx.Response:
        body = {"investor_class": "PROFESSIONAL", "evidence": hexed(b"E" * 32)} | changed
        return gateway.as_broker("POST", self.WHERE, body, broker)

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", self.WHERE, body={}).status_code == 401
        assert gateway.call("GET", self.WHERE).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", self.WHERE, Role.VENUE, body={}).status_code == 403
        assert gateway.call("GET", self.WHERE, Role.ISSUER).status_code == 403

    @requirement("KYC-06")
    def test_valid(self, gateway: Gateway) -> None:
        before, later = gateway.now, gateway.now + 100
        order = gateway.buy().json()["order_id"]
        answer = self.change(gateway, valid_from=later)
        assert (answer.status_code, answer.json()["held"]["investor_class"]) == (201, "PROFESSIONAL")
        gateway.now = later
        second = gateway.buy().json()["order_id"]
        for number, expected in ((order, ("GENERAL", None)), (second, ("PROFESSIONAL", hexed(b"E" * 32)))):
            found = gateway.call("GET", f"/orders/{number}", Role.SUPERVISOR).json()
            assert (found["investor_class"], found["class_evidence"]) == expected
        at_order_time = gateway.call("GET", self.WHERE, Role.SUPERVISOR, at=before).json()["held"]
        assert (at_order_time["investor_class"], at_order_time["evidence"]) == ("GENERAL", None)
        now = gateway.call("GET", self.WHERE, Role.SUPERVISOR).json()
        assert [each["valid_from"] for each in now["classes"]] == [before, later]
        assert now["held"] == now["classes"][1]
        assert gateway.call("GET", self.WHERE, Role.SUPERVISOR, at=before - 1).json()["held"] is None

    def test_an_issue_closed_to_the_class_at_receipt(self, gateway: Gateway) -> None:
        gateway.apply([rules(BPL1, 1, 1, classes=1 << InvestorClass.GENERAL)])
        assert gateway.buy().status_code == 201
        self.change(gateway)
        refused = gateway.buy()
        assert (refused.status_code, refused.json()["code"]) == (422, "INVESTOR_CLASS_NOT_ELIGIBLE")
        assert refused.json()["details"]["class"] == "2"

    def test_what_is_not_the_callers_or_reaches_back_or_shows_nothing(self, gateway: Gateway) -> None:
        assert self.change(gateway, BROKERS[0]).status_code == 404
        assert gateway.as_broker("GET", self.WHERE, broker=BROKERS[0]).status_code == 404
        assert self.change(gateway, valid_from=gateway.now - 1).json()["code"] == "TOO_LATE"
        assert self.change(gateway, evidence=hexed(bytes(32))).json()["code"] == "INVALID_INPUT"

    def test_the_opening_body_does_not_change_a_class(self, gateway: Gateway) -> None:
        assert gateway.as_broker("POST", "/accounts", account_body("buyer"), BROKERS[1]).status_code == 201
        again = gateway.as_broker("POST", "/accounts", account_body("buyer", investor_class="PROFESSIONAL"), BROKERS[1])
        assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
