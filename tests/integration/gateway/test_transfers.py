# SPDX-License-Identifier: Apache-2.0
"""Pre-checks over HTTP: the contracts' answer before anybody signs, for the manager of the sender."""

from typing import Any

from stoken.domain import facts
from stoken.domain.codes import Role
from stoken.orders import entries
from tests.integration.gateway.harness import STRANGER, Gateway, Json, hexed
from tests.requirements import requirement
from tests.unit.orders.factories import BPL1, BROKERS, TOKENS, account_facts, address, rules

TOKEN = TOKENS[BPL1]


def body(**fields: object) -> dict[str, Any]:
    """The body of a question; accounts by their names."""
    said = {"sender": "seller", "receiver": "buyer", "quantity": 10} | fields
    return said | {
        "isin": BPL1,
        "sender": hexed(address(str(said["sender"]))),
        "receiver": hexed(address(str(said["receiver"]))),
        "quantity": str(said["quantity"]),
    }


def ask(gateway: Gateway, broker: bytes = BROKERS[0], *, explain: bool = False, **fields: object) -> Json:
    query = {"explain": "true"} if explain else {}
    response = gateway.call("POST", "/pre-checks", Role.ACCOUNT_MANAGER, broker, body(**fields), **query)
    assert response.status_code == 200, response.text
    return response.json()


class TestPreCheck:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/pre-checks", body=body()).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("POST", "/pre-checks", Role.ISSUER, STRANGER, body()).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        block, market = gateway.block, len(gateway.run(gateway.actor.read(lambda venue: list(venue.state.orders))))
        found = ask(gateway)
        assert (found["allowed"], found["code"], found["rule"], found["refusals"]) == (True, None, None, [])
        assert (found["block_number"], found["block_hash"]) == (block, hexed(block.to_bytes(32)))
        assert found["rule_set"] == 0
        assert len(gateway.run(gateway.actor.read(lambda venue: list(venue.state.orders)))) == market

    def test_the_first_rule_that_refuses_is_named_with_its_values(self, gateway: Gateway) -> None:
        gateway.apply([rules(BPL1, 1, 1, lot=7)])
        found = ask(gateway, quantity=2_000)
        assert (found["allowed"], found["code"], found["rule"], found["rule_set"]) == (False, "LOT_INVALID", "lot", 1)
        assert found["refusals"] == [{"rule": "lot", "code": "LOT_INVALID", "values": {"units": "2000", "lot": "7"}}]

    @requirement("TRF-02")
    def test_with_explain_every_rule_that_refuses_in_order(self, gateway: Gateway) -> None:
        gateway.apply([facts.Paused(TOKEN, paused=True), rules(BPL1, 1, 1, lot=7, off_venue_barred=True)])
        found = ask(gateway, quantity=2_000, explain=True)
        assert [each["rule"] for each in found["refusals"]] == ["pause", "lot", "off_venue", "balance"]
        assert found["rule"] == "pause"
        by_venue = ask(gateway, quantity=2_000, explain=True, channel="VENUE")
        assert [each["rule"] for each in by_venue["refusals"]] == ["pause", "lot", "balance"]

    def test_a_broker_asks_about_senders_that_it_manages(self, gateway: Gateway) -> None:
        refused = gateway.as_broker("POST", "/pre-checks", body(), BROKERS[1])
        assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND")
        missing = gateway.as_broker("POST", "/pre-checks", body(sender="nobody"), BROKERS[1])
        assert missing.json()["detail"] == refused.json()["detail"]
        everybody = gateway.call("POST", "/pre-checks", Role.SUPERVISOR, STRANGER, body())
        assert everybody.status_code == 200

    def test_what_another_brokers_customer_holds_is_not_told(self, gateway: Gateway) -> None:
        gateway.apply([rules(BPL1, 1, 1, cap_units=5), *account_facts("second", BROKERS[0])])
        (foreign,) = ask(gateway, explain=True)["refusals"]
        assert foreign == {"rule": "cap", "code": "HOLDING_LIMIT", "values": None}
        (own,) = ask(gateway, receiver="second")["refusals"]
        assert (own["code"], own["values"]["position"], own["values"]["limit"]) == ("HOLDING_LIMIT", "10", "5")
        overseen = gateway.call("POST", "/pre-checks", Role.SUPERVISOR, STRANGER, body()).json()
        assert overseen["refusals"][0]["values"]["position"] == "10"

    def test_a_trust_mark_that_its_trustee_lets_go(self, gateway: Gateway) -> None:
        gateway.apply([facts.EncumbranceSet(b"m" * 32, TOKEN, address("seller"), 3, 995, 0, address("buyer"))])
        assert ask(gateway, quantity=995)["code"] == "SECURITIES_RESTRICTED"
        assert ask(gateway, quantity=995, trust_mark=hexed(b"m" * 32))["allowed"] is True
        for changed in ({"quantity": 10}, {"quantity": 995, "channel": "VENUE"}):
            wrong = gateway.as_broker("POST", "/pre-checks", body(trust_mark=hexed(b"m" * 32), **changed))
            assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_INPUT")

    def test_an_issue_that_no_venue_admitted_is_known_by_the_ledger(self, gateway: Gateway) -> None:
        found = gateway.as_broker("POST", "/pre-checks", body() | {"isin": "ZZSHIPFIN016"})
        assert found.json()["code"] == "INSUFFICIENT_SECURITIES"
        assert gateway.as_broker("POST", "/pre-checks", body() | {"isin": "ZZNOTHERE000"}).status_code == 404

    def test_without_a_current_ledger_nobody_can_say(self, gateway: Gateway) -> None:
        gateway.run(gateway.actor.submit(entries.LedgerHealthChanged(0, current=False)))
        refused = gateway.as_broker("POST", "/pre-checks", body())
        assert (refused.status_code, refused.json()["code"]) == (503, "LEDGER_UNAVAILABLE")

    def test_nor_of_a_token_whose_verdict_differed(self, gateway: Gateway) -> None:
        gateway.run(gateway.actor.submit(entries.LedgerHealthChanged(0, current=True, halted=(TOKEN,))))
        refused = gateway.as_broker("POST", "/pre-checks", body())
        assert (refused.json()["code"], refused.json()["details"]["token"]) == ("LEDGER_UNAVAILABLE", hexed(TOKEN))
        other = gateway.as_broker("POST", "/pre-checks", body() | {"isin": "ZZSHIPFIN016"})
        assert other.status_code == 200
        gateway.run(gateway.actor.submit(entries.LedgerHealthChanged(0, current=True)))
        assert ask(gateway)["allowed"] is True
