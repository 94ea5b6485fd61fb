# SPDX-License-Identifier: Apache-2.0
"""The key policy: for each kind of act, how many of which keys must approve it; each version the record of a ceremony.

A version is signed by what the version before asks for, and by every key that it names anew, which so shows that it is
held. The founding version is signed by all its keys. Versions name the digest of the one before; each reading checks
all of them, so that a row which nobody signed counts for nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, NoReturn

import msgspec
from eth_hash.auto import keccak
from sqlalchemy import Connection, insert, select

from stoken.chain.eip712 import key_policy_payload
from stoken.chain.signatures import recover
from stoken.chain.statements import KeyPolicy, KeyRule
from stoken.domain.codes import Custody, KeyAct
from stoken.domain.identifiers import is_lei
from stoken.domain.refusals import Refusal
from stoken.errors import Detail, InvalidInputError, RefusedError
from stoken.transactions.tables import key_ceremonies

#: Below two, one key alone would act.
REQUIRED_MIN: Final = 2
HOLDERS_MAX: Final = 32
_NOTHING: Final = bytes(32)
_NANOSECONDS: Final = 1_000_000_000
_ADDRESS_BYTES: Final = 20


class Ceremony(NamedTuple):
    """A version of the policy: what was signed, by which keys, and when it was recorded."""

    digest: bytes
    statement: KeyPolicy
    signatures: tuple[bytes, ...]
    recorded_at_ns: int

    @property
    def signers(self) -> frozenset[bytes]:
        """The keys that signed it."""
        return signers_of(self.digest, self.signatures)


def record(
    connection: Connection, separator: bytes, statement: KeyPolicy, signatures: Iterable[bytes], now_ns: int
) -> Ceremony:
    """Append a version, within the caller's unit of work; the same version again is the one on record.

    Raises InvalidInputError for one that is malformed or follows another version, SIGNATURE_POLICY_UNMET where keys
    are missing whose signatures it needs.
    """
    past = history(connection, separator)
    digest = digest_of(separator, statement)
    for known in past:
        if known.digest == digest:
            return known
    named = {holder.key for rule in (*_rules(past), *statement.rules) for holder in rule.holders}
    counted = {signer: each for each in signatures if (signer := recover(digest, each)) in named}
    made = Ceremony(digest, statement, tuple(counted[signer] for signer in sorted(counted)), now_ns)
    _check(past[-1] if past else None, made)
    connection.execute(
        insert(key_ceremonies).values(
            version=statement.version,
            digest=digest,
            statement=msgspec.json.encode(statement),
            signatures=msgspec.json.encode(made.signatures),
            recorded_at_ns=now_ns,
        )
    )
    return made


def history(connection: Connection, separator: bytes) -> list[Ceremony]:
    """Return every version, the oldest first; SIGNATURE_POLICY_UNMET where the record is not what was signed."""
    found: list[Ceremony] = []
    for row in connection.execute(select(key_ceremonies).order_by(key_ceremonies.c.version)):
        try:
            statement = msgspec.json.decode(row.statement, type=KeyPolicy)
            signatures = msgspec.json.decode(row.signatures, type=tuple[bytes, ...])
            digest = digest_of(separator, statement)
        except (msgspec.MsgspecError, OverflowError) as error:
            raise RefusedError(Refusal.SIGNATURE_POLICY_UNMET, f"version {row.version} is unreadable") from error
        ceremony = Ceremony(digest, statement, signatures, row.recorded_at_ns)
        if (row.version, row.digest) != (statement.version, ceremony.digest):
            _unmet(f"version {row.version} is not what was signed")
        try:
            _check(found[-1] if found else None, ceremony)
        except InvalidInputError as error:
            raise RefusedError(Refusal.SIGNATURE_POLICY_UNMET, f"version {row.version}: {error}") from error
        found.append(ceremony)
    return found


def following(past: list[Ceremony]) -> tuple[int, bytes]:
    """Return version and previous digest that the next version must name."""
    return len(past) + 1, past[-1].digest if past else _NOTHING


def digest_of(separator: bytes, statement: KeyPolicy) -> bytes:
    """Return the digest that is signed."""
    return keccak(key_policy_payload(separator, statement))


def signers_of(digest: bytes, signatures: Iterable[bytes]) -> frozenset[bytes]:
    """Return whoever signed a digest, each once; malformed and malleable signatures are nobody's."""
    return frozenset(recover(digest, each) for each in signatures) - {b""}


def changed_acts(before: KeyPolicy | None, statement: KeyPolicy) -> list[KeyAct]:
    """Return the kinds of acts whose rule a version changes."""
    return [
        KeyAct(rule.act)
        for at, rule in enumerate(statement.rules)
        if before is None or at >= len(before.rules) or before.rules[at] != rule
    ]


def _rules(past: list[Ceremony]) -> tuple[KeyRule, ...]:
    return past[-1].statement.rules if past else ()


def _check(before: Ceremony | None, made: Ceremony) -> None:
    """Raise unless a version may follow the one before it."""
    statement, last = made.statement, None if before is None else before.statement
    expected = (1, _NOTHING) if before is None else (before.statement.version + 1, before.digest)
    if (statement.version, statement.previous) != expected:
        raise InvalidInputError(f"the next version is {expected[0]}, after 0x{expected[1].hex()}")
    for fault in _faults(statement):
        raise InvalidInputError(fault)
    recorded_at = made.recorded_at_ns // _NANOSECONDS
    if not statement.held_at <= recorded_at <= statement.deadline:
        _unmet(f"version {statement.version} was to be recorded from {statement.held_at} to {statement.deadline}")
    if not changed_acts(last, statement):
        raise InvalidInputError("it changes nothing")
    _check_signers(last, statement, made.signers)


def _check_signers(last: KeyPolicy | None, statement: KeyPolicy, signers: frozenset[bytes]) -> None:
    old_rules = () if last is None else last.rules
    for act in changed_acts(last, statement):
        old = next((rule for rule in old_rules if rule.act == act), None)
        if old is not None:
            approved = len(keys_of(old) & signers)
            if approved < old.required:
                name = act.name.lower()
                details: dict[str, Detail] = {"act": name, "required": old.required, "approved": approved}
                _unmet(f"the rule of {name} changes with {old.required} of its keys, {approved} signed", details)
    held = frozenset().union(*(keys_of(rule) for rule in old_rules))
    silent = frozenset().union(*(keys_of(rule) for rule in statement.rules)) - held - signers
    if silent:
        _unmet(f"{len(silent)} keys that are new did not sign, such as 0x{min(silent).hex()}", {"missing": len(silent)})


def keys_of(rule: KeyRule) -> frozenset[bytes]:
    """Return the keys that may approve."""
    return frozenset(holder.key for holder in rule.holders)


def _faults(statement: KeyPolicy) -> Iterator[str]:
    if [rule.act for rule in statement.rules] != list(KeyAct):
        yield f"it must have one rule for each of {', '.join(act.name.lower() for act in KeyAct)}, in this order"
    if len(statement.document) != len(_NOTHING) or statement.document == _NOTHING:
        yield "document must be the SHA-256 of the minutes of its ceremony"
    for rule in statement.rules:
        count = len(rule.holders)
        if not REQUIRED_MIN <= rule.required <= count <= HOLDERS_MAX:
            yield f"{rule.required} of {count}: {REQUIRED_MIN} keys or more must approve, of at most {HOLDERS_MAX}"
        if len(keys_of(rule)) != count:
            yield "a rule names a key twice"
        for holder in rule.holders:
            if len(holder.key) != _ADDRESS_BYTES or not any(holder.key):
                yield "a key is no address"
            if not is_lei(holder.institution.decode("ascii", errors="replace")):
                yield "an institution is no LEI"
            if holder.custody not in list(Custody):
                yield "the custody of a key is unknown"


def _unmet(message: str, details: dict[str, Detail] | None = None) -> NoReturn:
    raise RefusedError(Refusal.SIGNATURE_POLICY_UNMET, message, details)
