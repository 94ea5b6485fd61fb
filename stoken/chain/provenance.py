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
    "instructions": "Instructions",
    "deposit": "DepositToken",
    "factory": "SuiteFactory",
}
#: What runs by delegation from another contract's code, which names it as an immutable.
PARTS: Final = {"DvpSettlement": "SettlementModes"}
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
    if ARTIFACTS[name] in PARTS and not _has_part(rpc, implementation, ARTIFACTS[name]):
        findings.append(Finding(name, f"delegates to other code than {PARTS[ARTIFACTS[name]]}"))
    owner = _owner(rpc, address)
    if owner != suite["authority"]:
        findings.append(Finding(name, f"is owned by 0x{owner.hex()}, not by Authority"))
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


def _has_part(rpc: RpcClient, implementation: bytes, name: str) -> bool:
    """Tell whether every other contract that the code names is the audited part."""
    code = bytes.fromhex(rpc.call("eth_getCode", _hex(implementation), "latest")[2:])
    named = {code[at : at + length][-20:] for at, length in artifacts.load(name).immutables} - {implementation}
    return bool(named) and all(_is_code_of(rpc, address, PARTS[name]) for address in named)


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


def _agent(log: Json) -> bytes:
    topics: list[str] = log["topics"]
    return _address(topics[1] if len(topics) > 1 else log["data"])


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:])[-20:]


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
