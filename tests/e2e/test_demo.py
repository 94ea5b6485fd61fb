# SPDX-License-Identifier: Apache-2.0
"""`stoken demo`: what it writes is what a second count finds, on either database and on two kinds of node."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from stoken.chain import artifacts, texts
from stoken.cli.demo.issuing import INSTRUMENTS
from stoken.issuance.issue_file import read_issue_files
from stoken.network.anvil import Anvil
from stoken.orders.replay import replay
from tests.database import Databases
from tests.e2e.playing import SCENE_ORDERS, Played, play, run_demo
from tests.requirements import requirement

BY_CONTRACTS = {
    "ALREADY_PLEDGED",
    "HOLDING_LIMIT",
    "INSUFFICIENT_CASH",
    "INSUFFICIENT_SECURITIES",
    "INVESTOR_CLAIM_EXPIRED",
    "INVESTOR_CLASS_NOT_ELIGIBLE",
    "INVESTOR_NOT_VERIFIED",
    "JURISDICTION_BARRED",
    "LEGAL_BASIS_REQUIRED",
    "LOCKUP_ACTIVE",
    "NOT_REGISTERED",
    "ROLE_REQUIRED",
    "SENDER_NOT_VERIFIED",
    "SIGNATURE_INVALID",
    "SUPPLY_CAP_EXCEEDED",
}
BY_THE_VENUE_ALONE = {
    "ANNUAL_NET_PURCHASE_LIMIT",
    "DUPLICATE_ORDER",
    "INSTRUMENT_UNKNOWN",
    "LOT_INVALID",
    "MARKET_CLOSED",
    "ORDER_TYPE_UNSUPPORTED",
    "PRICE_OUT_OF_BAND",
    "SECURITIES_PLEDGED",
    "SELF_TRADE_PREVENTED",
    "SHORT_SALE_PROHIBITED",
    "TICK_INVALID",
}


@dataclass(frozen=True)
class Setting:
    """Where the demo is played."""

    database: str
    seed: int
    chain_id: int
    automine: bool
    orders: int


_SETTINGS = {
    "sqlite": Setting("sqlite", seed=1, chain_id=20_260, automine=False, orders=60),
    "postgresql": Setting("postgresql", seed=7, chain_id=31_337, automine=True, orders=40),
}


@pytest.fixture(scope="module", params=_SETTINGS)
def setting(request: pytest.FixtureRequest) -> Setting:
    return _SETTINGS[request.param]


@pytest.fixture(scope="module")
def played(setting: Setting, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    url = databases.create(setting.database, empty=True)
    seed, orders = ("--seed", str(setting.seed)), ("--orders", str(setting.orders))
    interval = None if setting.automine else 0.25
    with Anvil(chain_id=setting.chain_id, block_seconds=interval, automine=setting.automine, keep_history=True) as node:
        yield play(node.url, url, tmp_path_factory.mktemp("demo"), *seed, *orders)
    databases.remove(url)


@pytest.mark.slow
class TestDocument:
    def test_it_has_the_promised_shape(self, played: Played) -> None:
        document = played.document
        assert set(document) == {
            *("chain_id", "head", "contracts", "instruments", "orders", "refused_by_contracts", "trades"),
            *("settled_trades", "settlement_transactions", "cash", "invariants", "phases", "restarts"),
        }
        assert set(document["head"]) == {"number", "hash"}
        assert set(document["orders"]) == {"accepted", "refusals"}
        for item in document["instruments"]:
            assert set(item) == {
                *("isin", "token", "registered", "minted", "register", "record_date", "record_date_register"),
            }
            lines = item["register"] + item["record_date_register"]
            assert all(set(line) == {"address", "units"} and line["units"] > 0 for line in lines)
        assert all(set(check) == {"name", "left", "right", "holds"} for check in document["invariants"])
        assert all(set(phase) == {"name", "seconds", "rate"} for phase in document["phases"])
        addresses = [*document["contracts"].values(), *document["cash"]]
        assert all(address.startswith("0x") and len(address) == 42 for address in addresses)

    def test_it_names_the_chain_and_block_that_the_node_has(self, played: Played, setting: Setting) -> None:
        assert played.document["chain_id"] == setting.chain_id == played.node.chain_id()
        assert played.document["head"]["hash"] == played.node.block_hash(played.head)

    def test_every_invariant_holds_and_no_process_died(self, played: Played) -> None:
        assert [check["name"] for check in played.document["invariants"] if not check["holds"]] == []
        assert played.document["restarts"] == {"work": 0, "serve": 0}


@pytest.mark.slow
class TestRegister:
    @requirement("PRV-01")
    def test_no_calldata_of_the_whole_chain_holds_text_but_names_of_the_issue_files(self, played: Played) -> None:
        """The supervisor's scan: of every transaction from the first block on, whoever sent it."""
        issues = read_issue_files(INSTRUMENTS.read_bytes())
        names = {name for issue in issues for name in (issue.name_en, issue.short_code)}
        sent = played.node.transactions(played.head)
        for to, data in sent:
            texts.check(to, data, names)
        assert len([to for to, _ in sent if not to]) > len(artifacts.names()) / 2
        assert len(sent) > played.document["settlement_transactions"]

    def test_a_recount_of_the_transfer_logs_gives_it_unit_for_unit(self, played: Played) -> None:
        assert len(played.document["instruments"]) == 2
        for item in played.document["instruments"]:
            register = {line["address"]: line["units"] for line in item["register"]}
            assert len(register) == len(item["register"])
            assert register == played.node.balances(item["token"], played.head)

    def test_that_of_the_record_date_is_that_of_its_last_block(self, played: Played) -> None:
        for item in played.document["instruments"]:
            at_date = {line["address"]: line["units"] for line in item["record_date_register"]}
            assert at_date == played.node.balances(item["token"], played.head)

    def test_its_sum_is_the_supply_and_no_more_is_minted_than_registered(self, played: Played) -> None:
        for item in played.document["instruments"]:
            total = sum(line["units"] for line in item["register"])
            assert total == played.node.supply(item["token"], played.head) == item["minted"]
            assert item["minted"] == played.node.minted(item["token"], played.head)
            assert item["minted"] <= item["registered"]

    def test_cash_is_where_the_chain_has_it_and_none_is_lost(self, played: Played) -> None:
        deposit = played.document["contracts"]["deposit"]
        cash = played.document["cash"]
        assert cash == played.node.balances(deposit, played.head)
        assert sum(cash.values()) == played.node.minted(deposit, played.head)
        assert sum(cash.values()) == played.node.supply(deposit, played.head)
        assert len(cash) == 3


@pytest.mark.slow
class TestOrders:
    def test_each_reason_is_shown_by_an_order_or_a_request(self, played: Played) -> None:
        assert set(played.document["orders"]["refusals"]) == BY_CONTRACTS | BY_THE_VENUE_ALONE

    def test_the_contracts_refuse_for_the_same_reasons_what_bypasses_the_gateway(self, played: Played) -> None:
        assert set(played.document["refused_by_contracts"]) == BY_CONTRACTS

    def test_all_of_the_crowd_are_accepted_and_every_trade_settles(self, played: Played, setting: Setting) -> None:
        document = played.document
        assert document["orders"]["accepted"] == setting.orders + SCENE_ORDERS
        assert document["trades"] == document["settled_trades"] >= setting.orders // 2
        settlement = document["contracts"]["settlement"]
        ids = [trade_id for trade_id, _ in played.node.settled_trades(settlement, played.head)]
        assert sorted(ids) == list(range(1, document["trades"] + 1))
        assert document["settlement_transactions"] == played.node.settlement_transactions(settlement, played.head)

    def test_the_journal_alone_gives_the_same_bytes_again(
        self, played: Played, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = played.journal()
        for module, name in ((socket, "socket"), (sqlite3, "connect"), (psycopg, "connect")):
            monkeypatch.setattr(module, name, _refuse)
        found = replay(rows)
        assert (found.mismatch, found.entries) == (None, len(rows))
        assert found.trades == played.document["trades"]
        assert len(found.venue.state.orders) == played.document["orders"]["accepted"]


def _refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a replay needs neither node nor database")


@pytest.mark.slow
class TestRefusal:
    """What cannot work is said in one line."""

    def test_a_database_that_was_used_before(self, played: Played) -> None:
        ended = run_demo("--rpc", played.node_url, "--database", played.database_url)
        assert ended.returncode == 1
        assert ended.stderr == "stoken: STARTUP: the database was used before: the demo needs an empty one\n"

    def test_a_node_of_another_chain_than_the_database(self, played: Played) -> None:
        with Anvil(chain_id=5) as other:
            ended = run_demo("--rpc", other.url, "--database", played.database_url)
        chain_id = played.document["chain_id"]
        assert ended.returncode == 1
        assert ended.stderr == f"stoken: STARTUP: the database belongs to chain {chain_id}, the node to chain 5\n"

    def test_a_node_that_does_not_answer(self) -> None:
        ended = run_demo("--rpc", "http://127.0.0.1:9")
        assert ended.returncode == 1
        assert ended.stderr.startswith("stoken: LEDGER_UNAVAILABLE: ")
        assert ended.stderr.count("\n") == 1


@pytest.mark.slow
class TestOutput:
    def test_without_arguments_it_brings_its_own_chain_and_fits_a_terminal(self, tmp_path: Path) -> None:
        file = tmp_path / "demo.json"
        ended = run_demo("--investors", "2", "--orders", "8", "--json", str(file))
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = ended.stdout.splitlines()
        assert [line[0] for line in lines[:10]] == list("1123334556")
        assert lines[-1].startswith("All that must hold, holds.")
        assert max(len(line) for line in lines) <= 80
        assert json.loads(file.read_bytes())["trades"] >= 4
