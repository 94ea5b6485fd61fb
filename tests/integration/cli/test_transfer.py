# SPDX-License-Identifier: Apache-2.0
"""`stoken transfer` and `stoken register statement` over the ledger of a live world."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from stoken.chain.rpc import RpcClient
from stoken.cli import main
from stoken.db import reading, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.drift import records
from stoken.drift.records import Difference
from stoken.issuance.tables import decisions
from stoken.transactions.outbox import Failure
from tests.integration.compliance.world import ACCOUNTS, ISIN, World

A, B = ("0x" + ACCOUNTS[name].hex() for name in "ab")
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    return World(rpc, tmp_path)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `stoken … --json` on the world's database; return exit code, document and standard error."""
    for name in [name for name in os.environ if name.startswith("STOKEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STOKEN_DATABASE__URL", world.engine.url.render_as_string(hide_password=False))

    def call(*arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["stoken", *arguments, "--json"])
        code = main()
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return call


class TestCheck:
    def test_it_says_what_the_contracts_say_at_each_block(self, world: World, run: Run) -> None:
        paused = world.state.block_number
        assert world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 10) is Refusal.TOKEN_PAUSED
        assert world.on_token("unpause") == "0x1"
        assert world.verdict(ACCOUNTS["a"], ACCOUNTS["b"], 10) is None
        code, now, _ = run("transfer", "check", ISIN, A, B, "10")
        assert (code, now["allowed"], now["refusals"]) == (0, True, [])
        assert now["block_hash"] == "0x" + world.state.block_hash.hex()
        _, then, _ = run("transfer", "check", ISIN, A, B, "101", "--block", str(paused))
        assert [each["code"] for each in then["refusals"]] == ["TOKEN_PAUSED"]
        _, every, _ = run("transfer", "check", ISIN, A, B, "101", "--block", str(paused), "--explain")
        assert [each["rule"] for each in every["refusals"]] == ["pause", "balance"]
        assert every["refusals"][1]["values"] == {"account": A, "available": "100", "needed": "101"}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("0x12", B, "1"), "sender: 0x12 is not an address"),
            ((A, B, "1", "--channel", "SIDE"), "--channel SIDE is none of"),
            ((A, B, "1", "--block", "9999"), "LEDGER_NOT_FINAL"),
        ],
    )
    def test_bad_input_is_one_line(self, run: Run, arguments: tuple[str, ...], said: str) -> None:
        code, document, error = run("transfer", "check", ISIN, *arguments)
        assert (code, document) == (1, None)
        assert said in error
        assert len(error.splitlines()) == 1


class TestDrifts:
    def test_an_open_drift_ends_with_1_until_somebody_says_why(self, world: World, run: Run) -> None:
        assert run("transfer", "drifts")[:2] == (0, {"drifts": []})
        found = Difference(
            world.token,
            ACCOUNTS["a"],
            ACCOUNTS["b"],
            7,
            2,
            world.state.block_number,
            world.state.block_hash,
            b"",
            b"\1",
        )
        with unit_of_work(world.engine) as connection:
            records.record(connection, found, 5)
        code, document, error = run("transfer", "drifts")
        assert (code, "VERDICT_DRIFT" in error) == (1, True)
        (row,) = document["drifts"]
        assert (row["state"], row["channel"], row["local"], row["chain"]) == ("open", "INSTRUCTED", "0x", "0x01")
        assert run("transfer", "resolve", "1", "--by", " ", "--cause", "x")[0] == 1
        code, document, _ = run("transfer", "resolve", "1", "--by", "K. Operator", "--cause", "a stale node")
        assert (code, document["state"], document["cause"]) == (0, "resolved", "a stale node")
        assert run("transfer", "drifts")[0] == 0
        assert run("transfer", "resolve", "1", "--by", "K. Operator", "--cause", "again")[0] == 1
        with reading(world.engine) as connection:
            assert records.open_tokens(connection) == frozenset()


class TestStatement:
    def test_it_prints_the_owners_at_a_record_date(self, world: World, run: Run) -> None:
        code, document, error = run("register", "statement", ISIN)
        assert (code, document, "CA_RECORD_DATE_INVALID" in error) == (1, None, True)
        assert world.on_token("unpause") == "0x1"
        assert world.on_token("setRecordDate") == "0x1"
        block = world.state.block_number
        assert world.transfer("ab", 30) == "0x1"
        code, document, _ = run("register", "statement", ISIN, "--as-of", str(block))
        assert (code, document["record_date"], document["record_block"], document["supply"]) == (0, 1, block, "140")
        assert {line["account"]: line["units"] for line in document["lines"]}[A] == "100"
        assert run("register", "statement", ISIN, "--record-date", "1")[1] == document


class TestEntries:
    def test_an_entry_out_of_order_ends_with_1(self, world: World, run: Run) -> None:
        assert run("register", "entries")[:2] == (0, {"entries": [], "faults": []})
        failure = msgspec.json.encode(Failure("Malformed", "INVALID_INPUT", {}))
        for number, received in ((1, 7), (3, 6)):
            with unit_of_work(world.engine) as connection:
                row = {"sequence": number, "tenant": "T", "id": str(number), "received_at_ns": received}
                connection.execute(insert(decisions).values(failure=failure, **row))
        code, document, error = run("register", "entries", "--after", "1")
        assert (code, [each["sequence"] for each in document["entries"]]) == (1, [3])
        assert document["faults"] == ["3: follows 1, so a request is missing", "3: was received before 1"]
        assert "ENTRY_ORDER" in error
