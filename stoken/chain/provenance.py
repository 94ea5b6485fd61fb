# SPDX-License-Identifier: Apache-2.0
"""Looks at a deployed suite, each issue's token and compliance included, and compares it with the audited build."""

from functools import lru_cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.rpc import Json, NodeError, RpcClient
from stoken.chain.suite import Suite
from stoken.domain.codes import AgentRole

#: The suite's names and the artifacts behind them.
ARTIFACTS: Final = {
    "authority": "Authority",
    "members": "MemberRegistry",
    "topics": "ClaimTopicsRegistry",
    "issuers": "TrustedIssuersRegistry",
    "storage": "IdentityRegistryStorage",
    "registry": "IdentityRegistry",
    "identities": "IdentityFactory",
    "quantity": "RegisteredQuantity",
    "encumbrances": "Encumbrances",
    "distribution": "Distribution",
    "ballot": "Ballot",
    "conversions": "Conversions",
    "settlement": "DvpSettlement",
    "instructions": "Instructions",
    "deposit": "DepositToken",
    "releases": "Releases",
    "legal": "LegalActions",
    "anchors": "Anchors",
    "directory": "IssueDirectory",
    "factory": "SuiteFactory",
}
#: Stands without a proxy and has no owner.
_BARE: Final = frozenset({"identities"})
#: What runs by delegation from another contract's code, which names it as an immutable.
PARTS: Final = {"DvpSettlement": "SettlementModes", "SecurityToken": "SecurityTokenExtension"}
#: What runs behind the clones that a contract makes, and is named by its code too.
CLONED: Final = {"IdentityFactory": ("Identity", "ClaimIssuer")}
#: The agents of the contracts that all issues share, no more and no less.
_SHARED_AGENTS: Final = {"registry": ("authority", "legal"), "storage": ("registry",)}
#: The agents of each issue's token, and for what; Authority is one for everything there is and will be.
ISSUE_AGENTS: Final = {
    "authority": 0xFFFF,
    "encumbrances": AgentRole.FORCE,
    "legal": AgentRole.FREEZE_ADDRESS
    | AgentRole.FREEZE_UNITS
    | AgentRole.FORCE
    | AgentRole.BURN
    | AgentRole.RECOVER
    | AgentRole.PAUSE,
    "conversions": AgentRole.CONVERT,
}
_IMPLEMENTATION_SLOT: Final = hex(int.from_bytes(keccak(b"eip1967.proxy.implementation")) - 1)
_ISSUE_CREATED: Final = keccak(b"IssueCreated(bytes12,address,address,bytes32,bytes32)")
_AGENT_ADDED: Final = keccak(b"AgentAdded(address)")


class Inspected(NamedTuple):
    """A contract behind its proxy: what it should be, what it is, and until when its audit counts (0: none)."""

    name: str
    artifact: str
    address: bytes
    implementation: bytes
    code_hash: bytes
    owner: bytes
    is_proxy: bool
    is_audited_build: bool
    audit_expires_at: int


class Release(NamedTuple):
    """An entry of the upgrade file: hashes of the reports of audit and compatibility test, and the audit's validity."""

    report: bytes
    compatibility: bytes
    audited_at: int
    expires_at: int


class Finding(NamedTuple):
    """What is not as the audited build says."""

    contract: str
    what: str


def inspect(rpc: RpcClient, suite: Suite) -> list[Inspected]:
    """Return every contract of the suite and of its issues as it is on the chain."""
    named = [(name, artifact, suite[name]) for name, artifact in ARTIFACTS.items() if name in suite.contracts]
    return [_inspect(rpc, suite, *each) for each in (*named, *_issues(rpc, suite))]


def verify(rpc: RpcClient, suite: Suite) -> list[Finding]:
    """Return every difference between the suite on the chain and the artifacts; none if it is as audited."""
    findings = [Finding(name, "is missing from the suite file") for name in ARTIFACTS if name not in suite.contracts]
    for contract in inspect(rpc, suite):
        findings += _differences(contract, suite)
        if contract.artifact == "SecurityToken" and contract.is_audited_build:
            findings += _wrong_agents(rpc, suite, contract)
    if "factory" in suite.contracts:
        findings += _verify_implementations(rpc, suite["factory"])
    return sorted(findings + _verify_agents(rpc, suite) + _wrong_shared_agents(rpc, suite))


def is_build_of(rpc: RpcClient, address: bytes, artifact: str) -> bool:
    """Return whether the code at an address is that of an artifact, whatever its immutables hold."""
    if not _is_code_of(rpc, address, artifact):
        return False
    return not _parts(artifact) or _has_parts(rpc, address, artifact)


def code_hash_of(rpc: RpcClient, address: bytes) -> bytes:
    """Return the hash of the code at an address, as EXTCODEHASH gives it."""
    return keccak(bytes.fromhex(rpc.call("eth_getCode", _hex(address), "latest")[2:]))


def release_of(rpc: RpcClient, suite: Suite, code_hash: bytes) -> Release:
    """Return what the upgrade file says of this code; nothing is all zero."""
    releases = Interface(artifacts.load("Releases").abi)
    data = releases.encode("releaseOf", code_hash)
    answer = _call(rpc, suite["releases"], data) if "releases" in suite.contracts else b""
    return Release(*releases.functions["releaseOf"].decode_output(answer)) if answer else Release(b"", b"", 0, 0)


def former_of(rpc: RpcClient, suite: Suite, proxy: bytes) -> bytes:
    """Return the code that a proxy ran before its last upgrade; zero if there was none."""
    authority = Interface(artifacts.load("Authority").abi)
    answer = _call(rpc, suite["authority"], authority.encode("formerOf", proxy))
    return bytes(authority.functions["formerOf"].decode_output(answer)) if answer else bytes(20)


def audit_expiry(rpc: RpcClient, suite: Suite, code_hash: bytes) -> int:
    """Return until when an audit of this code counts, zero where none is recorded."""
    return release_of(rpc, suite, code_hash).expires_at


def _inspect(rpc: RpcClient, suite: Suite, name: str, artifact: str, address: bytes) -> Inspected:
    if name in _BARE:
        code_hash = code_hash_of(rpc, address)
        is_build, expiry = is_build_of(rpc, address, artifact), audit_expiry(rpc, suite, code_hash)
        return Inspected(name, artifact, address, address, code_hash, b"", False, is_build, expiry)  # noqa: FBT003
    word = rpc.call("eth_getStorageAt", _hex(address), _IMPLEMENTATION_SLOT, "latest")
    implementation = bytes.fromhex(word[2:].rjust(64, "0"))[12:]
    code_hash = code_hash_of(rpc, implementation)
    return Inspected(
        name,
        artifact,
        address,
        implementation,
        code_hash,
        _owner(rpc, address),
        _is_code_of(rpc, address, "ERC1967Proxy"),
        is_build_of(rpc, implementation, artifact),
        audit_expiry(rpc, suite, code_hash),
    )


def _issues(rpc: RpcClient, suite: Suite) -> list[tuple[str, str, bytes]]:
    """Return each token that the factory made, and the compliance it obeys now, under names with the ISIN."""
    if "factory" not in suite.contracts:
        return []
    query = {
        "address": _hex(suite["factory"]),
        "fromBlock": hex(suite.deploy_block),
        "toBlock": "latest",
        "topics": [_hex(_ISSUE_CREATED)],
    }
    found = []
    for log in rpc.call("eth_getLogs", query):
        _, isin_word, token, made_with = log["topics"]
        isin = bytes.fromhex(isin_word[2:])[:12].decode("ascii")
        found.append((f"token:{isin}", "SecurityToken", _address(token)))
        found.append((f"compliance:{isin}", "ModularCompliance", _compliance(rpc, _address(token), made_with)))
    return found


def _compliance(rpc: RpcClient, token: bytes, made_with: str) -> bytes:
    """Return the compliance that a token asks; that of its making where the token does not say."""
    try:
        answer = _call(rpc, token, _token().encode("compliance"))
    except NodeError:
        answer = b""
    return bytes(_token().functions["compliance"].decode_output(answer)) if answer else _address(made_with)


def _differences(contract: Inspected, suite: Suite) -> list[Finding]:
    name = contract.name
    findings = []
    if name in _BARE:
        return [] if contract.is_audited_build else [Finding(name, f"has other code than {contract.artifact}")]
    if not contract.is_proxy:
        findings.append(Finding(name, "is not the audited proxy"))
    if not contract.is_audited_build:
        findings.append(Finding(name, f"has other code than {contract.artifact} at 0x{contract.implementation.hex()}"))
    if contract.owner != suite["authority"]:
        findings.append(Finding(name, f"is owned by 0x{contract.owner.hex()}, not by Authority"))
    return findings


def _verify_implementations(rpc: RpcClient, factory: bytes) -> list[Finding]:
    """Compare the code that issues to come will run."""
    answer = _call(rpc, factory, _factory().encode("parts"))
    if not answer:
        return [Finding("factory", "does not say what code it uses")]
    *_, token, compliance = _factory().functions["parts"].decode_output(answer)
    return [
        Finding("factory", f"makes issues with other code than {artifact} at {_hex(address)}")
        for artifact, address in (("SecurityToken", token), ("ModularCompliance", compliance))
        if not is_build_of(rpc, address, artifact)
    ]


def _verify_agents(rpc: RpcClient, suite: Suite) -> list[Finding]:
    """Find agents that are keys: in production only contracts act as agents."""
    pairs = _appointments(rpc, suite)
    names = {address: name for name, address in suite.contracts.items()}
    return [
        Finding(names.get(contract, _hex(contract)), f"has the key {_hex(agent)} as agent")
        for contract, agent in pairs
        if rpc.call("eth_getCode", _hex(agent), "latest") == "0x" and _is_agent(rpc, contract, agent)
    ]


def _wrong_shared_agents(rpc: RpcClient, suite: Suite) -> list[Finding]:
    """Compare the agents of what all issues share with those of the deployment; keys are found elsewhere."""
    appointed = _appointments(rpc, suite)
    names = {address: name for name, address in suite.contracts.items()}
    findings = []
    for contract, due in _SHARED_AGENTS.items():
        if contract not in suite.contracts:
            continue
        address, expected = suite[contract], {suite[name] for name in due if name in suite.contracts}
        ever = {agent for at, agent in appointed if at == address} | expected
        for agent in ever:
            present, name = _is_agent(rpc, address, agent), names.get(agent, _hex(agent))
            if agent in expected and not present:
                findings.append(Finding(contract, f"lacks {name} as agent"))
            if agent not in expected and present and rpc.call("eth_getCode", _hex(agent), "latest") != "0x":
                findings.append(Finding(contract, f"has {name} as agent"))
    return findings


def _wrong_agents(rpc: RpcClient, suite: Suite, token: Inspected) -> list[Finding]:
    """Compare what a token appoints contracts for with what the factory gave them."""
    ever = {agent for contract, agent in _appointments(rpc, suite) if contract == token.address}
    due = {suite[name]: int(roles) for name, roles in ISSUE_AGENTS.items() if name in suite.contracts}
    names = {address: name for name, address in suite.contracts.items()}
    found = {agent: (_roles(rpc, token.address, agent), due.get(agent, 0)) for agent in ever | due.keys()}
    return [
        Finding(token.name, f"has {names.get(agent, _hex(agent))} as agent for {roles:#x}, not for {expected:#x}")
        for agent, (roles, expected) in found.items()
        if roles != expected
    ]


def _appointments(rpc: RpcClient, suite: Suite) -> set[tuple[bytes, bytes]]:
    """Return every contract with everybody who ever became its agent."""
    query = {"fromBlock": hex(suite.deploy_block), "toBlock": "latest", "topics": [_hex(_AGENT_ADDED)]}
    return {(_address(log["address"]), _agent(log)) for log in rpc.call("eth_getLogs", query)}


def _roles(rpc: RpcClient, token: bytes, agent: bytes) -> int:
    answer = _call(rpc, token, _token().encode("rolesOf", agent))
    return int(_token().functions["rolesOf"].decode_output(answer)) if answer else 0


def _is_code_of(rpc: RpcClient, address: bytes, name: str) -> bool:
    artifact = artifacts.load(name)
    code = bytes.fromhex(rpc.call("eth_getCode", _hex(address), "latest")[2:])
    return artifact.hash_of(code) == artifact.runtime_hash


def _parts(name: str) -> tuple[str, ...]:
    return (PARTS[name],) if name in PARTS else CLONED.get(name, ())


def _has_parts(rpc: RpcClient, implementation: bytes, name: str) -> bool:
    """Tell whether the other contracts that the code names are the audited parts: each of them, and nothing else."""
    code = bytes.fromhex(rpc.call("eth_getCode", _hex(implementation), "latest")[2:])
    named = {code[at : at + length][-20:] for at, length in artifacts.load(name).immutables} - {implementation}
    found = [{part for part in _parts(name) if _is_code_of(rpc, address, part)} for address in named]
    return all(found) and set().union(*found) == set(_parts(name))


def _owner(rpc: RpcClient, address: bytes) -> bytes:
    answer = _call(rpc, address, _registry().encode("owner"))
    return bytes(_registry().functions["owner"].decode_output(answer)) if answer else b""


def _is_agent(rpc: RpcClient, contract: bytes, agent: bytes) -> bool:
    answer = _call(rpc, contract, _registry().encode("isAgent", agent))
    return bool(answer) and _registry().functions["isAgent"].decode_output(answer) is True


def _call(rpc: RpcClient, address: bytes, data: bytes) -> bytes:
    return bytes.fromhex(rpc.call("eth_call", {"to": _hex(address), "data": _hex(data)}, "latest")[2:])


@lru_cache(maxsize=1)
def _registry() -> Interface:
    """Return an interface that has owner and isAgent."""
    return Interface(artifacts.load("IdentityRegistry").abi)


@lru_cache(maxsize=1)
def _token() -> Interface:
    return Interface(artifacts.load("SecurityToken").abi)


@lru_cache(maxsize=1)
def _factory() -> Interface:
    return Interface(artifacts.load("SuiteFactory").abi)


def _agent(log: Json) -> bytes:
    topics: list[str] = log["topics"]
    return _address(topics[1] if len(topics) > 1 else log["data"])


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:])[-20:]


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
