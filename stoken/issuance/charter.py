# SPDX-License-Identifier: Apache-2.0
"""The charter file: which institutions found the suite, with which keys, and whose claims are trusted.

JSON: {"members": [{"lei", "roles", "keys": [{"address", "scopes", "since", "until"}]}], "topics": [1],
"issuers": [{"address", "topics"}]}; roles and scopes by their names, instants in seconds UTC.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stoken.chain.statements import MemberKey
from stoken.domain.codes import Role, Scope
from stoken.domain.identifiers import is_lei, member_id
from stoken.errors import InvalidInputError
from stoken.issuance.deploy import Charter, Founder

_FOREVER = 2**40 - 1
_ADDRESS_BYTES = 20


def read_charter(path: Path) -> Charter:
    """Read a charter file; raises InvalidInputError that names the field which is malformed."""
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise InvalidInputError(f"the charter {path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"the charter {path} is not a JSON object") from error
    return charter_of(document)


def charter_of(document: Mapping[str, Any]) -> Charter:
    """Return the charter that a JSON document states."""
    founders = tuple(_founder(item, f"members[{at}]") for at, item in enumerate(_list(document, "members", "")))
    issuers = tuple(_issuer(item, f"issuers[{at}]") for at, item in enumerate(_list(document, "issuers", "")))
    return Charter(founders, _topics(document, ""), issuers)


def _founder(item: Mapping[str, Any], at: str) -> Founder:
    lei = item.get("lei")
    if not isinstance(lei, str) or not is_lei(lei):
        raise InvalidInputError(f"{at}.lei is not a valid LEI", {"field": f"{at}.lei"})
    roles = sum(_named(Role, name, f"{at}.roles") for name in _list(item, "roles", f"{at}."))
    keys = tuple(_key(key, f"{at}.keys[{place}]") for place, key in enumerate(_list(item, "keys", f"{at}.")))
    return Founder(member_id(lei), roles, keys)


def _key(item: Mapping[str, Any], at: str) -> MemberKey:
    scopes = sum(_named(Scope, name, f"{at}.scopes") for name in _list(item, "scopes", f"{at}."))
    since, until = item.get("since", 0), item.get("until", _FOREVER)
    if not isinstance(since, int) or not isinstance(until, int) or not 0 <= since <= until <= _FOREVER:
        raise InvalidInputError(f"{at} has no valid period", {"field": f"{at}.until"})
    return MemberKey(_address(item, at), scopes, since, until)


def _issuer(item: Mapping[str, Any], at: str) -> tuple[bytes, tuple[int, ...]]:
    return _address(item, at), _topics(item, f"{at}.")


def _topics(item: Mapping[str, Any], at: str) -> tuple[int, ...]:
    topics = _list(item, "topics", at)
    if not all(isinstance(topic, int) and 0 <= topic < 64 for topic in topics):  # noqa: PLR2004 - a bit of a word
        raise InvalidInputError(f"{at}topics holds something else than numbers from 0 to 63", {"field": f"{at}topics"})
    return tuple(topics)


def _address(item: Mapping[str, Any], at: str) -> bytes:
    try:
        address = bytes.fromhex(str(item.get("address", "")).removeprefix("0x"))
    except ValueError:
        address = b""
    if len(address) != _ADDRESS_BYTES:
        raise InvalidInputError(f"{at}.address is not an address", {"field": f"{at}.address"})
    return address


def _named(kind: type[Role] | type[Scope], name: object, at: str) -> int:
    if not isinstance(name, str) or name not in kind.__members__:
        raise InvalidInputError(f"{at} names {name!r}: expected one of {', '.join(kind.__members__)}", {"field": at})
    return int(kind[name])


def _list(item: Mapping[str, Any], name: str, at: str) -> list[Any]:
    value = item.get(name)
    if not isinstance(value, list):
        raise InvalidInputError(f"{at}{name} is missing or not a list", {"field": f"{at}{name}"})
    return value
