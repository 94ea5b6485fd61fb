# SPDX-License-Identifier: Apache-2.0
"""Compares a deployed suite with the audited build: code behind every proxy, owners, and who acts as agent."""

from functools import lru_cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.chain.rpc import Json, RpcClient
from stoken.chain.suite import Suite

#: The suite's names and the artifacts behind them.
ARTIFACTS: Final = {
    "authority": "Authority",
    "members": "MemberRegistry",
    "topics": "ClaimTopicsRegistry",
    "issuers": "TrustedIssuersRegistry",
    "storage": "IdentityRegistryStorage",
    "registry": "IdentityRegistry",
    "quantity": "RegisteredQuantity",
    "encumbrances": "Encumbrances",
    "settlement": "DvpSettlement",
    "deposit": "DepositToken",
    "factory": "SuiteFactory",
}
_IMPLEMENTATION_SLOT: Final = hex(int.from_bytes(keccak(b"eip1967.proxy.implementation")) - 1)
_AGENT_ADDED: Final = keccak(b"AgentAdded(address)")


class Finding(NamedTuple):
    """What is not as the audited build says."""

    contract: str
    what: str


def verify(rpc: RpcClient, suite: Suite) -> list[Finding]:
    """Return every difference between the suite on the chain and the artifacts; none if it is as audited."""
    findings = [Finding(name, "is missing from the suite file") for name in ARTIFACTS if name not in suite.contracts]
    for name in ARTIFACTS.keys() & suite.contracts.keys():
        findings += _verify_contract(rpc, suite, name)
    if "factory" in suite.contracts:
        findings += _verify_implementations(rpc, suite["factory"])
    return sorted(findings + _verify_agents(rpc, suite))


def _verify_contract(rpc: RpcClient, suite: Suite, name: str) -> list[Finding]:
    address = suite[name]
    word = rpc.call("eth_getStorageAt", _hex(address), _IMPLEMENTATION_SLOT, "latest")
    implementation = bytes.fromhex(word[2:].rjust(64, "0"))[12:]
    findings = []
    if not _is_code_of(rpc, address, "ERC1967Proxy"):
        findings.append(Finding(name, "is not the audited proxy"))
    if not _is_code_of(rpc, implementation, ARTIFACTS[name]):
        findings.append(Finding(name, f"has other code than {ARTIFACTS[name]} at 0x{implementation.hex()}"))
    owner = _owner(rpc, address)
    if owner != suite["authority"]:
        findings.append(Finding(name, f"is owned by 0x{owner.hex()}, not by Authority"))
    return findings


def _verify_implementations(rpc: RpcClient, factory: bytes) -> list[Finding]:
    """Compare the code that issues to come will run: the token's two parts, and compliance."""
    answer = _call(rpc, factory, _factory().encode("parts"))
    if not answer:
        return [Finding("factory", "does not say what code it uses")]
    *_, token, compliance = _factory().functions["parts"].decode_output(answer)
    findings = []
    if not _is_code_of(rpc, token, "SecurityToken"):
        findings.append(Finding("factory", f"makes tokens with other code than SecurityToken at {_hex(token)}"))
    extension = _call(rpc, token, _token().encode("extension"))[-20:]
    if not _is_code_of(rpc, extension, "SecurityTokenExtension"):
        findings.append(Finding("factory", f"makes tokens with another extension at {_hex(extension)}"))
    if not _is_code_of(rpc, compliance, "ModularCompliance"):
        findings.append(Finding("factory", f"makes issues with other code than ModularCompliance at {_hex(compliance)}"))
    return findings


def _verify_agents(rpc: RpcClient, suite: Suite) -> list[Finding]:
    """Find agents that are keys: in production only contracts act as agents."""
    query = {"fromBlock": hex(suite.deploy_block), "toBlock": "latest", "topics": [_hex(_AGENT_ADDED)]}
    pairs = {(_address(log["address"]), _agent(log)) for log in rpc.call("eth_getLogs", query)}
    names = {address: name for name, address in suite.contracts.items()}
    return [
        Finding(names.get(contract, _hex(contract)), f"has the key {_hex(agent)} as agent")
        for contract, agent in pairs
        if rpc.call("eth_getCode", _hex(agent), "latest") == "0x" and _is_agent(rpc, contract, agent)
    ]


def _is_code_of(rpc: RpcClient, address: bytes, name: str) -> bool:
    artifact = artifacts.load(name)
    code = bytes.fromhex(rpc.call("eth_getCode", _hex(address), "latest")[2:])
    return artifact.hash_of(code) == artifact.runtime_hash


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
def _factory() -> Interface:
    return Interface(artifacts.load("SuiteFactory").abi)


@lru_cache(maxsize=1)
def _token() -> Interface:
    return Interface(artifacts.load("SecurityToken").abi)


def _agent(log: Json) -> bytes:
    topics: list[str] = log["topics"]
    return _address(topics[1] if len(topics) > 1 else log["data"])


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:])[-20:]


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
