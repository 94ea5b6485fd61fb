# SPDX-License-Identifier: Apache-2.0
"""What the venue shows: instruments, the whole book, trades."""

from stoken.domain.codes import Role
from tests.integration.gateway.harness import Gateway
from tests.requirements import requirement
from tests.unit.orders.factories import BPL1, BROKERS

NOBODY = Role(0)


class TestListInstruments:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/instruments").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/instruments", NOBODY).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        (instrument,) = gateway.call("GET", "/instruments", Role.ISSUER).json()
        assert (instrument["isin"], instrument["mic"]) == (BPL1, "STKN")
        assert (instrument["registered"], instrument["supply"]) == ("3400000", "1000")
        assert (instrument["lower_limit"], instrument["upper_limit"]) == ("3500", "6500")


class TestReadBook:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", f"/book/{BPL1}").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", f"/book/{BPL1}", NOBODY).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.sell(quantity=10, price=5_010)
        gateway.sell(quantity=5, price=5_010)
        gateway.buy(quantity=7, price=5_000)
        book = gateway.call("GET", f"/book/{BPL1}", Role.ACCOUNT_MANAGER).json()
        assert book["asks"] == [{"price": "5010", "quantity": "15", "orders": 2}]
        assert book["bids"] == [{"price": "5000", "quantity": "7", "orders": 1}]

    def test_an_instrument_that_is_not_admitted_has_none(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/book/ZZSHIPFIN016", Role.VENUE).status_code == 404


class TestListTrades:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/trades").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/trades", NOBODY).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        gateway.sell(quantity=10)
        gateway.buy(quantity=4)
        (trade,) = gateway.call("GET", "/trades", Role.VENUE).json()
        assert (trade["price"], trade["quantity"], trade["status"]) == ("5000", "4", "matched")
        assert (trade["sell_order_id"], trade["buy_order_id"]) == (1, 2)

    @requirement("ORD-17")
    def test_trade_and_quote_name_the_venue(self, gateway: Gateway) -> None:
        gateway.sell()
        gateway.buy()
        assert gateway.call("GET", "/trades", Role.VENUE).json()[0]["mic"] == "STKN"
        assert gateway.call("GET", f"/book/{BPL1}", Role.VENUE).json()["mic"] == "STKN"

    def test_a_broker_learns_only_its_own_side(self, gateway: Gateway) -> None:
        gateway.sell()
        gateway.buy()
        (trade,) = gateway.as_broker("GET", "/trades", broker=BROKERS[1]).json()
        assert (trade["sell_order_id"], trade["buy_order_id"]) == (None, 2)

    def test_pages_follow_the_trade_id(self, gateway: Gateway) -> None:
        gateway.sell(quantity=10)
        for _ in range(3):
            gateway.buy(quantity=1)
        trades = gateway.call("GET", "/trades", Role.VENUE, after=1, limit=1).json()
        assert [trade["trade_id"] for trade in trades] == [2]
        assert gateway.call("GET", "/trades", Role.VENUE, isin="ZZSHIPFIN016").json() == []

    def test_an_unknown_filter_is_named(self, gateway: Gateway) -> None:
        response = gateway.call("GET", "/trades", Role.VENUE, account="0x")
        assert (response.status_code, response.json()["details"]["field"]) == (400, "account")
