# SPDX-License-Identifier: Apache-2.0
"""Prepares the act of an upgrade: what two institutions sign, and the calls that propose and later execute it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from stoken.chain import artifacts, eip712
from stoken.chain.codec import Interface
from stoken.chain.provenance import Inspected, audit_expiry, code_hash_of, inspect, is_build_of
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import Act
from stoken.chain.suite import Suite
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError

#: In place of a contract's name: the code of issues to come, token and compliance.
ISSUES: Final = "issues"
_ISSUE_CODES: Final = ("SecurityToken", "ModularCompliance")


class Terms(NamedTuple):
    """Why and until when: basis and document are 32 bytes, `salt` tells equal acts apart, `deadline` is block time."""

    basis: bytes
    document: bytes
    salt: int
    deadline: int


class Upgrade(NamedTuple):
    """An act to sign and its two calls of Authority; `propose` is empty until it is approved."""

    authority: bytes
    act: Act
    digest: bytes
    propose: bytes
    execute: bytes


def prepare(
    rpc: RpcClient, suite: Suite, name: str, codes: Sequence[bytes], terms: Terms, approvals: Sequence[bytes]
) -> Upgrade:
    """Return the upgrade of a contract (as `inspect` names it), or of the code of issues to come, to deployed code.

    Raises RefusedError where the contract is unknown, the code is not this build, or has no audit that counts.
    """
    target, expected, data = _call(rpc, suite, name, codes)
    for code, artifact in zip(codes, expected, strict=True):
        _check(rpc, suite, code, artifact, terms.deadline)
    act = Act(target, data, terms.basis, terms.document, terms.salt, terms.deadline)
    separator = eip712.domain(eip712.AUTHORITY, suite.chain_id, suite["authority"])
    authority = Interface(artifacts.load("Authority").abi)
    propose = authority.encode("propose", act, tuple(approvals)) if approvals else b""
    return Upgrade(suite["authority"], act, eip712.act(separator, act), propose, authority.encode("execute", act, ()))


def _call(rpc: RpcClient, suite: Suite, name: str, codes: Sequence[bytes]) -> tuple[bytes, tuple[str, ...], bytes]:
    if name == ISSUES:
        _require_count(codes, len(_ISSUE_CODES))
        factory = Interface(artifacts.load("SuiteFactory").abi)
        return suite["factory"], _ISSUE_CODES, factory.encode("setImplementations", *codes)
    _require_count(codes, 1)
    contract = _find(inspect(rpc, suite), name)
    proxy = Interface(artifacts.load(contract.artifact).abi)
    return contract.address, (contract.artifact,), proxy.encode("upgradeToAndCall", codes[0], b"")


def _find(contracts: Sequence[Inspected], name: str) -> Inspected:
    found = next((contract for contract in contracts if contract.name == name), None)
    if found is None:
        raise RefusedError(Refusal.CODE_HASH_MISMATCH, f"the suite has no contract {name}")
    return found


def _require_count(codes: Sequence[bytes], count: int) -> None:
    if len(codes) != count:
        raise RefusedError(Refusal.CODE_HASH_MISMATCH, f"{count} implementations are needed, {len(codes)} are given")


def _check(rpc: RpcClient, suite: Suite, code: bytes, artifact: str, until: int) -> None:
    if not is_build_of(rpc, code, artifact):
        raise RefusedError(Refusal.CODE_HASH_MISMATCH, f"the code at 0x{code.hex()} is not {artifact} of this build")
    expires_at = audit_expiry(rpc, suite, code_hash_of(rpc, code))
    if expires_at == 0:
        raise RefusedError(Refusal.CODE_HASH_MISMATCH, f"no audit of the code at 0x{code.hex()} is recorded")
    if expires_at < until:
        raise RefusedError(Refusal.LEDGER_AUDIT_EXPIRED, f"the audit ends at {expires_at}, before the act's deadline")
