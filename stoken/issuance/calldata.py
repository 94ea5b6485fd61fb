# SPDX-License-Identifier: Apache-2.0
"""The call that carries a request to the chain: which contract, what calldata, how much gas at most.

Gas that is not used costs nothing at a gas price of zero, so the figures are bounds, not estimates.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from stoken.chain import artifacts
from stoken.chain.codec import Interface
from stoken.parties import requests

_GAS_BASE: Final = 500_000
_GAS_ACT: Final = 3_000_000
#: An act's heaviest calldata is a batch mint: two words, up to 120k gas an item.
_GAS_ACT_BYTE: Final = 2_000
_GAS_ONBOARDING: Final = 200_000
_GAS_CLAIM: Final = 100_000


class Call(NamedTuple):
    """A call of one of the suite's contracts, by its name in the suite file."""

    contract: str
    data: bytes
    gas: int


def call_of(body: requests.Body) -> Call:
    """Return the call that a request asks for."""
    return _CALLS[type(body)](body)


@lru_cache(maxsize=32)
def interface(contract: str) -> Interface:
    """Return a contract's compiled ABI."""
    return Interface(artifacts.load(contract).abi)


def _act(body: requests.ActRequest) -> Call:
    data = interface("Authority").encode("execute", body.statement, body.approvals)
    return Call("authority", data, _GAS_ACT + _GAS_ACT_BYTE * len(body.statement.data))


def _onboard(body: requests.OnboardRequest) -> Call:
    data = interface("IdentityRegistry").encode(
        "registerAccounts", body.statement, body.manager_signature, body.attestation
    )
    return Call("registry", data, _GAS_BASE + _GAS_ONBOARDING * len(body.statement.items))


def _attest(body: requests.AttestRequest) -> Call:
    data = interface("IdentityRegistry").encode("attest", *_fields(body.statement), body.signature)
    return Call("registry", data, _GAS_BASE + _GAS_CLAIM * len(body.statement.items))


def _revoke(body: requests.RevokeRequest) -> Call:
    statement = _fields(body.statement)
    return Call("registry", interface("IdentityRegistry").encode("revoke", *statement, body.signature), _GAS_BASE)


def _cash(function: str) -> Callable[[Any], Call]:
    def call(body: requests.CashAccountRequest | requests.CashCreditRequest | requests.CashDebitRequest) -> Call:
        return Call("deposit", interface("DepositToken").encode(function, body.statement, body.signature), _GAS_BASE)

    return call


def _key_change(body: requests.KeyChangeRequest) -> Call:
    data = interface("MemberRegistry").encode("setKeys", *_fields(body.statement), body.signatures)
    keys = len(body.statement.add) + len(body.statement.retire) + len(body.statement.revoke)
    return Call("members", data, _GAS_BASE + _GAS_CLAIM * keys)


def _encumber(body: requests.EncumberRequest) -> Call:
    id_, *record, deadline = _fields(body.statement)
    data = interface("Encumbrances").encode(
        "encumber", id_, tuple(record), deadline, body.account_signature, body.party_signature
    )
    return Call("encumbrances", data, _GAS_BASE)


def _fields(statement: msgspec.Struct) -> tuple[Any, ...]:
    return msgspec.structs.astuple(statement)


_CALLS: Final[dict[type, Callable[[Any], Call]]] = {
    requests.ActRequest: _act,
    requests.OnboardRequest: _onboard,
    requests.AttestRequest: _attest,
    requests.RevokeRequest: _revoke,
    requests.CashAccountRequest: _cash("openAccount"),
    requests.CashCreditRequest: _cash("credit"),
    requests.CashDebitRequest: _cash("debit"),
    requests.KeyChangeRequest: _key_change,
    requests.EncumberRequest: _encumber,
}
