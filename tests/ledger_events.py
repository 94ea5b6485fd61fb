# SPDX-License-Identifier: Apache-2.0
"""Synthetic chains for mirror and ledger: logs encoded by eth_abi from the declared events, linked into blocks."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from eth_abi import encode

from stoken.ledger.decode import topic_of
from stoken.ledger.signatures import EVENTS, ContractKind, EventSignature
from stoken.mirror import Log, MinedBlock

SUITE = {
    kind.value: hashlib.sha256(kind.value.encode()).digest()[:20]
    for kind in ContractKind
    if kind not in {ContractKind.TOKEN, ContractKind.COMPLIANCE, ContractKind.MODULE}
}
TOKEN, COMPLIANCE, MODULE = b"\x70" * 20, b"\x71" * 20, b"\x72" * 20
ISIN = "ZZ00000BPL13"
NOBODY = bytes(20)
EVENT = {(event.kind, event.name): event for event in EVENTS}

Emitted = tuple[bytes, EventSignature, tuple[Any, ...]]


def address(index: int) -> bytes:
    """Return an account's address."""
    return b"\xac" + index.to_bytes(19)


def emitted(kind: ContractKind, name: str, *arguments: object, at: bytes | None = None) -> Emitted:
    """Name an event, its emitter and its arguments."""
    default = {ContractKind.TOKEN: TOKEN, ContractKind.COMPLIANCE: COMPLIANCE, ContractKind.MODULE: MODULE}
    return (at or default.get(kind) or SUITE[kind.value], EVENT[kind, name], arguments)


def transfer(sender: bytes, receiver: bytes, units: int) -> Emitted:
    """Move units of the one token."""
    return emitted(ContractKind.TOKEN, "Transfer", sender, receiver, units)


def issue(isin: str = ISIN) -> Emitted:
    """Create the one token."""
    return emitted(ContractKind.FACTORY, "IssueCreated", isin.encode(), TOKEN, COMPLIANCE, bytes(32), bytes(32))


def encode_log(event: Emitted, number: int, index: int) -> Log:
    """Encode an event as the chain would."""
    emitter, signature, arguments = event
    topics, types, values = topic_of(signature), [], []
    for declared, value in zip(signature.arguments, arguments, strict=True):
        kind = declared.removesuffix(" indexed")
        if declared.endswith(" indexed"):
            topics += encode([kind], [value])
        else:
            types.append(kind)
            values.append(value)
    return Log(number, index, index, emitter, topics, encode(types, values))


def block(number: int, events: Iterable[Emitted] = (), *, fork: bytes = b"", parent: bytes | None = None) -> MinedBlock:
    """Return a block; `fork` tells branches apart."""
    logs = [encode_log(event, number, index) for index, event in enumerate(events)]
    before = _hash(number - 1, b"") if parent is None else parent
    hashes = tuple(hashlib.sha256(b"tx%d.%d" % (number, index) + fork).digest() for index in range(len(logs)))
    return MinedBlock(number, _hash(number, fork), before, 1_700_000_000 + number * 12, hashes, logs)


def chain(contents: Sequence[Iterable[Emitted]], first: int = 0) -> list[MinedBlock]:
    """Return linked blocks with these events."""
    return [block(first + at, events) for at, events in enumerate(contents)]


def _hash(number: int, fork: bytes) -> bytes:
    return hashlib.sha256(b"block%d" % number + fork).digest() if number >= 0 else bytes(32)
