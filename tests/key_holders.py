# SPDX-License-Identifier: Apache-2.0
"""Key holders with known keys, the policies that they sign, and their approvals."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from eth_hash.auto import keccak
from sqlalchemy import Connection

from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import GivenApproval, KeyHolder, KeyPolicy, KeyRule
from stoken.domain.codes import Custody, KeyAct
from stoken.transactions import key_policy
from stoken.transactions.key_gate import approval_payload
from stoken.transactions.key_policy import Ceremony
from tests.consortium import REGISTRAR, VENUE

CHAIN_ID: Final = 31_337
AUTHORITY: Final = b"\x0a" * 20
SEPARATOR: Final = eip712.domain(eip712.KEY_POLICY, CHAIN_ID, AUTHORITY)
ANNE, BORA, CHUL, DANA = (bytes((0x71 + at,)) * 32 for at in range(4))
MINUTES: Final = b"\x0d" * 32


def now() -> int:
    return int(time.time())


def holder(secret: bytes, institution: bytes = VENUE) -> KeyHolder:
    return KeyHolder(address_of(secret), institution, Custody.HSM)


def rule(act: KeyAct, *secrets: bytes, required: int = 2) -> KeyRule:
    return KeyRule(act, required, tuple(holder(each, REGISTRAR if each == CHUL else VENUE) for each in secrets))


def rules(changed: Mapping[KeyAct, KeyRule] | None = None) -> tuple[KeyRule, ...]:
    """Two of three for every kind of act, but for those that are changed."""
    return tuple((changed or {}).get(act, rule(act, ANNE, BORA, CHUL)) for act in KeyAct)


def founding(**changes: Any) -> KeyPolicy:  # noqa: ANN401 - fields of any kind
    made = KeyPolicy(1, bytes(32), rules(), MINUTES, now() - 60, now() + 600)
    return msgspec.structs.replace(made, **changes)


def after(before: Ceremony, **changes: Any) -> KeyPolicy:  # noqa: ANN401 - fields of any kind
    """The next version: the same but for what is changed."""
    version = before.statement.version + 1
    return msgspec.structs.replace(before.statement, version=version, previous=before.digest, **changes)


def signed(statement: KeyPolicy, *secrets: bytes, separator: bytes = SEPARATOR) -> list[bytes]:
    return [sign(each, key_policy.digest_of(separator, statement)) for each in secrets]


def record(connection: Connection, statement: KeyPolicy, *secrets: bytes, separator: bytes = SEPARATOR) -> Ceremony:
    signatures = signed(statement, *secrets, separator=separator)
    return key_policy.record(connection, separator, statement, signatures, time.time_ns())


def found(connection: Connection, separator: bytes = SEPARATOR) -> Ceremony:
    return record(connection, founding(), ANNE, BORA, CHUL, separator=separator)


def approvals(
    key: str,
    data: bytes,
    secrets: Iterable[bytes],
    *,
    to: bytes = AUTHORITY,
    chain_id: int = CHAIN_ID,
    deadline: int | None = None,
) -> list[GivenApproval]:
    until = now() + 86_400 if deadline is None else deadline
    payload = approval_payload(eip712.domain(eip712.KEY_POLICY, chain_id, to), key, data, until)
    return [GivenApproval(sign(each, keccak(payload)), until) for each in secrets]
