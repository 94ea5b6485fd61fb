# SPDX-License-Identifier: Apache-2.0
"""`stoken keys`: from a draft to the policy in force, its record, and an approval under it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from stoken.chain import artifacts, eip712
from stoken.chain import suite as suites
from stoken.chain.codec import Interface
from stoken.chain.signatures import address_of
from stoken.chain.statements import Act, GivenApproval
from stoken.cli import key_files
from stoken.cli.running import run
from stoken.db import open_engine, reading, unit_of_work
from stoken.issuance.calldata import call_of
from stoken.issuance.step import request_key
from stoken.parties.requests import ActRequest
from stoken.transactions import key_policy
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.key_policy import Ceremony
from stoken.transactions.signer import create_keystore
from stoken.transactions.tables import key_ceremonies
from tests.integration.cli.suite_file import write_suite
from tests.key_holders import ANNE, BORA, CHUL, founding, now, signed

TENANT = "ZZZZ0000000000000113"
HOLDERS = {"anne": ANNE, "bora": BORA, "chul": CHUL}


class Desk:
    """Three holders, each at a machine with a keystore of its own, and the venue's database."""

    def __init__(self, folder: Path, url: str, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.url, self._patch = folder, url, patch
        write_suite(folder / "suite.json", 31_337, bytes(32))
        self.suite = suites.load(folder / "suite.json")
        for name, secret in HOLDERS.items():
            create_keystore(folder / name, secret, "x", work_factor=2)
        patch.setenv("STOKEN_DATABASE__URL", url)
        patch.setenv("STOKEN_SUITE_FILE", str(folder / "suite.json"))
        patch.setenv("STOKEN_SIGNER__PASSWORD", "x")
        self.draft = folder / "draft.json"
        self.draft.write_text(json.dumps(self.document()))

    def document(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of any kind
        """A founding policy as people write it."""
        made = key_files.document(founding())
        del made["version"], made["previous"]
        return {**made, **changes}

    def sits(self, name: str) -> None:
        self._patch.setenv("STOKEN_SIGNER__KEYSTORE_FILE", str(self.folder / name))

    @property
    def separator(self) -> bytes:
        return eip712.domain(eip712.KEY_POLICY, self.suite.chain_id, self.suite["authority"])

    def history(self) -> list[Ceremony]:
        engine = open_engine(self.url)
        with reading(engine) as connection:
            found = key_policy.history(connection, self.separator)
        engine.dispose()
        return found


@pytest.fixture
def desk(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, database_url, monkeypatch)


def keys(*arguments: str) -> int:
    return run("stoken.cli.keys", "keys", list(arguments))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))


def found(desk: Desk, capsys: pytest.CaptureFixture[str], *names: str) -> int:
    """Hold the ceremony with these holders; return the exit code of its record."""
    assert keys("draft", str(desk.draft), "--json") == 0
    version = desk.folder / "version.json"
    version.write_text(capsys.readouterr().out)
    options = []
    for name in names:
        desk.sits(name)
        assert keys("sign", str(version), "--json") == 0
        options += ["--signature", *document(capsys)["signatures"].values()]
    return keys("record", str(version), *options)


class TestRecord:
    def test_a_ceremony_ends_in_the_policy_in_force(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert found(desk, capsys, *HOLDERS) == 0
        (ceremony,) = desk.history()
        assert f"version 1 is in force: 0x{ceremony.digest.hex()}" in capsys.readouterr().out
        assert keys("policy", "--json") == 0
        shown = document(capsys)
        assert shown["digest"] == f"0x{ceremony.digest.hex()}"
        assert shown["rules"]["mint"]["required"] == 2
        assert [each["key"] for each in shown["rules"]["mint"]["holders"]] == [
            f"0x{address_of(each).hex()}" for each in HOLDERS.values()
        ]

    def test_a_missing_signature_is_one_clear_line(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert found(desk, capsys, "anne", "bora") == 1
        assert "SIGNATURE_POLICY_UNMET: 1 keys that are new did not sign" in capsys.readouterr().err
        assert desk.history() == []

    def test_what_is_no_signature_is_one_clear_line(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert keys("record", str(desk.draft), "--signature", "0x12") == 1
        assert "65 bytes" in capsys.readouterr().err


class TestDraft:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"rules": {}}, "rules must have mint, burn, force, rules, upgrade"),
            ({"document": "0x12"}, "document"),
            ({"deadline": -1}, "deadline"),
            ({"note": "x"}, "note"),
        ],
    )
    def test_a_mistake_is_one_clear_line(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], said: str
    ) -> None:
        desk.draft.write_text(json.dumps(desk.document(**changes)))
        assert keys("draft", str(desk.draft)) == 1
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("field", "value", "said"), [("custody", "pocket", "custody"), ("institution", "ZZZZ", "institution")]
    )
    def test_a_mistake_about_a_holder_is_one_clear_line(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], field: str, value: str, said: str
    ) -> None:
        written = desk.document()
        written["rules"]["burn"]["holders"][0][field] = value
        desk.draft.write_text(json.dumps(written))
        assert keys("draft", str(desk.draft)) == 1
        assert said in capsys.readouterr().err


class TestCeremonies:
    def test_who_signed_and_which_keys_came_is_shown(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        found(desk, capsys, *HOLDERS)
        capsys.readouterr()
        assert keys("ceremonies") == 0
        shown = capsys.readouterr().out
        for secret in HOLDERS.values():
            assert f"signed by    0x{address_of(secret).hex()}" in shown
            assert f"keys added   0x{address_of(secret).hex()}" in shown
        assert "minutes 0x" + "0d" * 32 in shown

    def test_a_record_that_was_changed_is_an_error(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        found(desk, capsys, *HOLDERS)
        engine = open_engine(desk.url)
        with unit_of_work(engine) as connection:
            connection.execute(update(key_ceremonies).values(signatures=b"[]"))
        engine.dispose()
        assert keys("ceremonies") == 1
        assert "SIGNATURE_POLICY_UNMET" in capsys.readouterr().err

    @pytest.mark.usefixtures("desk")
    def test_without_any_there_is_no_policy(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert keys("ceremonies", "--json") == 0
        assert document(capsys) == {"ceremonies": []}
        assert keys("policy") == 1
        assert "no key policy is on record" in capsys.readouterr().err


class TestApprove:
    def request(self, desk: Desk, function: str, *arguments: object) -> tuple[Path, ActRequest]:
        data = Interface(artifacts.load("SecurityToken").abi).encode(function, *arguments)
        act = Act(b"\x01" * 20, data, bytes(32), bytes(32), 7, now() + 600)
        signature = signed(founding(), ANNE)[0]
        body = {
            "kind": "act",
            "id": "mint-1",
            "target": f"0x{act.target.hex()}",
            "data": f"0x{data.hex()}",
            "basis": "0x" + "00" * 32,
            "document": "0x" + "00" * 32,
            "salt": "7",
            "deadline": act.deadline,
            "approvals": [f"0x{signature.hex()}"] * 2,
        }
        path = desk.folder / "request.json"
        path.write_text(json.dumps(body))
        return path, ActRequest(act, (signature, signature))

    def test_two_of_three_let_the_request_pass(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        found(desk, capsys, *HOLDERS)
        path, act = self.request(desk, "mint", b"\x02" * 20, 1)
        capsys.readouterr()
        given = []
        for name in ("anne", "chul"):
            desk.sits(name)
            assert keys("approve", str(path), "--tenant", TENANT, "--deadline", str(now() + 60), "--json") == 0
            given += document(capsys)["key_approvals"]
        made = [GivenApproval(bytes.fromhex(each["signature"][2:]), each["deadline"]) for each in given]
        gate = KeyGate(desk.suite.chain_id, desk.suite["authority"])
        engine = open_engine(desk.url)
        with reading(engine) as connection:
            gate.check(connection, request_key(TENANT, "mint-1"), desk.suite["authority"], call_of(act).data, made)
        engine.dispose()

    def test_an_ordinary_act_needs_none(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        path, _ = self.request(desk, "unpause")
        desk.sits("anne")
        assert keys("approve", str(path), "--tenant", TENANT, "--deadline", "1") == 1
        assert "need no approval" in capsys.readouterr().err
