# SPDX-License-Identifier: Apache-2.0
"""`stoken tx` over a database: what is shown, what is asked, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.chain.transactions import sign_legacy
from stoken.cli.running import run
from stoken.db import open_engine, reading, unit_of_work
from stoken.transactions import queries
from stoken.transactions.signer import create_keystore
from stoken.transactions.tables import outbox, senders
from tests.integration.cli.suite_file import write_suite

Capture = pytest.CaptureFixture[str]

ROW = {
    "sender": b"\x01" * 20,
    "nonce": 0,
    "version": 0,
    "sequence": 1,
    "key": "request:tenant:one",
    "body": b"",
    "hash": b"\xaa" * 32,
    "raw": b"\x01",
    "receiver": b"\x02" * 20,
    "gas": 21_000,
    "purpose": "act",
    "owner": "tenant",
    "status": "signed",
}


@pytest.fixture
def stored(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A transaction that never left, and another that did."""
    engine = open_engine(database_url)
    with unit_of_work(engine) as connection:
        connection.execute(
            insert(senders).values(address=ROW["sender"], next_nonce=2, epoch=1, holder="one", lease_ends_at_ms=0)
        )
        sent = {"nonce": 1, "sequence": 2, "key": "settle:1-2", "hash": b"\xbb" * 32, "status": "broadcast"}
        connection.execute(insert(outbox), [ROW, {**ROW, **sent}])
    engine.dispose()
    monkeypatch.setenv("STOKEN_DATABASE__URL", database_url)
    return database_url


def tx(*arguments: str) -> int:
    return run("stoken.cli.transactions", "tx", list(arguments))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))


def asked(url: str, key: str) -> tuple[str | None, str | None]:
    engine = open_engine(url)
    with reading(engine) as connection:
        (found,) = queries.find(connection, key)
    engine.dispose()
    return found.command, found.note


@pytest.mark.usefixtures("stored")
class TestList:
    def test_the_newest_comes_first_with_the_keys_below(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tx("list", "--json") == 0
        listed = document(capsys)
        assert [each["key"] for each in listed["transactions"]] == ["settle:1-2", "request:tenant:one"]
        assert [(key["waiting"], key["next_nonce"]) for key in listed["keys"]] == [(2, 2)]

    def test_one_status_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tx("list", "--status", "signed", "--json") == 0
        assert [each["status"] for each in document(capsys)["transactions"]] == ["signed"]


@pytest.mark.usefixtures("stored")
class TestShow:
    def test_by_hash(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tx("show", "0x" + "bb" * 32, "--json") == 0
        assert document(capsys)["versions"][0]["key"] == "settle:1-2"

    def test_an_unknown_one_is_one_clear_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tx("show", "none") != 0
        assert "there is no transaction none" in capsys.readouterr().err


class TestCancel:
    def test_what_never_left_is_asked_of_the_worker(self, stored: str) -> None:
        assert tx("cancel", "request:tenant:one", "--note", "typed twice") == 0
        assert asked(stored, "request:tenant:one") == ("cancel", "typed twice")

    def test_what_left_is_refused(self, stored: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert tx("cancel", "settle:1-2", "--note", "x") != 0
        assert "the transaction is broadcast" in capsys.readouterr().err
        assert asked(stored, "settle:1-2") == (None, None)


class TestRetry:
    def test_the_same_bytes_are_asked_for(self, stored: str) -> None:
        assert tx("retry", "settle:1-2") == 0
        assert asked(stored, "settle:1-2") == ("retry", None)


class TestRecover:
    def test_it_shows_what_it_took_in(
        self, stored: str, rpc: RpcClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        genesis = rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]  # noqa: FBT003
        write_suite(tmp_path / "suite.json", 20260, bytes.fromhex(genesis[2:]))
        monkeypatch.setenv("STOKEN_SUITE_FILE", str(tmp_path / "suite.json"))
        create_keystore(tmp_path / "sender.json", b"\x07" * 32, "password", work_factor=2)
        monkeypatch.setenv("STOKEN_SIGNER__KEYSTORE_FILE", str(tmp_path / "sender.json"))
        monkeypatch.setenv("STOKEN_SIGNER__PASSWORD", "password")
        monkeypatch.setenv("STOKEN_RPC__URL", rpc.url)
        address, secret = address_of(b"\x07" * 32), b"\x07" * 32
        engine = open_engine(stored)
        with unit_of_work(engine) as connection:
            connection.execute(senders.update().values(address=address, next_nonce=0))
        engine.dispose()
        raw, digest = sign_legacy(secret, 0, 100_000, b"\x0e" * 20, b"", 20260)
        rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        assert tx("recover") != 0
        assert "wait at the node" in capsys.readouterr().err
        rpc.call("evm_mine")
        assert tx("recover", "--json") == 0
        taken = {"sender": f"0x{address.hex()}", "nonce": 0, "hash": f"0x{digest.hex()}"}
        assert document(capsys) == {"transactions": [taken], "settlements": 0}
        assert tx("recover") == 0
        assert "0 transactions recovered" in capsys.readouterr().out
