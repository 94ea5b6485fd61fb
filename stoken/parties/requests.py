# SPDX-License-Identifier: Apache-2.0
"""What institutions ask to be carried to the chain: signed statements, kept as they came, decided elsewhere."""

import msgspec

from stoken.chain.statements import (
    Act,
    Attest,
    CashAccount,
    CashEntry,
    Encumber,
    GivenApproval,
    KeyChange,
    OnboardingBatch,
    Revoke,
)


class _Body(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of all bodies; the tag is the kind that callers name."""


class ActRequest(_Body, frozen=True, tag="act"):
    """An act of `Authority` with the approvals of its policy's institutions, in the policy's order.

    `key_approvals` are those that the venue's own key policy asks for, in any order.
    """

    statement: Act
    approvals: tuple[bytes, ...]
    key_approvals: tuple[GivenApproval, ...] = ()


class OnboardRequest(_Body, frozen=True, tag="onboard"):
    """Accounts to bind, signed by their manager and by the claim issuer."""

    statement: OnboardingBatch
    manager_signature: bytes
    attestation: bytes


class AttestRequest(_Body, frozen=True, tag="attest"):
    """Claims to renew, signed by the claim issuer."""

    statement: Attest
    signature: bytes


class RevokeRequest(_Body, frozen=True, tag="revoke"):
    """A claim to withdraw, signed by the claim issuer."""

    statement: Revoke
    signature: bytes


class CashAccountRequest(_Body, frozen=True, tag="cash_account"):
    """A cash account to open, signed by the cash agent."""

    statement: CashAccount
    signature: bytes


class CashCreditRequest(_Body, frozen=True, tag="cash_credit"):
    """Cash received, signed by the cash agent."""

    statement: CashEntry
    signature: bytes


class CashDebitRequest(_Body, frozen=True, tag="cash_debit"):
    """Cash paid out, signed by the cash agent."""

    statement: CashEntry
    signature: bytes


class KeyChangeRequest(_Body, frozen=True, tag="key_change"):
    """Keys of a member to change, signed by two of its persons."""

    statement: KeyChange
    signatures: tuple[bytes, bytes]


class EncumberRequest(_Body, frozen=True, tag="encumber"):
    """Units to encumber, signed by the managers of account and party; a certificate has no party's signature."""

    statement: Encumber
    account_signature: bytes
    party_signature: bytes


Body = (
    ActRequest
    | OnboardRequest
    | AttestRequest
    | RevokeRequest
    | CashAccountRequest
    | CashCreditRequest
    | CashDebitRequest
    | KeyChangeRequest
    | EncumberRequest
)


class Request(msgspec.Struct, frozen=True):
    """A request as it was stored: `id` is the tenant's, `sequence` the order in which requests came."""

    sequence: int
    tenant: str
    id: str
    kind: str
    body: Body
    received_at_ns: int


#: JSON, because salts and nonces have 256 bits and msgpack ends at 64.
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


def encode(body: Body) -> bytes:
    """Return the bytes that are stored."""
    return _encoder.encode(body)


def decode(data: bytes) -> Body:
    """Read a body back."""
    return _decoder.decode(data)


def kind_of(body: Body) -> str:
    """Return the kind that callers name."""
    return str(type(body).__struct_config__.tag)
