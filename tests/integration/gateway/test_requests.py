# SPDX-License-Identifier: Apache-2.0
"""Requests: kept as they came, once under each id, for the worker to decide."""

from typing import Any

import pytest

from stoken.db import reading
from stoken.domain.codes import Role
from stoken.parties import inbox
from stoken.parties.requests import ActRequest, CashCreditRequest, EncumberRequest, KeyChangeRequest, OnboardRequest
from tests.integration.gateway.harness import Gateway
from tests.unit.orders.factories import BROKERS

AGENT = Role.CASH_AGENT
SIGNATURE = "0x" + "11" * 65
ADDRESS = "0x" + "22" * 20
HASH = "0x" + "33" * 32


def credit(**changed: object) -> dict[str, Any]:
    body = {"id": "credit-1", "kind": "cash_credit", "account": ADDRESS, "amount": "5000", "ref": HASH}
    return body | {"deadline": 2_000_000_000, "signature": SIGNATURE} | changed


def onboard() -> dict[str, Any]:
    item = {"account": ADDRESS, "identity": ADDRESS, "country": 410, "investor_class": 1, "owner_type": 1}
    return {
        "id": "onboard-1",
        "kind": "onboard",
        "claim_issuer": ADDRESS,
        "nonce": str(2**255),
        "deadline": 2_000_000_000,
        "items": [item | {"topics": 6, "until": 2_000_000_000}],
        "manager_signature": SIGNATURE,
        "attestation": SIGNATURE,
    }


def act() -> dict[str, Any]:
    body = {"id": "act-1", "kind": "act", "target": ADDRESS, "data": "0x1234", "basis": HASH, "document": HASH}
    return body | {"salt": "1", "deadline": 2_000_000_000, "approvals": [SIGNATURE, SIGNATURE]}


class TestSendRequest:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/requests", body=credit()).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/requests", Role.NODE_OPERATOR, body=credit()).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/requests", AGENT, body=credit())
        assert response.status_code == 202
        assert response.json()["status"] == "received"
        with reading(gateway.services.market) as connection:
            (request,) = inbox.after(connection, 0, 10)
        assert isinstance(request.body, CashCreditRequest)
        assert (request.sequence, request.kind, request.body.statement.amount) == (1, "cash_credit", 5_000)

    def test_a_kind_needs_its_own_role(self, gateway: Gateway) -> None:
        for body, wrong in ((credit(), Role.ISSUER), (onboard(), AGENT), (act(), AGENT)):
            response = gateway.call("POST", "/requests", wrong, body=body)
            assert (response.status_code, response.json()["code"]) == (403, "ROLE_REQUIRED")

    def test_a_broker_onboards_in_its_own_name(self, gateway: Gateway) -> None:
        assert gateway.as_broker("POST", "/requests", onboard()).status_code == 202
        with reading(gateway.services.market) as connection:
            (request,) = inbox.after(connection, 0, 10)
        assert isinstance(request.body, OnboardRequest)
        assert request.body.statement.manager == BROKERS[0]
        assert request.body.statement.nonce == 2**255

    def test_an_act_comes_with_its_approvals(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/requests", Role.REGISTRAR, body=act()).status_code == 202

    def test_approvals_under_the_key_policy_are_kept_with_it(self, gateway: Gateway) -> None:
        given = [{"signature": SIGNATURE, "deadline": 2_000_000_000}]
        assert (
            gateway.call("POST", "/requests", Role.REGISTRAR, body=act() | {"key_approvals": given}).status_code == 202
        )
        with reading(gateway.services.market) as connection:
            (request,) = inbox.after(connection, 0, 10)
        assert isinstance(request.body, ActRequest)
        assert [(len(each.signature), each.deadline) for each in request.body.key_approvals] == [(65, 2_000_000_000)]
        many = act() | {"id": "act-2", "key_approvals": given * 33}
        assert gateway.call("POST", "/requests", Role.REGISTRAR, body=many).status_code == 400

    def test_a_member_changes_its_own_keys(self, gateway: Gateway) -> None:
        key = {"key": ADDRESS, "scopes": 2, "since": 0, "until": 2_000_000_000}
        body = {"id": "keys-1", "kind": "key_change", "add": [key], "retire": [], "revoke": [ADDRESS], "nonce": "1"}
        body |= {"deadline": 2_000_000_000, "signatures": [SIGNATURE, SIGNATURE]}
        assert gateway.as_broker("POST", "/requests", body).status_code == 202
        with reading(gateway.services.market) as connection:
            (request,) = inbox.after(connection, 0, 10)
        assert isinstance(request.body, KeyChangeRequest)
        assert (request.body.statement.member, request.body.statement.add[0].scopes) == (BROKERS[0], 2)
        assert (
            gateway.as_broker("POST", "/requests", body | {"id": "keys-2", "signatures": [SIGNATURE]}).status_code
            == 400
        )

    def test_a_broker_pledges_units_and_needs_no_second_signature_for_a_certificate(self, gateway: Gateway) -> None:
        body = {"id": "pledge-1", "kind": "encumber", "encumbrance_id": HASH, "token": ADDRESS, "units": "40"}
        body |= {"account": ADDRESS, "until": 0, "encumbrance_kind": 2, "party": ADDRESS, "reason": HASH}
        body |= {"deadline": 2_000_000_000, "account_signature": SIGNATURE}
        assert gateway.as_broker("POST", "/requests", body | {"party_signature": SIGNATURE}).status_code == 202
        certificate = {"id": "certificate-1", "encumbrance_kind": 4, "until": 2_000_000_000}
        assert gateway.as_broker("POST", "/requests", body | certificate).status_code == 202
        with reading(gateway.services.market) as connection:
            pledge, certified = inbox.after(connection, 0, 10)
        assert isinstance(pledge.body, EncumberRequest)
        assert isinstance(certified.body, EncumberRequest)
        assert (pledge.body.statement.units, len(pledge.body.party_signature)) == (40, 65)
        assert (certified.body.statement.encumbrance_kind, certified.body.party_signature) == (4, b"")
        lockup = gateway.as_broker("POST", "/requests", body | {"id": "lockup-1", "encumbrance_kind": 1})
        assert (lockup.status_code, lockup.json()["details"]["field"]) == (400, "encumber.encumbrance_kind")

    def test_the_same_request_again_is_kept_once(self, gateway: Gateway) -> None:
        first, second = (gateway.call("POST", "/requests", AGENT, body=credit()) for _ in range(2))
        assert first.content == second.content
        with reading(gateway.services.market) as connection:
            assert len(inbox.after(connection, 0, 10)) == 1

    def test_the_same_id_with_another_body_is_a_conflict(self, gateway: Gateway) -> None:
        gateway.call("POST", "/requests", AGENT, body=credit())
        response = gateway.call("POST", "/requests", AGENT, body=credit(amount="5001"))
        assert (response.status_code, response.json()["code"]) == (409, "CONFLICT")

    def test_two_institutions_may_use_one_id(self, gateway: Gateway) -> None:
        for lei in BROKERS:
            assert gateway.call("POST", "/requests", AGENT, lei, credit()).status_code == 202

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"amount": 5000}, "cash_credit.amount"),
            ({"ref": "0x12"}, "cash_credit.ref"),
            ({"account": "22" * 20}, "cash_credit.account"),
            ({"signature": "0x" + "zz" * 65}, "cash_credit.signature"),
            ({"deadline": "tomorrow"}, "cash_credit.deadline"),
            ({"status": "done"}, "cash_credit.status"),
            ({"id": ""}, "cash_credit.id"),
        ],
        ids=str,
    )
    def test_malformed_input_is_named(self, gateway: Gateway, change: dict[str, object], field: str) -> None:
        response = gateway.call("POST", "/requests", AGENT, body=credit(**change))
        assert (response.status_code, response.json()["details"]["field"]) == (400, field)

    def test_a_cash_account_of_what_is_no_institution_is_refused(self, gateway: Gateway) -> None:
        body = {"id": "open-1", "kind": "cash_account", "account": ADDRESS, "member": "X" * 20, "account_kind": 1}
        body |= {"nonce": "1", "deadline": 2_000_000_000, "signature": SIGNATURE}
        response = gateway.call("POST", "/requests", AGENT, body=body)
        assert (response.status_code, response.json()["details"]) == (400, {"field": "member"})

    def test_an_unknown_kind_is_refused(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/requests", AGENT, body=credit(kind="wish"))
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_INPUT")


class TestReadRequest:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/requests/credit-1").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/requests/credit-1", Role.AUDITOR).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        sent = gateway.call("POST", "/requests", AGENT, body=credit()).json()
        assert gateway.call("GET", "/requests/credit-1", AGENT).json() == sent

    def test_another_institutions_request_is_missing(self, gateway: Gateway) -> None:
        gateway.call("POST", "/requests", AGENT, body=credit())
        assert gateway.call("GET", "/requests/credit-1", AGENT, BROKERS[0]).status_code == 404
