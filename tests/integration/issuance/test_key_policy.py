# SPDX-License-Identifier: Apache-2.0
"""Requests under the key policy, from the ceremony to the chain and to what a supervisor sees of it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, select

from stoken.chain import eip712
from stoken.chain import suite as suites
from stoken.chain.artifacts import load as load_artifact
from stoken.chain.artifacts import names
from stoken.chain.codec import Interface
from stoken.chain.key_acts import KINDS
from stoken.chain.rpc import RpcClient
from stoken.cli.running import run
from stoken.db import reading, unit_of_work
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.issuance.calldata import call_of, interface
from stoken.issuance.queries import RequestStatus
from stoken.issuance.step import IssuanceStep, request_key
from stoken.parties.requests import ActRequest
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from stoken.transactions.tables import outbox
from tests.consortium import BUYER, ISSUER, REGISTRAR, SELLER, SENDER, VENUE
from tests.integration.write_world import TENANT, WriteWorld
from tests.key_holders import ANNE, BORA, CHUL, DANA, after, approvals, found, record, rule, rules
from tests.requirements import requirement


class GuardedWorld(WriteWorld):
    """A market whose sender key signs acts only under a key policy."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        super().__init__(engine, rpc)
        self.found_market()
        chain_id = self.suite.chain_id
        self.separator = eip712.domain(eip712.KEY_POLICY, chain_id, self.suite["authority"])
        with unit_of_work(engine) as connection:
            self.founded = found(connection, self.separator)
        gate = KeyGate(chain_id, self.suite["authority"], self.founded.digest)
        signer = KeystoreSigner(SENDER)
        self.outbox = Outbox({signer.address: signer}, chain_id, gate=gate)
        self.outbox.take_over(engine, rpc)
        self.issuance = IssuanceStep(engine, engine, self.outbox, self.suite, 30_000_000)

    def approved(self, request_id: str, act: ActRequest, *secrets: bytes) -> ActRequest:
        """Return an act with the approvals of these keys for a request of this id."""
        given = approvals(
            request_key(TENANT, request_id),
            call_of(act).data,
            secrets,
            to=self.suite["authority"],
            chain_id=self.suite.chain_id,
        )
        return msgspec.structs.replace(act, key_approvals=tuple(given))

    def sent(self) -> int:
        with reading(self.engine) as connection:
            return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())


@pytest.fixture
def world(engine: Engine, rpc: RpcClient) -> GuardedWorld:
    return GuardedWorld(engine, rpc)


def acts(world: GuardedWorld) -> dict[KeyAct, ActRequest]:
    """Return an act of each kind that the contracts would carry out, or would refuse for reasons of their own."""
    token = interface("SecurityToken")
    made = {
        KeyAct.MINT: world.desk.mint(world.token, BUYER, 1),
        KeyAct.BURN: world.desk.act(world.token, token.encode("burn", SELLER.account, 1), REGISTRAR, VENUE),
        KeyAct.FORCE: world.desk.act(
            world.token, token.encode("forcedTransfer", SELLER.account, BUYER.account, 1), REGISTRAR, VENUE
        ),
        KeyAct.RULES: world.desk.act(
            world.suite["authority"],
            interface("Authority").encode("setPolicy", token.functions["mint"].selector, 1, 8, 0),
            REGISTRAR,
            VENUE,
        ),
        KeyAct.UPGRADE: world.desk.act(
            world.suite["registry"],
            interface("Authority").encode("upgradeToAndCall", world.suite["authority"], b""),
            ISSUER,
            REGISTRAR,
        ),
    }
    assert set(made) == set(KeyAct)
    return made


class TestKeyPolicy:
    @requirement("ACC-09")
    def test_mint_burn_force_rules_and_upgrade_need_m_of_n_keys_and_the_supervisor_sees_the_ceremonies(
        self,
        world: GuardedWorld,
        database_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        before = world.sent()
        for kind, act in acts(world).items():
            few = f"few-{kind.name}"
            outcome = world.carry(few, world.approved(few, act, ANNE, ANNE))
            assert (outcome.status, outcome.transaction_hash) == (RequestStatus.FAILED, None)
            assert outcome.failure is not None
            assert outcome.failure.code == Refusal.SIGNATURE_POLICY_UNMET
            assert outcome.failure.arguments["act"] == kind.name.lower()
            assert (outcome.failure.arguments["approved"], outcome.failure.arguments["missing"]) == (1, 1)
        assert world.sent() == before
        for kind, act in acts(world).items():
            enough = f"enough-{kind.name}"
            assert world.carry(enough, world.approved(enough, act, ANNE, CHUL)).transaction_hash is not None
        assert world.sent() == before + len(KeyAct)
        assert world.outcome("enough-MINT").status is RequestStatus.DONE
        assert world.units(BUYER) == 2
        self.check_ceremonies(world, database_url, tmp_path, monkeypatch, capsys)

    def check_ceremonies(
        self,
        world: GuardedWorld,
        database_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Exchange a key, and look at the record as a supervisor does."""
        changed = rules({KeyAct.FORCE: rule(KeyAct.FORCE, ANNE, BORA, DANA)})
        with unit_of_work(world.engine) as connection:
            record(connection, after(world.founded, rules=changed), BORA, CHUL, DANA, separator=world.separator)
        suites.save(world.suite, tmp_path / "suite.json")
        monkeypatch.setenv("STOKEN_DATABASE__URL", database_url)
        monkeypatch.setenv("STOKEN_SUITE_FILE", str(tmp_path / "suite.json"))
        capsys.readouterr()
        assert run("stoken.cli.keys", "keys", ["ceremonies", "--json"]) == 0
        first, second = shown(capsys)["ceremonies"]
        assert [len(first[each]) for each in ("signed_by", "keys_added", "keys_removed")] == [3, 3, 0]
        assert [len(second[each]) for each in ("signed_by", "keys_added", "keys_removed")] == [3, 1, 0]
        assert (second["acts"], second["under_version"]) == ("force", 1)
        assert {each["custody"] for each in first["signed_by"]} == {"hsm"}

    def test_the_same_request_again_needs_no_second_approval_and_sends_nothing(self, world: GuardedWorld) -> None:
        act = world.approved("mint-1", world.desk.mint(world.token, BUYER, 1), ANNE, BORA)
        world.carry("mint-1", act)
        before = world.sent()
        world.carry("mint-1", act)
        assert world.sent() == before

    def test_approvals_do_not_serve_another_request(self, world: GuardedWorld) -> None:
        act = world.approved("mint-1", world.desk.mint(world.token, BUYER, 1), ANNE, BORA)
        outcome = world.carry("mint-2", act)
        assert outcome.failure is not None
        assert outcome.failure.code == Refusal.SIGNATURE_POLICY_UNMET
        assert outcome.failure.arguments["approved"] == 0

    def test_ordinary_requests_go_on(self, world: GuardedWorld) -> None:
        assert world.carry("pause", world.desk.pause(world.token)).status is RequestStatus.DONE

    def test_what_the_contracts_call_force_is_guarded(self, world: GuardedWorld) -> None:
        authority = interface("Authority")
        functions = {
            function.selector: function.name
            for name in names()
            for function in Interface(load_artifact(name).abi).functions.values()
        }
        to = f"0x{world.suite['authority'].hex()}"
        calls = [
            ("eth_call", ({"to": to, "data": f"0x{authority.encode('isForce', selector).hex()}"}, "latest"))
            for selector in functions
        ]
        answers = [int(str(world.rpc.call(method, *arguments)), 16) for method, arguments in calls]
        force = {name for name, answer in zip(functions.values(), answers, strict=True) if answer}
        assert len(force) > 20
        assert {KINDS.get(name) for name in force} == {KeyAct.FORCE, KeyAct.BURN}


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))
