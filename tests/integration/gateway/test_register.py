# SPDX-License-Identifier: Apache-2.0
"""The register over HTTP: for those who oversee it, as of a final block or a date."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import insert

from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role
from stoken.issuance.tables import decisions
from stoken.ledger.final_blocks import FinalBlocks
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import ContractKind
from stoken.mirror import Finality, store
from stoken.mirror.blocks import Sealed
from stoken.mirror.store import Checkpoint
from stoken.orders import entries
from stoken.transactions.outbox import Failure
from tests.integration.gateway.harness import STRANGER, Gateway, hexed
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, address, chain, emitted, issue, transfer
from tests.requirements import requirement

REGISTRAR = Role.REGISTRAR
WHERE = f"/register/{ISIN}"
VALIDATORS = tuple(address(100 + place) for place in range(4))


@pytest.fixture
def gateway(gateway: Gateway) -> Gateway:
    """The gateway over a ledger of three blocks, of which two are final."""
    blocks = chain(
        [
            [issue(), transfer(NOBODY, address(1), 100)],
            [transfer(address(1), address(2), 30)],
            [transfer(address(1), address(3), 1)],
        ]
    )
    with unit_of_work(gateway.services.ledger) as connection:
        store.insert_blocks(connection, blocks)
        store.insert_seals(connection, [Sealed(1, blocks[1].hash, 2, VALIDATORS, VALIDATORS[:3])])
        LedgerProjection(SUITE).apply(connection, blocks, 1)
        FinalBlocks(lambda: 1_700_000_000_000_000_123, Finality(sealed=True)).apply(connection, blocks, 1)
        store.write_checkpoint(connection, Checkpoint(2, blocks[-1].hash, 1))
    return gateway


class TestReadFinalBlock:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/final-blocks/1").status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/final-blocks/1", Role.ISSUER).status_code == 403

    @requirement("SET-09")
    def test_valid(self, gateway: Gateway) -> None:
        found = gateway.call("GET", "/final-blocks/1", Role.SUPERVISOR).json()
        assert (found["block_number"], found["final_at"], found["round"]) == (1, "1700000000000000123", 2)
        assert (found["quorum"], found["commit_seals"]) == (3, [hexed(each) for each in VALIDATORS[:3]])
        assert found["validators"] == [hexed(each) for each in VALIDATORS]
        assert found["rule"] == "commit seals of two thirds of the validators, depth 0"

    @requirement("SET-09")
    @pytest.mark.parametrize("block", [2, 3, 2**63 - 1])
    def test_what_is_not_final_is_refused(self, gateway: Gateway, block: int) -> None:
        answer = gateway.call("GET", f"/final-blocks/{block}", Role.SUPERVISOR)
        assert (answer.status_code, answer.json()["code"]) == (422, "LEDGER_NOT_FINAL")
        assert answer.json()["details"] == {"block": block, "final": 1}


class TestReadRegister:
    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", WHERE).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", WHERE, Role.ACCOUNT_MANAGER).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        found = gateway.call("GET", WHERE, REGISTRAR).json()
        assert (found["block_number"], found["units"]) == (1, "100")
        assert found["holdings"] == [
            {"account": hexed(address(1)), "units": "70"},
            {"account": hexed(address(2)), "units": "30"},
        ]

    @requirement("REG-11")
    def test_as_of_a_past_block_with_the_rules_then_in_force(self, gateway: Gateway) -> None:
        found = gateway.call("GET", WHERE, REGISTRAR, block=0).json()
        assert (found["block_number"], found["rule_set"]) == (0, 0)
        assert found["holdings"] == [{"account": hexed(address(1)), "units": "100"}]
        refused = gateway.call("GET", WHERE, REGISTRAR, block=2)
        assert (refused.status_code, refused.json()["code"]) == (422, "LEDGER_NOT_FINAL")

    def test_as_of_a_date(self, gateway: Gateway) -> None:
        time = gateway.call("GET", WHERE, REGISTRAR).json()["block_time"]
        later = (datetime.fromtimestamp(time, UTC) + timedelta(days=2)).date()
        assert gateway.call("GET", WHERE, REGISTRAR, date=later).json()["block_number"] == 1
        assert gateway.call("GET", WHERE, REGISTRAR, date=later - timedelta(days=9)).status_code == 404

    def test_a_block_and_a_date_exclude_each_other(self, gateway: Gateway) -> None:
        assert gateway.call("GET", WHERE, REGISTRAR, block=1, date="2026-12-01").status_code == 400

    def test_an_issue_that_does_not_exist(self, gateway: Gateway) -> None:
        assert gateway.call("GET", "/register/ZZSHIPFIN016", REGISTRAR).status_code == 404


class TestReadStatement:
    WHERE = f"{WHERE}/statement"

    @pytest.fixture
    def gateway(self, gateway: Gateway) -> Gateway:
        """The same ledger with a record date in its last block, after that block's move."""
        with reading(gateway.services.ledger) as connection:
            last = store.read_checkpoint(connection)
        declared = emitted(ContractKind.TOKEN, "RecordDateSet", 1, 3, 1_780_000_000)
        mark = emitted(
            ContractKind.ENCUMBRANCES,
            "EncumbranceSet",
            *(b"m" * 32, TOKEN, address(1), 3, 20, 0, address(9), bytes(32)),
        )
        block = chain([[], [], [], [transfer(address(2), address(1), 5), mark, declared]])[3]
        block = block._replace(parent_hash=last.hash)
        with unit_of_work(gateway.services.ledger) as connection:
            store.insert_blocks(connection, [block])
            LedgerProjection(SUITE).apply(connection, [block], 3)
            store.write_checkpoint(connection, Checkpoint(3, block.hash, 3))
        return gateway

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.WHERE).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.WHERE, Role.ACCOUNT_MANAGER).status_code == 403

    @requirement("CA-01")
    def test_valid(self, gateway: Gateway) -> None:
        found = gateway.call("GET", self.WHERE, REGISTRAR).json()
        assert (found["record_date"], found["record_block"], found["supply"]) == (1, 3, "100")
        assert [(line["account"], line["units"]) for line in found["lines"]] == [
            (hexed(address(1)), "74"),
            (hexed(address(2)), "25"),
            (hexed(address(3)), "1"),
        ]
        marks = [{"id": hexed(b"m" * 32), "trustee": hexed(address(9)), "units": "20"}]
        assert (found["lines"][0]["trust_marked"], found["lines"][0]["trust_marks"]) == ("20", marks)
        assert gateway.call("GET", self.WHERE, REGISTRAR, block=3).json() == found

    def test_what_is_no_record_date(self, gateway: Gateway) -> None:
        for named in ({"record_date": 2}, {"block": 2}, {"date": "2020-01-01"}):
            refused = gateway.call("GET", self.WHERE, REGISTRAR, **named)
            assert (refused.status_code, refused.json()["code"]) == (422, "CA_RECORD_DATE_INVALID")


class TestReadEntries:
    WHERE = "/register-entries"

    def test_anonymous(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.WHERE).status_code == 401

    def test_not_permitted(self, gateway: Gateway) -> None:
        assert gateway.call("GET", self.WHERE, Role.ACCOUNT_MANAGER).status_code == 403

    def test_valid(self, gateway: Gateway) -> None:
        failure = msgspec.json.encode(Failure("Malformed", "INVALID_INPUT", {}))
        with unit_of_work(gateway.services.ledger) as connection:
            for number in (1, 2):
                row = {"sequence": number, "tenant": STRANGER, "id": f"r{number}", "received_at_ns": 5 + number}
                connection.execute(insert(decisions).values(failure=failure, **row))
        found = gateway.call("GET", self.WHERE, Role.SUPERVISOR, limit=1).json()
        assert found == [
            {
                "sequence": 1,
                "tenant": STRANGER,
                "id": "r1",
                "kind": None,
                "status": "failed",
                "received_at": "6",
                "entered_at": None,
                "block_number": None,
                "transaction_hash": None,
            }
        ]
        assert [each["id"] for each in gateway.call("GET", self.WHERE, Role.REGISTRAR, after=1).json()] == ["r2"]


class TestReady:
    def test_a_gateway_that_follows_a_ledger_is_ready(self, gateway: Gateway) -> None:
        answer = gateway.call("GET", "/ready")
        assert answer.status_code == 200
        assert answer.json()["ready"] is True

    def test_a_gateway_with_a_token_in_question_is_not_until_it_is_cleared(self, gateway: Gateway) -> None:
        gateway.run(gateway.actor.submit(entries.LedgerHealthChanged(0, current=True, halted=(TOKEN,))))
        answer = gateway.call("GET", "/ready")
        assert (answer.status_code, answer.json()["halted_tokens"]) == (503, [hexed(TOKEN)])
        gateway.run(gateway.actor.submit(entries.LedgerHealthChanged(0, current=True)))
        assert gateway.call("GET", "/ready").status_code == 200

    def test_a_gateway_whose_actor_ended_is_not(self, gateway: Gateway) -> None:
        gateway.run(gateway.actor.stop())
        answer = gateway.call("GET", "/ready")
        assert (answer.status_code, answer.json()["journal"]) == (503, False)
        assert gateway.call("GET", "/health").status_code == 200
        assert gateway.sell().json()["code"] == "UNAVAILABLE"
