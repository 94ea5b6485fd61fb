# SPDX-License-Identifier: Apache-2.0
"""What the venue's operator decides."""

from typing import ClassVar

from stoken.domain.codes import Role
from tests.integration.gateway.harness import Gateway, hexed
from tests.unit.orders.factories import BPL1, SHP1B, TOKENS

ADMISSION = {
    "isin": SHP1B,
    "token": hexed(TOKENS[SHP1B]),
    "instrument_type": "BENEFICIARY_CERTIFICATE",
    "lot": "1",
    "net_asset_value": "10000",
    "parties": ["ZZZZ0000000000000695"],
}


class TestAdmitInstrument:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/admissions", body=ADMISSION).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/admissions", Role.ISSUER, body=ADMISSION).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/admissions", Role.VENUE, body=ADMISSION).status_code == 201
        listed = gateway.call("GET", "/instruments", Role.VENUE).json()
        assert [instrument["isin"] for instrument in listed] == [BPL1, SHP1B]

    def test_a_wrong_check_digit_is_refused(self, gateway: Gateway) -> None:
        for change in ({"isin": "ZZSHIPFIN017"}, {"parties": ["ZZZZ0000000000000696"]}):
            response = gateway.call("POST", "/admissions", Role.VENUE, body=ADMISSION | change)
            assert response.json()["code"] == "IDENTIFIER_INVALID"

    def test_a_lot_of_nothing_is_refused(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/admissions", Role.VENUE, body=ADMISSION | {"lot": "0"})
        assert response.json()["details"]["field"] == "lot"


class TestHaltInstrument:
    body: ClassVar = {"isin": BPL1, "halted": True}

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/halts", body=self.body).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/halts", Role.ACCOUNT_MANAGER, body=self.body).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/halts", Role.VENUE, body=self.body).status_code == 201
        assert gateway.sell().json()["code"] == "INSTRUMENT_SUSPENDED"


class TestShiftClock:
    body: ClassVar = {"offset_seconds": 12 * 3_600}

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/clock", body=self.body).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/clock", Role.SUPERVISOR, body=self.body).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/clock", Role.VENUE, body=self.body).status_code == 201
        assert gateway.sell().json()["code"] == "MARKET_CLOSED"

    def test_a_calendar_has_no_days_beyond_a_year(self, gateway: Gateway) -> None:
        response = gateway.call("POST", "/clock", Role.VENUE, body={"offset_seconds": 10**12})
        assert response.json()["details"]["field"] == "offset_seconds"
