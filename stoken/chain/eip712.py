# SPDX-License-Identifier: Apache-2.0
"""Digests of everything that is signed (EIP-712), packed by hand: the order route computes one an order.

A digest is `keccak(0x1901 ‖ domain separator ‖ struct hash)`; take the separator once with `domain`.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Final

from eth_hash.auto import keccak

from stoken.chain.statements import (
    Act,
    ActVote,
    Attest,
    CashAccount,
    CashAllocation,
    CashEntry,
    Encumber,
    KeyApproval,
    KeyChange,
    KeyPolicy,
    OnboardingBatch,
    OrderCancel,
    Revoke,
)
from stoken.domain.signed_order import SignedOrder

#: Names of the domains; version is "1", chain id and verifying contract those of the deployed suite.
IDENTITY_REGISTRY: Final = "stoken IdentityRegistry"
AUTHORITY: Final = "stoken Authority"
MEMBER_REGISTRY: Final = "stoken MemberRegistry"
ENCUMBRANCES: Final = "stoken Encumbrances"
DVP_SETTLEMENT: Final = "stoken DvpSettlement"
KEY_POLICY: Final = "stoken KeyPolicy"
DEPOSIT_TOKEN: Final = "stoken DepositToken"  # noqa: S105 - the name of a contract

_ONBOARDING = (
    "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)"
)
_ATTESTED = "Attested(address identity,uint64 topics,uint40 until)"
_KEY_HOLDER = "KeyHolder(address key,bytes20 institution,uint8 custody)"
_KEY_RULE = "KeyRule(uint8 act,uint8 required,KeyHolder[] holders)"
_KEY = "Key(address key,uint8 scopes,uint40 since,uint40 until)"

#: Type strings by name, as the contracts hash them.
TYPES: Final[dict[str, str]] = {
    "Order": (
        "Order(bytes20 venue,address account,address cashAccount,address token,address cash,uint8 side,uint64 price,"
        "uint64 quantity,uint64 nonce,uint40 tradableUntil,uint40 settleBy,uint64 replaces)"
    ),
    "OrderCancel": "OrderCancel(bytes20 broker,uint64 nonce)",
    "Act": "Act(address target,bytes data,bytes32 basis,bytes32 document,uint256 salt,uint40 deadline)",
    "Onboarding": _ONBOARDING,
    "OnboardingBatch": (
        "OnboardingBatch(bytes20 manager,address claimIssuer,uint256 nonce,uint40 deadline,Onboarding[] items)"
        + _ONBOARDING
    ),
    "Attested": _ATTESTED,
    "Attest": "Attest(address claimIssuer,Attested[] items,uint256 nonce,uint40 deadline)" + _ATTESTED,
    "Revoke": "Revoke(address claimIssuer,address identity,bool forCause,uint256 nonce,uint40 deadline)",
    "CashAccount": "CashAccount(address account,bytes20 member,uint8 kind,uint256 nonce,uint40 deadline)",
    "CashCredit": "CashCredit(address account,uint96 amount,bytes32 ref,uint40 deadline)",
    "CashDebit": "CashDebit(address account,uint96 amount,bytes32 ref,uint40 deadline)",
    "Key": _KEY,
    "KeyChange": (
        "KeyChange(bytes20 member,Key[] add,address[] retire,address[] revoke,uint256 nonce,uint40 deadline)" + _KEY
    ),
    "KeyHolder": _KEY_HOLDER,
    "KeyRule": _KEY_RULE + _KEY_HOLDER,
    "KeyPolicy": (
        "KeyPolicy(uint256 version,bytes32 previous,KeyRule[] rules,bytes32 document,uint40 heldAt,uint40 deadline)"
        + _KEY_HOLDER
        + _KEY_RULE
    ),
    "KeyApproval": "KeyApproval(bytes data,bytes32 request,uint40 deadline)",
    "ActVote": "ActVote(bytes32 act,bool support)",
    "Encumber": (
        "Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,"
        "bytes32 reason,uint40 deadline)"
    ),
    "CashAllocation": (
        "CashAllocation(bytes20 venue,address account,address cashAccount,uint64 amount,uint64 nonce,uint40 deadline)"
    ),
}
_HASH: Final = {name: keccak(text.encode()) for name, text in TYPES.items()}
_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_VERSION: Final = keccak(b"1")

# One word is 32 bytes: a bytes20 fills it from the left, an address and an integer from the right.
_ORDER: Final = Struct(">32s 20s12x 12x20s 12x20s 12x20s 12x20s 31xB 24xQ 24xQ 24xQ 24xQ 24xQ 24xQ")
_ORDER_CANCEL: Final = Struct(">32s 20s12x 24xQ")


def domain(name: str, chain_id: int, contract: bytes) -> bytes:
    """Return a contract's domain separator."""
    return keccak(_DOMAIN_TYPE + keccak(name.encode()) + _VERSION + _word(chain_id) + _left_padded(contract))


def order(separator: bytes, signed: SignedOrder) -> bytes:
    """Return the digest of an order (domain DVP_SETTLEMENT); it is also the order's identity on chain."""
    struct = _ORDER.pack(
        _HASH["Order"],
        signed.venue,
        signed.account,
        signed.cash_account,
        signed.token,
        signed.cash,
        signed.side,
        signed.price,
        signed.quantity,
        signed.nonce,
        signed.tradable_until,
        signed.settle_by,
        signed.replaces,
    )
    return keccak(b"\x19\x01" + separator + keccak(struct))


def order_cancel(separator: bytes, statement: OrderCancel) -> bytes:
    """Return the digest of a cancellation (domain DVP_SETTLEMENT)."""
    struct = _ORDER_CANCEL.pack(_HASH["OrderCancel"], statement.broker, statement.nonce)
    return keccak(b"\x19\x01" + separator + keccak(struct))


def act(separator: bytes, statement: Act) -> bytes:
    """Return the digest that approvers of an act sign (domain AUTHORITY)."""
    return _digest(
        separator,
        "Act",
        _left_padded(statement.target),
        keccak(statement.data),
        statement.basis,
        statement.document,
        _word(statement.salt),
        _word(statement.deadline),
    )


def onboarding_batch(separator: bytes, statement: OnboardingBatch) -> bytes:
    """Return the digest that manager and claim issuer sign (domain IDENTITY_REGISTRY)."""
    items = (
        _struct(
            "Onboarding",
            _left_padded(item.account),
            _left_padded(item.identity),
            *map(_word, (item.country, item.investor_class, item.owner_type, item.topics, item.until)),
        )
        for item in statement.items
    )
    return _digest(
        separator,
        "OnboardingBatch",
        _right_padded(statement.manager),
        _left_padded(statement.claim_issuer),
        _word(statement.nonce),
        _word(statement.deadline),
        _array(items),
    )


def attest(separator: bytes, statement: Attest) -> bytes:
    """Return the digest of an attestation (domain IDENTITY_REGISTRY)."""
    items = (
        _struct("Attested", _left_padded(item.identity), _word(item.topics), _word(item.until))
        for item in statement.items
    )
    return _digest(
        separator,
        "Attest",
        _left_padded(statement.claim_issuer),
        _array(items),
        _word(statement.nonce),
        _word(statement.deadline),
    )


def revoke(separator: bytes, statement: Revoke) -> bytes:
    """Return the digest of a revocation (domain IDENTITY_REGISTRY)."""
    return _digest(
        separator,
        "Revoke",
        _left_padded(statement.claim_issuer),
        _left_padded(statement.identity),
        *map(_word, (statement.for_cause, statement.nonce, statement.deadline)),
    )


def cash_account(separator: bytes, statement: CashAccount) -> bytes:
    """Return the digest that opens a cash account (domain DEPOSIT_TOKEN)."""
    return _digest(
        separator,
        "CashAccount",
        _left_padded(statement.account),
        _right_padded(statement.member),
        *map(_word, (statement.kind, statement.nonce, statement.deadline)),
    )


def cash_credit(separator: bytes, statement: CashEntry) -> bytes:
    """Return the digest of a credit (domain DEPOSIT_TOKEN)."""
    return _cash_entry(separator, "CashCredit", statement)


def cash_debit(separator: bytes, statement: CashEntry) -> bytes:
    """Return the digest of a debit (domain DEPOSIT_TOKEN)."""
    return _cash_entry(separator, "CashDebit", statement)


def key_change(separator: bytes, statement: KeyChange) -> bytes:
    """Return the digest that two persons of a member sign (domain MEMBER_REGISTRY)."""
    added = (
        _struct("Key", _left_padded(key.key), *map(_word, (key.scopes, key.since, key.until))) for key in statement.add
    )
    return _digest(
        separator,
        "KeyChange",
        _right_padded(statement.member),
        _array(added),
        _array(map(_left_padded, statement.retire)),
        _array(map(_left_padded, statement.revoke)),
        _word(statement.nonce),
        _word(statement.deadline),
    )


def key_policy_payload(separator: bytes, statement: KeyPolicy) -> bytes:
    """Return the bytes whose hash those sign who set a version of the key policy (domain KEY_POLICY of Authority)."""
    rules = (
        _struct(
            "KeyRule",
            _word(rule.act),
            _word(rule.required),
            _array(
                _struct("KeyHolder", _left_padded(each.key), _right_padded(each.institution), _word(each.custody))
                for each in rule.holders
            ),
        )
        for rule in statement.rules
    )
    return _payload(
        separator,
        "KeyPolicy",
        _word(statement.version),
        statement.previous,
        _array(rules),
        statement.document,
        _word(statement.held_at),
        _word(statement.deadline),
    )


def key_approval_payload(separator: bytes, statement: KeyApproval) -> bytes:
    """Return the bytes whose hash a key holder signs (domain KEY_POLICY of the contract that is called)."""
    words = (keccak(statement.data), statement.request, _word(statement.deadline))
    return _payload(separator, "KeyApproval", *words)


def act_vote(separator: bytes, statement: ActVote) -> bytes:
    """Return the digest of a member's vote on an act (domain MEMBER_REGISTRY)."""
    return _digest(separator, "ActVote", statement.act, _word(statement.support))


def encumber(separator: bytes, statement: Encumber) -> bytes:
    """Return the digest that the managers of account and party sign (domain ENCUMBRANCES)."""
    return _digest(
        separator,
        "Encumber",
        statement.encumbrance_id,
        _left_padded(statement.token),
        _word(statement.units),
        _left_padded(statement.account),
        *map(_word, (statement.until, statement.encumbrance_kind)),
        _left_padded(statement.party),
        statement.reason,
        _word(statement.deadline),
    )


def cash_allocation(separator: bytes, statement: CashAllocation) -> bytes:
    """Return the digest of an allocation (domain DVP_SETTLEMENT, though no contract reads it)."""
    return _digest(
        separator,
        "CashAllocation",
        _right_padded(statement.venue),
        _left_padded(statement.account),
        _left_padded(statement.cash_account),
        *map(_word, (statement.amount, statement.nonce, statement.deadline)),
    )


def _cash_entry(separator: bytes, name: str, statement: CashEntry) -> bytes:
    words = (_left_padded(statement.account), _word(statement.amount), statement.ref, _word(statement.deadline))
    return _digest(separator, name, *words)


def _digest(separator: bytes, name: str, *words: bytes) -> bytes:
    return keccak(_payload(separator, name, *words))


def _payload(separator: bytes, name: str, *words: bytes) -> bytes:
    return b"\x19\x01" + separator + _struct(name, *words)


def _struct(name: str, *words: bytes) -> bytes:
    return keccak(_HASH[name] + b"".join(words))


def _array(words: Iterable[bytes]) -> bytes:
    return keccak(b"".join(words))


def _word(value: int) -> bytes:
    return value.to_bytes(32)


def _left_padded(value: bytes) -> bytes:
    return value.rjust(32, b"\0")


def _right_padded(value: bytes) -> bytes:
    return value.ljust(32, b"\0")
