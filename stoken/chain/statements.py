# SPDX-License-Identifier: Apache-2.0
"""What institutions sign besides orders, field for field as the contracts' structs; anyone may relay them."""

import msgspec

from stoken.domain.facts import Address, MemberId


class _Statement(msgspec.Struct, frozen=True, array_like=True):
    """Base of all statements: immutable, in the order of the contract's struct."""


class OrderCancel(_Statement, frozen=True):
    """A broker voids one of its orders."""

    broker: MemberId
    nonce: int


class Act(_Statement, frozen=True):
    """A call of a contract that `Authority` owns, carried out once its policy's institutions approved it."""

    target: Address
    data: bytes
    basis: bytes
    document: bytes
    salt: int
    deadline: int


class Onboarding(_Statement, frozen=True):
    """An account of an investor, its identity and what is attested about it."""

    account: Address
    identity: Address
    country: int
    investor_class: int
    owner_type: int
    topics: int
    until: int


class OnboardingBatch(_Statement, frozen=True):
    """Accounts that a manager binds and a claim issuer attests; both sign the same digest."""

    manager: MemberId
    claim_issuer: Address
    nonce: int
    deadline: int
    items: tuple[Onboarding, ...]


class Attested(_Statement, frozen=True):
    """Topics of an identity, until a block time."""

    identity: Address
    topics: int
    until: int


class Attest(_Statement, frozen=True):
    """A claim issuer attests identities again."""

    claim_issuer: Address
    items: tuple[Attested, ...]
    nonce: int
    deadline: int


class Revoke(_Statement, frozen=True):
    """A claim issuer withdraws its attestation of an identity."""

    claim_issuer: Address
    identity: Address
    for_cause: bool
    nonce: int
    deadline: int


class CashAccount(_Statement, frozen=True):
    """A cash agent opens a member's cash account (kind 1 customers', 2 own)."""

    account: Address
    member: MemberId
    kind: int
    nonce: int
    deadline: int


class CashEntry(_Statement, frozen=True):
    """A cash agent credits or debits a cash account; `ref` is used once."""

    account: Address
    amount: int
    ref: bytes
    deadline: int


class MemberKey(_Statement, frozen=True):
    """A key with its scopes (bits) and validity in block time."""

    key: Address
    scopes: int
    since: int
    until: int


class KeyChange(_Statement, frozen=True):
    """Two persons of a member change its keys."""

    member: MemberId
    add: tuple[MemberKey, ...]
    retire: tuple[Address, ...]
    revoke: tuple[Address, ...]
    nonce: int
    deadline: int


class ActVote(_Statement, frozen=True):
    """A member votes on an act that waits at the Authority."""

    act: bytes
    support: bool


class Encumber(_Statement, frozen=True):
    """Managers of account and party encumber units: a pledge, a trust mark, or (without a party) a certificate."""

    encumbrance_id: bytes
    token: Address
    units: int
    account: Address
    until: int
    encumbrance_kind: int
    party: Address
    reason: bytes
    deadline: int


class CashAllocation(_Statement, frozen=True):
    """A broker credits an investor's sub-account at the venue; checked by the venue alone, never on chain."""

    venue: MemberId
    account: Address
    cash_account: Address
    amount: int
    nonce: int
    deadline: int


class KeyHolder(_Statement, frozen=True):
    """A key that approves acts under the key policy: whose it is, and what keeps it."""

    key: Address
    institution: MemberId
    custody: int


class KeyRule(_Statement, frozen=True):
    """How many of these keys must approve acts of one kind."""

    act: int
    required: int
    holders: tuple[KeyHolder, ...]


class KeyPolicy(_Statement, frozen=True):
    """A version of the key policy: minutes of its ceremony by their hash, and the version that it follows."""

    version: int
    previous: bytes
    rules: tuple[KeyRule, ...]
    document: bytes
    held_at: int
    deadline: int


class KeyApproval(_Statement, frozen=True):
    """A key holder approves one call for one request; `request` is the hash of its key in the outbox."""

    data: bytes
    request: bytes
    deadline: int


class GivenApproval(_Statement, frozen=True):
    """A signature over a KeyApproval, with the one value of it that the request does not say."""

    signature: bytes
    deadline: int
