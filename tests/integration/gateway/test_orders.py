# SPDX-License-Identifier: Apache-2.0
"""Orders over HTTP: who may send them, what is answered, and that the same request acts once."""

import asyncio

import httpx
import pytest

from stoken.domain.codes import Role, Side
from tests.integration.gateway.harness import Gateway, cancel_body
from tests.unit.orders.factories import BROKERS

BROKER = Role.ACCOUNT_MANAGER


class TestTakeOrder:
    def test_anonymous(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/orders", body=gateway.order("seller", Side.SELL))
        assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")

    def test_not_permitted(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL)
        response = gateway.call("POST", "/orders", ~BROKER & Role(8191), BROKERS[0], body)
        assert (response.status_code, response.json()["code"]) == (403, "ROLE_REQUIRED")

    def test_valid(self, gateway: Gateway) -> None:
        response = gateway.sell()
        assert response.status_code == 201
        assert response.json() == {
            "client_order_id": "c1",
            "order_id": 1,
            "status": "new",
            "leaves_quantity": "10",
            "cumulative_quantity": "0",
            "block_number": 1,
            "block_hash": "0x" + (1).to_bytes(32).hex(),
            "rule_set": 0,
            "rulebook": response.json()["rulebook"],
        }

    def test_two_orders_at_one_price_trade(self, gateway: Gateway) -> None:
        gateway.sell(quantity=30)
        answer = gateway.buy(quantity=20).json()
        assert (answer["status"], answer["cumulative_quantity"]) == ("filled", "20")

    def test_the_same_order_again_gets_the_same_answer_and_acts_once(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL)
        first, second = (gateway.as_broker("POST", "/orders", body) for _ in range(2))
        assert first.status_code == second.status_code == 201
        assert first.content == second.content
        book = gateway.call("GET", "/book/ZZBUSANPL019", BROKER).json()
        assert book["asks"] == [{"price": "5000", "quantity": "10", "orders": 1}]

    def test_fifty_at_once_have_one_effect_and_one_answer(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL)
        headers = {"authorization": f"Bearer {gateway.issuer.token(BROKERS[0].decode(), Role.ACCOUNT_MANAGER)}"}

        async def fifty() -> list[httpx.Response]:
            posts = (gateway.http.post("/orders", json=body, headers=headers) for _ in range(50))
            return await asyncio.gather(*posts)

        answers = gateway.run(fifty())
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        book = gateway.call("GET", "/book/ZZBUSANPL019", BROKER).json()
        assert book["asks"] == [{"price": "5000", "quantity": "10", "orders": 1}]

    def test_after_a_restart_the_same_order_gets_the_same_answer(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL)
        first = gateway.as_broker("POST", "/orders", body)
        gateway.run(gateway.actor.stop())
        with Gateway(gateway.services.market, gateway.services.ledger) as again:
            again.issuer, again.services = gateway.issuer, gateway.services
            again.app.state.verifier = gateway.app.state.verifier
            second = again.as_broker("POST", "/orders", body)
            assert (second.status_code, second.content) == (201, first.content)
            changed = again.as_broker("POST", "/orders", body | {"quantity": "11"})
            assert changed.status_code == 409

    def test_the_same_id_with_another_body_is_a_conflict(self, gateway: Gateway) -> None:
        gateway.sell(client_order_id="mine")
        response = gateway.sell(client_order_id="mine")
        assert (response.status_code, response.json()["code"]) == (409, "DUPLICATE_ORDER")

    def test_a_refusal_names_rule_values_and_what_it_was_given_on(self, gateway: Gateway) -> None:
        response = gateway.sell(quantity=1_001)
        problem = response.json()
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["type"] == "/problems/INSUFFICIENT_SECURITIES"
        assert problem["details"]["available"] == "1000"
        assert problem["details"]["needed"] == "1001"
        assert problem["details"]["rule"] == "INSUFFICIENT_SECURITIES"
        assert {"block_number", "block_hash", "rule_set", "rulebook"} < set(problem["details"])

    def test_a_signature_that_does_not_cover_the_body_is_refused(self, gateway: Gateway) -> None:
        assert gateway.sell(nonce="77").json()["code"] == "SIGNATURE_INVALID"

    def test_another_brokers_account_is_not_ones_own(self, gateway: Gateway) -> None:
        body = gateway.order("seller", Side.SELL, broker=BROKERS[1])
        response = gateway.as_broker("POST", "/orders", body, BROKERS[1])
        assert response.status_code == 422
        assert response.json()["code"] in {"NOT_ACCOUNT_MANAGER", "ACCOUNT_UNKNOWN"}

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"price": 5000}, "price"),
            ({"price": "-1"}, "price"),
            ({"price": "1.0"}, "price"),
            ({"quantity": "9" * 20}, "quantity"),
            ({"account": "0x12"}, "account"),
            ({"signature": "0x" + "0" * 129}, "signature"),
            ({"side": "HOLD"}, "side"),
            ({"settle_by": -1}, "settle_by"),
            ({"client_order_id": ""}, "client_order_id"),
            ({"client_order_id": "two words"}, "client_order_id"),
            ({"client_order_id": "line\n"}, "client_order_id"),
            ({"order_type": "STOP"}, "order_type"),
            ({"extra": 1}, "extra"),
        ],
        ids=str,
    )
    def test_malformed_input_is_named(self, gateway: Gateway, change: dict[str, object], field: str) -> None:
        body = gateway.order("seller", Side.SELL)
        response = gateway.as_broker("POST", "/orders", body | change)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_INPUT")
        assert response.json()["details"]["field"] == field

    def test_a_body_that_is_no_json_is_refused(self, gateway: Gateway) -> None:
        assert gateway.as_broker("POST", "/orders", "text").json()["code"] == "INVALID_INPUT"
        assert gateway.as_broker("POST", "/orders", {"isin": "x" * 5_000}).json()["code"] == "INVALID_INPUT"


class TestReadOrder:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/orders/1").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/orders/1", Role.ISSUER).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.sell(quantity=7)
        order = gateway.as_broker("GET", "/orders/1").json()
        assert (order["side"], order["quantity"], order["status"]) == ("SELL", "7", "new")
        assert order["broker"] == BROKERS[0].decode()

    def test_another_brokers_order_is_missing(self, gateway: Gateway) -> None:
        gateway.sell()
        theirs = gateway.as_broker("GET", "/orders/1", broker=BROKERS[1])
        missing = gateway.as_broker("GET", "/orders/99", broker=BROKERS[1])
        assert theirs.status_code == missing.status_code == 404
        assert theirs.content == missing.content

    def test_the_supervisor_sees_every_order(self, gateway: Gateway) -> None:
        gateway.sell()
        assert gateway.call("GET", "/orders/1", Role.SUPERVISOR).status_code == 200

    def test_an_id_that_is_no_number_is_named(self, gateway: Gateway) -> None:
        assert gateway.as_broker("GET", "/orders/first").json()["details"]["field"] == "order_id"


class TestCancelOrder:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("DELETE", "/orders/1", body=cancel_body(BROKERS[0], 1)).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        response = gateway.call("DELETE", "/orders/1", Role.VENUE, BROKERS[0], cancel_body(BROKERS[0], 1))
        assert response.status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.sell()
        response = gateway.as_broker("DELETE", "/orders/1", cancel_body(BROKERS[0], 1))
        assert response.json() == {"order_id": 1, "status": "canceled", "cumulative_quantity": "0"}
        assert gateway.as_broker("GET", "/orders/1").json()["status"] == "canceled"

    def test_another_brokers_order_is_missing(self, gateway: Gateway) -> None:
        gateway.sell()
        response = gateway.as_broker("DELETE", "/orders/1", cancel_body(BROKERS[1], 1), BROKERS[1])
        assert response.status_code == 404

    def test_who_oversees_cancels_none_of_its_own_orders_by_anothers_number(self, gateway: Gateway) -> None:
        gateway.sell()
        foreign, own = gateway.sell(), gateway.buy(price=4_995)
        body, roles = cancel_body(BROKERS[1], 2), BROKER | Role.SUPERVISOR
        response = gateway.call("DELETE", f"/orders/{foreign.json()['order_id']}", roles, BROKERS[1], body)
        assert response.status_code == 404
        own_id = own.json()["order_id"]
        assert gateway.as_broker("GET", f"/orders/{own_id}", broker=BROKERS[1]).json()["status"] == "new"
        assert gateway.as_broker("DELETE", f"/orders/{own_id}", body, BROKERS[1]).status_code == 200

    def test_a_foreign_signature_cancels_nothing(self, gateway: Gateway) -> None:
        gateway.sell()
        response = gateway.as_broker("DELETE", "/orders/1", cancel_body(BROKERS[0], 2))
        assert response.json()["code"] == "SIGNATURE_INVALID"
        assert gateway.as_broker("GET", "/orders/1").json()["status"] == "new"
