# SPDX-License-Identifier: Apache-2.0
"""Prepares the acts that change code: what institutions and members sign, and the calls that carry it to the chain."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

import msgspec

from stoken.chain import artifacts, eip712
from stoken.chain.codec import Interface
from stoken.chain.provenance import Inspected, code_hash_of, former_of, inspect, is_build_of, release_of
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import Act, ActVote
from stoken.chain.suite import Suite
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError

#: In place of a contract's name: the code of issues to come, token and compliance.
ISSUES: Final = "issues"
_ISSUE_CODES: Final = ("SecurityToken", "ModularCompliance")
#: It asks the other contracts, and is asked by them what it always answered.
_LAST: Final = "authority"


class Terms(NamedTuple):
    """Why and until when: basis and document are 32 bytes, `salt` tells equal acts apart, `deadline` is block time."""

    basis: bytes
    document: bytes
    salt: int
    deadline: int


class Signatures(NamedTuple):
    """What was signed so far: two approvals of the act, any number of votes for it."""

    approvals: Sequence[bytes] = ()
    votes: Sequence[bytes] = ()


class Upgrade(NamedTuple):
    """An act and its vote to sign, and the calls of Authority and of the member registry.

    `propose` is empty until the act is approved; `votes` are calls of `members`, one a signed vote.
    """

    authority: bytes
    members: bytes
    act: Act
    digest: bytes
    vote_digest: bytes
    propose: bytes
    votes: tuple[bytes, ...]
    execute: bytes


class Compatibility(msgspec.Struct, frozen=True):
    """The report of the compatibility test, as `tools/layout.py --report` writes it.

    Runtime hashes of the artifacts, hashes of the storage layouts before and after, and what would be misread.
    """

    artifacts: dict[str, str]
    former_layout: str
    layout: str
    differences: list[str]


def prepare(
    rpc: RpcClient, suite: Suite, name: str, codes: Sequence[bytes], report: bytes, terms: Terms, signed: Signatures
) -> Upgrade:
    """Return the upgrade of a contract (as `inspect` names it), or of the code of issues to come, to deployed code.

    Raises RefusedError where the contract is unknown, the code is not this build, has no audit that counts, or
    `report` is not the compatibility test that the upgrade file names, of this build and without differences; and for
    Authority while another contract runs other code than this build: it asks the others, and no older one answers.
    """
    target, expected, data = _call(rpc, suite, name, codes)
    for code, artifact in zip(codes, expected, strict=True):
        if not is_build_of(rpc, code, artifact):
            _mismatch(f"the code at 0x{code.hex()} is not {artifact} of this build")
        _check_audit(rpc, suite, code, terms.deadline)
        _check_compatibility(rpc, suite, code, artifact, report)
    return _prepared(suite, target, data, terms, signed)


def prepare_rollback(rpc: RpcClient, suite: Suite, name: str, terms: Terms, signed: Signatures) -> Upgrade:
    """Return the act that puts a contract back to the code before its last upgrade.

    Raises RefusedError where the contract is unknown, was never upgraded, or that code has no audit that counts.
    """
    contract = _find(inspect(rpc, suite), name)
    former = former_of(rpc, suite, contract.address)
    if not any(former):
        _mismatch(f"{name} was never upgraded")
    _check_audit(rpc, suite, former, terms.deadline)
    data = Interface(artifacts.load("Authority").abi).encode("rollback", contract.address, former)
    return _prepared(suite, suite["authority"], data, terms, signed)


def _prepared(suite: Suite, target: bytes, data: bytes, terms: Terms, signed: Signatures) -> Upgrade:
    act = Act(target, data, terms.basis, terms.document, terms.salt, terms.deadline)
    digest = eip712.act(eip712.domain(eip712.AUTHORITY, suite.chain_id, suite["authority"]), act)
    voting = eip712.domain(eip712.MEMBER_REGISTRY, suite.chain_id, suite["members"])
    authority = Interface(artifacts.load("Authority").abi)
    members = Interface(artifacts.load("MemberRegistry").abi)
    return Upgrade(
        authority=suite["authority"],
        members=suite["members"],
        act=act,
        digest=digest,
        vote_digest=eip712.act_vote(voting, ActVote(digest, support=True)),
        propose=authority.encode("propose", act, tuple(signed.approvals)) if signed.approvals else b"",
        votes=tuple(members.encode("voteAct", digest, True, vote) for vote in signed.votes),  # noqa: FBT003 - the ABI's
        execute=authority.encode("execute", act, ()),
    )


def _call(rpc: RpcClient, suite: Suite, name: str, codes: Sequence[bytes]) -> tuple[bytes, tuple[str, ...], bytes]:
    if name == ISSUES:
        _require_count(codes, len(_ISSUE_CODES))
        factory = Interface(artifacts.load("SuiteFactory").abi)
        return suite["factory"], _ISSUE_CODES, factory.encode("setImplementations", *codes)
    _require_count(codes, 1)
    contracts = inspect(rpc, suite)
    contract = _find(contracts, name)
    if name == _LAST:
        _require_others_done(contracts)
    proxy = Interface(artifacts.load(contract.artifact).abi)
    return contract.address, (contract.artifact,), proxy.encode("upgradeToAndCall", codes[0], b"")


def _find(contracts: Sequence[Inspected], name: str) -> Inspected:
    found = next((contract for contract in contracts if contract.name == name), None)
    if found is None:
        _mismatch(f"the suite has no contract {name}")
    return found


def _require_others_done(contracts: Sequence[Inspected]) -> None:
    older = [contract.name for contract in contracts if contract.name != _LAST and not contract.is_audited_build]
    if older:
        _mismatch(f"upgrade {_LAST} last: of other code than this build are still {', '.join(older)}")


def _require_count(codes: Sequence[bytes], count: int) -> None:
    if len(codes) != count:
        _mismatch(f"{count} implementations are needed, {len(codes)} are given")


def _check_audit(rpc: RpcClient, suite: Suite, code: bytes, until: int) -> None:
    expires_at = release_of(rpc, suite, code_hash_of(rpc, code)).expires_at
    if expires_at == 0:
        _mismatch(f"no audit of the code at 0x{code.hex()} is recorded")
    if expires_at < until:
        raise RefusedError(Refusal.LEDGER_AUDIT_EXPIRED, f"the audit ends at {expires_at}, before the act's deadline")


def _check_compatibility(rpc: RpcClient, suite: Suite, code: bytes, artifact: str, report: bytes) -> None:
    if hashlib.sha256(report).digest() != release_of(rpc, suite, code_hash_of(rpc, code)).compatibility:
        _mismatch(f"the upgrade file names another compatibility test of the code at 0x{code.hex()}")
    try:
        test = msgspec.json.decode(report, type=Compatibility)
    except msgspec.MsgspecError as error:
        _mismatch(f"the compatibility test cannot be read: {error}")
    if test.artifacts.get(artifact) != f"0x{artifacts.load(artifact).runtime_hash.hex()}":
        _mismatch(f"the compatibility test is of another {artifact}")
    if test.differences:
        _mismatch(f"the storage would be misread: {test.differences[0]}")


def _mismatch(reason: str) -> NoReturn:
    raise RefusedError(Refusal.CODE_HASH_MISMATCH, reason)
