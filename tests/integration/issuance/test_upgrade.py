# SPDX-License-Identifier: Apache-2.0
"""An upgrade from the command line to the chain: inspected, recorded, proposed, waited for, executed."""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from eth_hash.auto import keccak

from stoken.chain import artifacts, eip712, provenance, upgrades
from stoken.chain import suite as suites
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import Act, MemberKey
from stoken.chain.upgrades import Compatibility, Signatures, Terms
from stoken.cli import main
from stoken.domain.codes import AgentRole, Role, Scope
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.issuance.calldata import interface
from stoken.network.anvil import Anvil
from tests.consortium import BROKER_1, FOREVER, REGISTRAR, VENUE, key_of
from tests.integration.compliance.world import ISIN, World
from tests.requirements import requirement

AUDITOR = b"ZZZZ0000000000002053"
DOCUMENT = b"D" * 32
TWO_DAYS = 2 * 86_400
FOUR_HOURS = 4 * 3_600
UNSIGNED = Signatures()
SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"


def report_of(*differences: str, **hashes: str) -> bytes:
    """A compatibility test of this build."""
    built = {name: f"0x{artifacts.load(name).runtime_hash.hex()}" for name in artifacts.names()}
    return msgspec.json.encode(Compatibility(built | hashes, "former", "present", list(differences)))


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


def send(world: World, to: bytes | None, data: bytes, sender: str = "") -> dict[str, str]:
    transaction = {"from": sender or world.funded, "data": f"0x{data.hex()}", "gas": hex(8_000_000), "gasPrice": "0x0"}
    if to is not None:
        transaction["to"] = f"0x{to.hex()}"
    sent = world.rpc.call("eth_sendTransaction", transaction)
    world.mine()
    receipt: dict[str, str] = world.rpc.call("eth_getTransactionReceipt", sent)
    return receipt


def appoint(world: World, to: bytes, data: bytes) -> None:
    """Have Authority itself call, as if an act had waited and been voted on."""
    authority = f"0x{world.suite['authority'].hex()}"
    world.rpc.call("anvil_impersonateAccount", authority)
    assert send(world, to, data, authority)["status"] == "0x1"


def implementation(world: World, name: str) -> bytes:
    part = provenance.PARTS.get(name)
    arguments = b"" if part is None else implementation(world, part).rjust(32, b"\0")
    receipt = send(world, None, artifacts.load(name).bytecode + arguments)
    return bytes.fromhex(receipt["contractAddress"][2:])


def record(world: World, code: bytes, report: bytes | None = None) -> None:
    """Admit an auditor and record an audit of this code, with its compatibility test."""
    record_hash(world, provenance.code_hash_of(world.rpc, code), report_of() if report is None else report)


def record_hash(world: World, code_hash: bytes, report: bytes) -> None:
    key = MemberKey(address_of(key_of(AUDITOR)), Scope.INSTRUCTION, 0, FOREVER)
    admit = interface("MemberRegistry").encode("admit", AUDITOR, Role.AUDITOR, (key,))
    world.act(world.suite["members"], admit)
    at = now(world)
    compatibility = hashlib.sha256(report).digest()
    data = interface("Releases").encode("record", code_hash, b"R" * 32, compatibility, at, at + 300 * 86_400)
    assert world.relay(world.desk.act(world.suite["releases"], data, AUDITOR, REGISTRAR)) == "0x1"


def terms_of(world: World, days: int = 100) -> Terms:
    return Terms(b"B" * 32, DOCUMENT, 1, now(world) // 10**6 * 10**6 + days * 10**5)


def prepare(
    world: World, name: str, codes: Sequence[bytes], report: bytes | None = None, signed: Signatures = UNSIGNED
) -> upgrades.Upgrade:
    given = report_of() if report is None else report
    return upgrades.prepare(world.rpc, world.suite, name, codes, given, terms_of(world), signed)


def signatures(upgrade: upgrades.Upgrade) -> Signatures:
    """What registrar and venue, and three of the four voting members, sign."""
    approvals = [sign(key_of(member), upgrade.digest) for member in (REGISTRAR, VENUE)]
    return Signatures(approvals, [sign(key_of(member), upgrade.vote_digest) for member in (REGISTRAR, VENUE, BROKER_1)])


def carry_out(world: World, upgrade: upgrades.Upgrade, seconds: int) -> None:
    """Propose, vote, wait and execute; neither the wait nor the vote can be left out."""
    assert send(world, upgrade.authority, upgrade.execute)["status"] == "0x0"
    assert send(world, upgrade.authority, upgrade.propose)["status"] == "0x1"
    for vote in upgrade.votes[1:]:
        assert send(world, upgrade.members, vote)["status"] == "0x1"
    assert refusal(world, upgrade) == "UpgradeTimelock(uint256,uint256)"
    world.rpc.call("evm_increaseTime", seconds)
    world.mine()
    assert refusal(world, upgrade) == "SignaturePolicyUnmet(uint256,uint256)"
    assert send(world, upgrade.members, upgrade.votes[0])["status"] == "0x1"
    assert send(world, upgrade.authority, upgrade.execute)["status"] == "0x1"


def refusal(world: World, upgrade: upgrades.Upgrade) -> str:
    """Which of the errors of NET-06 an execution now gives."""
    call = {"to": f"0x{upgrade.authority.hex()}", "data": f"0x{upgrade.execute.hex()}"}
    errors = ("UpgradeTimelock(uint256,uint256)", "SignaturePolicyUnmet(uint256,uint256)", "CodeHashMismatch(bytes32)")
    with pytest.raises(NodeError) as failed:
        world.rpc.call("eth_call", call, "latest")
    return next(error for error in errors if keccak(error.encode())[:4].hex() in str(failed.value.data))


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
        other = implementation(world, "ModularCompliance")
        world.rpc.call("anvil_setStorageAt", f"0x{world.token.hex()}", SLOT, f"0x{other.rjust(32, bytes(1)).hex()}")
        findings = provenance.verify(world.rpc, world.suite)
        (finding,) = [item for item in findings if item.contract == f"token:{ISIN}"]
        assert "other code than SecurityToken" in finding.what

    def test_the_compliance_that_a_token_asks_is_looked_at_whoever_made_it(self, world: World) -> None:
        code = implementation(world, "ModularCompliance")
        rules = (0, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)
        init = interface("ModularCompliance").encode("initialize", bytes.fromhex(world.funded[2:]), rules, 0)
        arguments = interface("ERC1967Proxy").constructor.encode((code, init))
        receipt = send(world, None, artifacts.load("ERC1967Proxy").bytecode + arguments)
        other = bytes.fromhex(receipt["contractAddress"][2:])
        assert send(world, other, interface("ModularCompliance").encode("bindToken", world.token))["status"] == "0x1"
        appoint(world, world.token, interface("SecurityToken").encode("setCompliance", other))
        assert provenance.verify(world.rpc, world.suite) == [
            (f"compliance:{ISIN}", f"is owned by {world.funded.lower()}, not by Authority")
        ]

    def test_agents_of_the_registry_are_those_of_the_deployment(self, world: World) -> None:
        registry = interface("IdentityRegistry")
        legal, ballot = world.suite["legal"], world.suite["ballot"]
        assert world.act(world.suite["registry"], registry.encode("removeAgent", legal)) == "0x1"
        appoint(world, world.suite["registry"], registry.encode("addAgent", ballot))
        assert provenance.verify(world.rpc, world.suite) == [
            ("registry", "has ballot as agent"),
            ("registry", "lacks legal as agent"),
        ]

    def test_other_code_behind_the_identities_is_found(self, world: World) -> None:
        factory = f"0x{world.suite['identities'].hex()}"
        code = bytearray.fromhex(world.rpc.call("eth_getCode", factory, "latest")[2:])
        for offset, length in artifacts.load("IdentityFactory").immutables:
            if code[offset : offset + length] == world.suite["identities"].rjust(32, b"\0"):
                continue
            code[offset : offset + length] = world.suite["registry"].rjust(32, b"\0")
        world.rpc.call("anvil_setCode", factory, f"0x{code.hex()}")
        assert provenance.verify(world.rpc, world.suite) == [("identities", "has other code than IdentityFactory")]

    def test_a_key_cannot_become_an_agent(self, world: World) -> None:
        assert world.on_token("addAgentFor", b"\x77" * 20, int(AgentRole.RECORD)) == "0x0"

    def test_agents_of_an_issue_beside_those_it_was_made_with_are_found(self, world: World) -> None:
        for agent, role in (("ballot", AgentRole.RECORD), ("legal", AgentRole.PAUSE)):
            data = interface("SecurityToken").encode("addAgentFor", world.suite[agent], int(role))
            appoint(world, world.token, data)
        assert provenance.verify(world.rpc, world.suite) == [
            (f"token:{ISIN}", "has ballot as agent for 0x100, not for 0x0"),
            (f"token:{ISIN}", "has legal as agent for 0x40, not for 0x7e"),
        ]


class TestUpgrade:
    @requirement("NET-06")
    def test_audited_code_is_voted_on_executed_after_two_days_and_rolled_back(self, world: World) -> None:
        code, name = implementation(world, "SecurityToken"), f"token:{ISIN}"
        record(world, code)
        before = {contract.name: contract for contract in provenance.inspect(world.rpc, world.suite)}[name]
        with pytest.raises(RefusedError, match="never upgraded"):
            upgrades.prepare_rollback(world.rpc, world.suite, name, terms_of(world), UNSIGNED)
        upgrade = prepare(world, name, [code], signed=signatures(prepare(world, name, [code])))
        carry_out(world, upgrade, TWO_DAYS)
        found = {contract.name: contract for contract in provenance.inspect(world.rpc, world.suite)}
        assert found[name].implementation == code
        assert found[name].audit_expires_at > now(world)
        assert provenance.verify(world.rpc, world.suite) == []
        with pytest.raises(RefusedError, match="no audit"):
            upgrades.prepare_rollback(world.rpc, world.suite, name, terms_of(world), UNSIGNED)
        record(world, before.implementation)
        terms = terms_of(world)
        unsigned = upgrades.prepare_rollback(world.rpc, world.suite, name, terms, UNSIGNED)
        back = upgrades.prepare_rollback(world.rpc, world.suite, name, terms, signatures(unsigned))
        carry_out(world, back, FOUR_HOURS)
        found = {contract.name: contract for contract in provenance.inspect(world.rpc, world.suite)}
        assert found[name].implementation == before.implementation
        # The supervisor reads the upgrade file: code hash, both reports, the audit's time.
        release = provenance.release_of(world.rpc, world.suite, before.code_hash)
        assert release.compatibility == hashlib.sha256(report_of()).digest()
        assert release.audited_at <= now(world) <= release.expires_at

    @pytest.mark.parametrize(
        ("report", "said"),
        [
            (b"{}", "cannot be read"),
            (report_of(SecurityToken="0x00"), "of another SecurityToken"),
            (report_of("- stoken.storage.SecurityToken: the struct vanished"), "would be misread"),
        ],
    )
    def test_a_compatibility_test_is_of_this_code_and_without_differences(
        self, world: World, report: bytes, said: str
    ) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code, report)
        with pytest.raises(RefusedError, match="another compatibility test"):
            prepare(world, f"token:{ISIN}", [code])
        with pytest.raises(RefusedError, match=said) as refused:
            prepare(world, f"token:{ISIN}", [code], report)
        assert refused.value.refusal is Refusal.CODE_HASH_MISMATCH

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

    def test_authority_is_upgraded_last(self, world: World) -> None:
        code = implementation(world, "Authority")
        record(world, code)
        assert prepare(world, "authority", [code]).act.target == world.suite["authority"]
        other = implementation(world, "ModularCompliance")
        world.rpc.call("anvil_setStorageAt", f"0x{world.token.hex()}", SLOT, f"0x{other.rjust(32, bytes(1)).hex()}")
        with pytest.raises(RefusedError, match=f"upgrade authority last: .* still token:{ISIN}") as refused:
            prepare(world, "authority", [code])
        assert refused.value.refusal is Refusal.CODE_HASH_MISMATCH

    def test_an_audit_that_ends_before_the_deadline_is_refused(self, world: World) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code)
        terms = Terms(b"B" * 32, DOCUMENT, 1, now(world) + 301 * 86_400)
        with pytest.raises(RefusedError) as refused:
            upgrades.prepare(world.rpc, world.suite, f"token:{ISIN}", [code], report_of(), terms, UNSIGNED)
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

    def test_upgrade_prints_what_is_signed_and_called(
        self, world: World, run: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        code = implementation(world, "SecurityToken")
        record(world, code)
        (tmp_path / "report.json").write_bytes(report_of())
        deadline = now(world) + 86_400 * 9
        terms = ("--basis", "BOARD", "--document", DOCUMENT.hex(), "--deadline", str(deadline))
        arguments = (
            *("upgrade", f"token:{ISIN}", f"0x{code.hex()}", "--compatibility", str(tmp_path / "report.json")),
            *terms,
        )
        exit_code, shown = run(*arguments, "--json")
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
        assert (upgrade["ballot"], upgrade["votes"]) == (f"0x{world.suite['members'].hex()}", [])
        vote = sign(key_of(BROKER_1), bytes.fromhex(upgrade["to_vote"][2:]))
        exit_code, shown = run(*arguments, "--vote", vote.hex(), "--approval", vote.hex())
        assert exit_code == 0
        called = interface("MemberRegistry").encode("voteAct", bytes.fromhex(upgrade["digest"][2:]), True, vote)  # noqa: FBT003 - the ABI's
        assert f"vote      0x{called.hex()}" in shown
        exit_code, shown = run("rollback", f"token:{ISIN}", *terms)
        assert exit_code != 0
        assert "never upgraded" in shown

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (("--document", "zz"), "not hexadecimal"),
            (("--document", "00"), "32 bytes"),
            (("--basis", "x" * 33), "1 to 32 characters"),
            (("--approval", "00"), "65 bytes"),
            (("--vote", "00"), "65 bytes"),
            (("--compatibility", "none"), "does not exist"),
        ],
    )
    def test_bad_input_is_one_line(
        self, run: Callable[..., tuple[int, str]], changed: tuple[str, str], said: str, tmp_path: Path
    ) -> None:
        (tmp_path / "report.json").write_bytes(report_of())
        report = str(tmp_path / "report.json")
        good = {"--basis": "BOARD", "--document": DOCUMENT.hex(), "--deadline": "1", "--compatibility": report}
        good |= dict([changed])
        code, shown = run("upgrade", "token", "0x" + "11" * 20, *(part for pair in good.items() for part in pair))
        assert code == 2
        assert said in shown
