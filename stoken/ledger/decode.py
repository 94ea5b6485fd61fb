# SPDX-License-Identifier: Apache-2.0
"""Logs to facts: words sliced by hand, by readers compiled once from the table of events.

A log that its declared event cannot explain is malformed: it becomes no fact and is quarantined.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from eth_hash.auto import keccak

from stoken.domain import facts
from stoken.domain.facts import Address, Fact
from stoken.ledger.signatures import EVENTS, ContractKind, EventSignature
from stoken.mirror import Log

#: Reads one value from data at an offset.
Read = Callable[[bytes, int], Any]
#: Turns a log's emitter, topics and data into a fact; raises MalformedLogError.
Decoder = Callable[[Address, bytes, bytes], Fact]

_WORD: Final = 32
#: What stands before an address in its word.
_PADDING: Final = bytes(12)
_ARRAY_MAX: Final = 256
_BYTES_MAX: Final = 1 << 16
#: Units, won and instants fit 63 bits in gateway and database.
_INT64_MAX: Final = 2**63 - 1
_STATIC_ARRAY = re.compile(r"(.+)\[(\d+)\]")


class MalformedLogError(ValueError):
    """A log of a known contract and event that does not have the event's form."""


def topic_of(event: EventSignature) -> bytes:
    """Return the first topic of an event's logs."""
    return keccak(event.canonical.encode())


def decode_log(kind: ContractKind, log: Log) -> Fact | None:
    """Return the fact that a log of a contract of this kind states, None where it states nothing we keep."""
    decoder = _DECODERS[kind].get(log.topics[:_WORD])
    return None if decoder is None else decoder(log.address, log.topics, log.data)


def _compile(event: EventSignature) -> Decoder:
    indexed = sum(item.endswith(" indexed") for item in event.arguments)
    readers: list[tuple[bool, int, Read]] = []
    topic_at, data_at, dynamic = _WORD, 0, False
    for item in event.arguments:
        kind = item.removesuffix(" indexed")
        if item.endswith(" indexed"):
            readers.append((True, topic_at, _reader(kind)))
            topic_at += _WORD
        else:
            readers.append((False, data_at, _reader(kind)))
            data_at += _size(kind)
            dynamic |= kind in _DYNAMIC
    length = (1 + indexed) * _WORD

    def decode(address: Address, topics: bytes, data: bytes) -> Fact:
        if len(topics) != length or (len(data) < data_at if dynamic else len(data) != data_at):
            raise MalformedLogError(f"{event.name}: {len(topics)} bytes of topics, {len(data)} of data")
        try:
            return event.build(address, *[read(topics if topic else data, at) for topic, at, read in readers])
        except (UnicodeDecodeError, MalformedLogError) as error:
            raise MalformedLogError(f"{event.name}: {error}") from error

    return decode


def _transfer(build: Callable[[bytes, bytes, bytes, int], Fact]) -> Decoder:
    """Return what `_compile` would, unrolled: nearly all logs of a dense history are transfers."""

    def decode(address: Address, topics: bytes, data: bytes) -> Fact:
        if len(topics) != 3 * _WORD or len(data) != _WORD or not topics[32:44] == topics[64:76] == _PADDING:
            raise MalformedLogError("Transfer: not the form of its event")
        units = int.from_bytes(data)
        if units > _INT64_MAX:
            raise MalformedLogError("Transfer: more than 63 bits")
        return build(address, topics[44:64], topics[76:96], units)

    return decode


def _size(kind: str) -> int:
    """Return how many bytes a type takes in the head of the data."""
    if kind in _DYNAMIC:
        return _WORD
    if kind.startswith("("):
        return sum(map(_size, _members(kind)))
    array = _STATIC_ARRAY.fullmatch(kind)
    return int(array[2]) * _size(array[1]) if array else _WORD


def _reader(kind: str) -> Read:
    if kind.startswith("("):
        return _sequence(_members(kind))
    if kind in _DYNAMIC:
        return _DYNAMIC[kind]
    array = _STATIC_ARRAY.fullmatch(kind)
    if array:
        # The one array of the suite is a bitmap: its words are not amounts but bits, all 256 of them.
        return _sequence(["bytes32"] * int(array[2]))
    return _word_reader(kind)


def _word_reader(kind: str) -> Read:
    if kind == "address":
        return _padded_left
    if kind == "bool":
        return lambda data, at: bool(_unsigned(data, at, 1))
    if kind.startswith("uint"):
        largest = min(_INT64_MAX, 2 ** int(kind[4:]) - 1)
        return lambda data, at: _unsigned(data, at, largest)
    return _padded_right(int(kind.removeprefix("bytes")))


def _sequence(kinds: list[str]) -> Read:
    readers, offset = [], 0
    for kind in kinds:
        readers.append((offset, _reader(kind)))
        offset += _size(kind)
    return lambda data, at: tuple(read(data, at + shift) for shift, read in readers)


def _members(kind: str) -> list[str]:
    """Split a tuple's type list; tuples within tuples do not occur."""
    return kind[1:-1].split(",")


def _unsigned(data: bytes, at: int, largest: int) -> int:
    value = int.from_bytes(data[at : at + _WORD])
    if value > largest:
        raise MalformedLogError(f"{value} is larger than {largest}")
    return value


def _padded_left(data: bytes, at: int) -> bytes:
    if data[at : at + 12] != _PADDING:
        raise MalformedLogError("an address of more than 20 bytes")
    return data[at + 12 : at + _WORD]


def _padded_right(size: int) -> Read:
    def read(data: bytes, at: int) -> bytes:
        if any(data[at + size : at + _WORD]):
            raise MalformedLogError(f"more than {size} bytes")
        return data[at : at + size]

    return read


def _tail(data: bytes, at: int, largest: int, unit: int) -> tuple[int, int]:
    """Return where a dynamic value starts and how many items it has, both within the data."""
    start = _unsigned(data, at, len(data) - _WORD) + _WORD
    count = _unsigned(data, start - _WORD, largest)
    if start + count * unit > len(data):
        raise MalformedLogError("a value reaches beyond the data")
    return start, count


def _read_bytes(data: bytes, at: int) -> bytes:
    start, count = _tail(data, at, _BYTES_MAX, 1)
    return data[start : start + count]


def _read_integers(data: bytes, at: int) -> tuple[int, ...]:
    start, count = _tail(data, at, _ARRAY_MAX, _WORD)
    return tuple(_unsigned(data, start + index * _WORD, _INT64_MAX) for index in range(count))


def _read_addresses(data: bytes, at: int) -> tuple[bytes, ...]:
    start, count = _tail(data, at, _ARRAY_MAX, _WORD)
    return tuple(_padded_left(data, start + index * _WORD) for index in range(count))


_DYNAMIC: Final[dict[str, Read]] = {
    "bytes": _read_bytes,
    "uint256[]": _read_integers,
    "address[]": _read_addresses,
}
_DECODERS: Final[dict[ContractKind, dict[bytes, Decoder]]] = {
    kind: {topic_of(event): _compile(event) for event in EVENTS if event.kind is kind} for kind in ContractKind
}
_TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
_DECODERS[ContractKind.TOKEN][_TRANSFER] = _transfer(facts.Transferred)
_DECODERS[ContractKind.DEPOSIT][_TRANSFER] = _transfer(facts.CashMoved)
