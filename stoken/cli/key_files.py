# SPDX-License-Identifier: Apache-2.0
"""The key policy as a file that people write and sign: addresses and hashes in hex, acts and custody by name."""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from stoken.chain.statements import KeyHolder, KeyPolicy, KeyRule
from stoken.domain.codes import Custody, KeyAct
from stoken.domain.identifiers import member_id
from stoken.errors import InvalidInputError

_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=2**40)]
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**8)]
_Hash = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{64}$")]
_Address = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{40}$")]
_ACTS: Final = {act.name.lower(): act for act in KeyAct}
_CUSTODIES: Final = {custody.name.lower(): custody for custody in Custody}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """Base of what is read: an unknown field is a mistake."""


class _Holder(_File):
    """A key, the LEI of its institution, and what keeps it."""

    key: _Address
    institution: str
    custody: str


class _Rule(_File):
    """How many of these keys must approve."""

    required: _Count
    holders: tuple[_Holder, ...]


class _Policy(_File):
    """A version of the policy; `version` and `previous` are filled in by `stoken keys draft`."""

    rules: dict[str, _Rule]
    document: _Hash
    held_at: _Seconds
    deadline: _Seconds
    version: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    previous: _Hash = "0x" + "00" * 32


def read(path: Path) -> KeyPolicy:
    """Read a policy; InvalidInputError says in one line what is wrong with the file."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Policy)
    except msgspec.MsgspecError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    if set(found.rules) != set(_ACTS):
        raise InvalidInputError(f"{path}: rules must have {', '.join(_ACTS)}")
    rules = tuple(_rule(path, act, found.rules[name]) for name, act in _ACTS.items())
    return KeyPolicy(
        found.version, _bytes(found.previous), rules, _bytes(found.document), found.held_at, found.deadline
    )


def document(statement: KeyPolicy) -> dict[str, Any]:
    """Return a policy as such a file has it."""
    return {
        "version": statement.version,
        "previous": _hex(statement.previous),
        "rules": {KeyAct(rule.act).name.lower(): _shown(rule) for rule in statement.rules},
        "document": _hex(statement.document),
        "held_at": statement.held_at,
        "deadline": statement.deadline,
    }


def _rule(path: Path, act: KeyAct, rule: _Rule) -> KeyRule:
    return KeyRule(act, rule.required, tuple(_holder(path, each) for each in rule.holders))


def _holder(path: Path, holder: _Holder) -> KeyHolder:
    if holder.custody not in _CUSTODIES:
        raise InvalidInputError(f"{path}: custody must be one of {', '.join(_CUSTODIES)}")
    try:
        institution = member_id(holder.institution)
    except ValueError as error:
        raise InvalidInputError(f"{path}: institution: {error}") from error
    return KeyHolder(_bytes(holder.key), institution, _CUSTODIES[holder.custody])


def _shown(rule: KeyRule) -> dict[str, Any]:
    holders = [
        {
            "key": _hex(holder.key),
            "institution": holder.institution.decode(),
            "custody": Custody(holder.custody).name.lower(),
        }
        for holder in rule.holders
    ]
    return {"required": rule.required, "holders": holders}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
