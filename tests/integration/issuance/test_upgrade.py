# SPDX-License-Identifier: Apache-2.0
"""An upgrade from the command line to the chain: inspected, recorded, proposed, waited for, executed."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from stoken.chain import artifacts, eip712, provenance, upgrades
from stoken.chain import suite as suites
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Act, MemberKey
from stoken.chain.upgrades import Terms
from stoken.cli import main
from stoken.domain.codes import AgentRole, Role, Scope
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.issuance.calldata import interface
from stoken.network.anvil import Anvil
from tests.consortium import FOREVER, REGISTRAR, VENUE, key_of
from tests.integration.compliance.world import ISIN, World

AUDITOR = b"ZZZZ0000000000002053"
DOCUMENT = b"D" * 32
TWO_DAYS = 2 * 86_400


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    return World(rpc, tmp_path)


@pytest.fixture
def run(
    world: World, node: Anvil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run `stoken contracts` on this suite; return exit code and output."""
    suites.save(world.suite, tmp_path / "suite.json")
    monkeypatch.setenv("STOKEN_SUITE_FILE", str(tmp_path / "suite.json"))
    monkeypatch.setenv("STOKEN_RPC__URL", node.url)

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["stoken", "contracts", *arguments])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def now(world: World) -> int:
    return int(world.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)  # noqa: FBT003 - the node's call


def send(world: World, to: bytes | None, data: bytes) -> dict[str, str]:
    transaction = {"from": world.funded, "data": f"0x{data.hex()}", "gas": hex(8_000_000), "gasPrice": "0x0"}
    if to is not None:
        transaction["to"] = f"0x{to.hex()}"
    sent = world.rpc.call("eth_sendTransaction", transaction)
    world.mine()
    receipt: dict[str, str] = world.rpc.call("eth_getTransactionReceipt", sent)
    return receipt


def implementation(world: World, name: str) -> bytes:
    part = provenance.PARTS.get(name)
    arguments = b"" if part is None else implementation(world, part).rjust(32, b"\0")
    receipt = send(world, None, artifacts.load(name).bytecode + arguments)
    return bytes.fromhex(receipt["contractAddress"][2:])


def record(world: World, code: bytes) -> None:
    """Admit an auditor and record an audit of this code."""
    key = MemberKey(address_of(key_of(AUDITOR)), Scope.INSTRUCTION, 0, FOREVER)
    admit = interface("MemberRegistry").encode("admit", AUDITOR, Role.AUDITOR, (key,))
    assert world.act(world.suite["members"], admit) == "0x1"
    at = now(world)
    code_hash = provenance.code_hash_of(world.rpc, code)
    data = interface("Releases").encode("record", code_hash, b"R" * 32, b"C" * 32, at, at + 300 * 86_400)
    assert world.relay(world.desk.act(world.suite["releases"], data, AUDITOR, REGISTRAR)) == "0x1"


def prepare(world: World, name: str, codes: Sequence[bytes], approvals: Sequence[bytes] = ()) -> upgrades.Upgrade:
    terms = Terms(b"B" * 32, DOCUMENT, 1, now(world) // 10**6 * 10**6 + 10 * 10**6)
    return upgrades.prepare(world.rpc, world.suite, name, codes, terms, approvals)


class TestInspect:
    def test_every_contract_of_the_suite_and_of_its_issues_is_shown(self, world: World) -> None:
        found = {contract.name: contract for contract in provenance.inspect(world.rpc, world.suite)}
        assert set(found) == {*provenance.ARTIFACTS, f"token:{ISIN}", f"compliance:{ISIN}"}
        assert all(contract.is_audited_build for contract in found.values())
        bare = found.pop("identities")
        assert (bare.is_proxy, bare.owner) == (False, b"")
        assert all(contract.is_proxy for contract in found.values())
        assert all(contract.owner == world.suite["authority"] for contract in found.values())
        assert found[f"token:{ISIN}"].address == world.token
        assert provenance.verify(world.rpc, world.suite) == []

    def test_other_code_behind_a_token_is_found(self, world: World) -> None:
        slot = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
        other = implementation(world, "ModularCompliance")
        world.rpc.call("anvil_setStorageAt", f"0x{world.token.hex()}", slot, f"0x{other.rjust(32, bytes(1)).hex()}")
        findings = provenance.verify(world.rpc, world.suite)
        (finding,) = [item for item in findings if item.contract == f"token:{ISIN}"]
        assert "other code than SecurityToken" in finding.what

    def test_agents_of_an_issue_beside_those_it_was_made_with_are_found(self, world: World) -> None:
        assert world.on_token("addAgentFor", world.suite["ballot"], int(AgentRole.RECORD)) == "0x1"
        assert world.on_token("addAgentFor", world.suite["legal"], int(AgentRole.PAUSE)) == "0x1"
        assert provenance.verify(world.rpc, world.suite) == [
            (f"token:{ISIN}", "has ballot as agent for 0x100, not for 0x0"),
            (f"token:{ISIN}", "has legal as agent for 0x40, not for 0x7e"),
        ]


class TestUpgrade:
    def test_audited_code_is_proposed_and_executed_after_two_days(self, world: World) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code)
        name = f"token:{ISIN}"
        digest = prepare(world, name, [code]).digest
        signatures = [sign(key_of(REGISTRAR), digest), sign(key_of(VENUE), digest)]
        upgrade = prepare(world, name, [code], signatures)
        assert upgrade.digest == digest
        assert send(world, upgrade.authority, upgrade.execute)["status"] == "0x0"
        assert send(world, upgrade.authority, upgrade.propose)["status"] == "0x1"
        assert send(world, upgrade.authority, upgrade.execute)["status"] == "0x0"
        world.rpc.call("evm_increaseTime", TWO_DAYS)
        assert send(world, upgrade.authority, upgrade.execute)["status"] == "0x1"
        found = {contract.name: contract for contract in provenance.inspect(world.rpc, world.suite)}
        assert found[name].implementation == code
        assert found[name].audit_expires_at > now(world)
        assert provenance.verify(world.rpc, world.suite) == []

    def test_the_code_of_issues_to_come_is_both_token_and_compliance(self, world: World) -> None:
        codes = [implementation(world, "SecurityToken"), implementation(world, "ModularCompliance")]
        record(world, codes[0])
        with pytest.raises(RefusedError, match="no audit"):
            prepare(world, upgrades.ISSUES, codes)
        with pytest.raises(RefusedError, match="2 implementations"):
            prepare(world, upgrades.ISSUES, codes[:1])

    def test_what_is_not_this_build_or_not_audited_is_refused(self, world: World) -> None:
        code = implementation(world, "SecurityToken")
        with pytest.raises(RefusedError, match="no audit") as refused:
            prepare(world, f"token:{ISIN}", [code])
        assert refused.value.refusal is Refusal.CODE_HASH_MISMATCH
        with pytest.raises(RefusedError, match="is not ModularCompliance"):
            prepare(world, f"compliance:{ISIN}", [code])
        with pytest.raises(RefusedError, match="no contract nothing"):
            prepare(world, "nothing", [code])

    def test_an_audit_that_ends_before_the_deadline_is_refused(self, world: World) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code)
        terms = Terms(b"B" * 32, DOCUMENT, 1, now(world) + 301 * 86_400)
        with pytest.raises(RefusedError) as refused:
            upgrades.prepare(world.rpc, world.suite, f"token:{ISIN}", [code], terms, ())
        assert refused.value.refusal is Refusal.LEDGER_AUDIT_EXPIRED


class TestCommandLine:
    def test_inspect_is_a_table_and_json(self, world: World, run: Callable[..., tuple[int, str]]) -> None:
        code, shown = run("inspect")
        assert code == 0
        assert f"token:{ISIN}" in shown
        code, shown = run("inspect", "--json")
        (token,) = [item for item in json.loads(shown)["contracts"] if item["name"] == f"token:{ISIN}"]
        assert token["address"] == f"0x{world.token.hex()}"
        assert token["is_audited_build"] is True

    def test_upgrade_prints_what_is_signed_and_called(self, world: World, run: Callable[..., tuple[int, str]]) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code)
        arguments = ("upgrade", f"token:{ISIN}", f"0x{code.hex()}", "--basis", "BOARD", "--document", DOCUMENT.hex())
        deadline = now(world) + 86_400 * 9
        exit_code, shown = run(*arguments, "--deadline", str(deadline), "--json")
        assert exit_code == 0
        upgrade = json.loads(shown)
        assert upgrade["to"] == f"0x{world.suite['authority'].hex()}"
        assert upgrade["propose"] == "needs two approvals of the digest"
        act = Act(
            world.token,
            bytes.fromhex(upgrade["data"][2:]),
            b"BOARD".ljust(32, b"\0"),
            DOCUMENT,
            0,
            deadline,
        )
        separator = eip712.domain(eip712.AUTHORITY, world.suite.chain_id, world.suite["authority"])
        assert upgrade["digest"] == f"0x{eip712.act(separator, act).hex()}"

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (("--document", "zz"), "not hexadecimal"),
            (("--document", "00"), "32 bytes"),
            (("--basis", "x" * 33), "1 to 32 characters"),
            (("--approval", "00"), "65 bytes"),
        ],
    )
    def test_bad_input_is_one_line(
        self, run: Callable[..., tuple[int, str]], changed: tuple[str, str], said: str
    ) -> None:
        good = {"--basis": "BOARD", "--document": DOCUMENT.hex(), "--deadline": "1"} | dict([changed])
        code, shown = run("upgrade", "token", "0x" + "11" * 20, *(part for pair in good.items() for part in pair))
        assert code == 2
        assert said in shown
