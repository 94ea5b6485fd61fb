# SPDX-License-Identifier: Apache-2.0
"""ABI encoding by hand: each type is compiled once into a coder, and calls, events and errors use it.

Values are Python's: `int`, `bool`, `str`, `bytes` (addresses 20 bytes, bytesN N bytes), tuples for structs
and arrays. Encoding also takes lists and msgspec structs. What does not fit raises CodecError.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from eth_hash.auto import keccak

#: A parameter of an ABI, as solc writes it.
Parameter = Mapping[str, Any]
Abi = Sequence[Mapping[str, Any]]
Value = Any

_WORD = 32
_MAX_ITEMS = 1 << 20


class CodecError(ValueError):
    """A value that its type cannot hold, or bytes that no value of the type encodes to."""


class Coder(NamedTuple):
    """How one type is written and read; `size` is its bytes in the head."""

    type: str
    dynamic: bool
    size: int
    encode: Callable[[Value], bytes]
    decode: Callable[[bytes, int], Value]


def coder(parameter: Parameter) -> Coder:
    """Compile a parameter's type."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        base, _, count = kind[:-1].rpartition("[")
        item = coder({**parameter, "type": base})
        return _fixed_array(item, int(count)) if count else _array(item)
    if kind == "tuple":
        return _tuple([coder(component) for component in parameter["components"]])
    return _atom(kind)


def _atom(kind: str) -> Coder:
    if kind == "bytes":
        return Coder(kind, dynamic=True, size=_WORD, encode=_encode_bytes, decode=_decode_bytes)
    if kind == "string":
        return Coder(kind, dynamic=True, size=_WORD, encode=_encode_string, decode=_decode_string)
    if kind == "address":
        return _fixed_bytes(kind, 20, left=12)
    if kind == "bool":
        return Coder(kind, dynamic=False, size=_WORD, encode=_encode_bool, decode=_decode_bool)
    if kind.startswith("bytes"):
        return _fixed_bytes(kind, int(kind[5:]), left=0)
    if kind.startswith(("uint", "int")):
        signed = not kind.startswith("u")
        return _integer(kind, int(kind[3 if signed else 4 :]), signed=signed)
    raise CodecError(f"unknown ABI type {kind}")


def _integer(kind: str, bits: int, *, signed: bool) -> Coder:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def encode(value: Value) -> bytes:
        if not isinstance(value, int) or not low <= value <= high:
            raise CodecError(f"{value!r} is no {kind}")
        return value.to_bytes(_WORD, signed=signed)

    def decode(data: bytes, at: int) -> int:
        value = int.from_bytes(_word(data, at), signed=signed)
        if not low <= value <= high:
            raise CodecError(f"{value} is no {kind}")
        return value

    return Coder(kind, dynamic=False, size=_WORD, encode=encode, decode=decode)


def _fixed_bytes(kind: str, length: int, *, left: int) -> Coder:
    before, after = bytes(left), bytes(_WORD - left - length)

    def encode(value: Value) -> bytes:
        if not isinstance(value, bytes) or len(value) != length:
            raise CodecError(f"{value!r} is no {kind}")
        return before + value + after

    def decode(data: bytes, at: int) -> bytes:
        word = _word(data, at)
        if word[:left] != before or word[left + length :] != after:
            raise CodecError(f"{word.hex()} is no {kind}")
        return word[left : left + length]

    return Coder(kind, dynamic=False, size=_WORD, encode=encode, decode=decode)


def _encode_bool(value: Value) -> bytes:
    if not isinstance(value, bool):
        raise CodecError(f"{value!r} is no bool")
    return value.to_bytes(_WORD)


def _decode_bool(data: bytes, at: int) -> bool:
    value = int.from_bytes(_word(data, at))
    if value > 1:
        raise CodecError(f"{value} is no bool")
    return value == 1


def _encode_bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise CodecError(f"{value!r} is no bytes")
    return len(value).to_bytes(_WORD) + value + bytes(-len(value) % _WORD)


def _decode_bytes(data: bytes, at: int) -> bytes:
    start = at + _WORD
    end = start + int.from_bytes(_word(data, at))
    if end > len(data):
        raise CodecError("the data ends early")
    return data[start:end]


def _encode_string(value: Value) -> bytes:
    if not isinstance(value, str):
        raise CodecError(f"{value!r} is no string")
    return _encode_bytes(value.encode())


def _decode_string(data: bytes, at: int) -> str:
    # A contract may emit any bytes as a string: what is no UTF-8 is shown, not refused.
    return _decode_bytes(data, at).decode(errors="backslashreplace")


def _tuple(items: Sequence[Coder]) -> Coder:
    kind = f"({','.join(item.type for item in items)})"
    dynamic = any(item.dynamic for item in items)
    head = sum(item.size for item in items)

    def encode(value: Value) -> bytes:
        values = msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else value
        if not isinstance(values, tuple | list) or len(values) != len(items):
            raise CodecError(f"{value!r} is no {kind}")
        return _encode_sequence(items, values, head)

    def decode(data: bytes, at: int) -> tuple[Value, ...]:
        return _decode_sequence(items, data, at)

    return Coder(kind, dynamic, _WORD if dynamic else head, encode, decode)


def _fixed_array(item: Coder, count: int) -> Coder:
    inner = _tuple([item] * count)
    return inner._replace(type=f"{item.type}[{count}]")


def _array(item: Coder) -> Coder:
    kind = f"{item.type}[]"

    def encode(value: Value) -> bytes:
        if not isinstance(value, tuple | list):
            raise CodecError(f"{value!r} is no {kind}")
        length = len(value).to_bytes(_WORD)
        if not item.dynamic:
            return length + b"".join(map(item.encode, value))
        return length + _encode_sequence([item] * len(value), value, _WORD * len(value))

    def decode(data: bytes, at: int) -> tuple[Value, ...]:
        count = int.from_bytes(_word(data, at))
        # An item of no bytes could be claimed any number of times.
        if count > _MAX_ITEMS or at + _WORD + count * item.size > len(data):
            raise CodecError("the data ends early")
        return _decode_sequence([item] * count, data, at + _WORD)

    return Coder(kind, dynamic=True, size=_WORD, encode=encode, decode=decode)


def _encode_sequence(items: Sequence[Coder], values: Sequence[Value], head: int) -> bytes:
    heads: list[bytes] = []
    tails: list[bytes] = []
    end = head
    for item, value in zip(items, values, strict=True):
        encoded = item.encode(value)
        if not item.dynamic:
            heads.append(encoded)
            continue
        heads.append(end.to_bytes(_WORD))
        tails.append(encoded)
        end += len(encoded)
    return b"".join(heads) + b"".join(tails)


def _decode_sequence(items: Sequence[Coder], data: bytes, start: int) -> tuple[Value, ...]:
    values = []
    at = start
    for item in items:
        if item.dynamic:
            values.append(item.decode(data, start + int.from_bytes(_word(data, at))))
        else:
            values.append(item.decode(data, at))
        at += item.size
    return tuple(values)


def _word(data: bytes, at: int) -> bytes:
    word = data[at : at + _WORD]
    if len(word) != _WORD:
        raise CodecError("the data ends early")
    return word


def _signature(entry: Mapping[str, Any], inputs: Coder) -> bytes:
    return f"{entry['name']}{inputs.type}".encode()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a contract."""

    name: str
    signature: str
    selector: bytes
    inputs: Coder
    outputs: Coder

    def encode(self, *arguments: Value) -> bytes:
        """Return the calldata."""
        return self.selector + self.inputs.encode(arguments)

    def decode_call(self, data: bytes) -> tuple[Value, ...]:
        """Return the arguments of calldata."""
        return self.inputs.decode(data[4:], 0)  # type: ignore[no-any-return]

    def decode_output(self, data: bytes) -> Value:
        """Return what the call returned: the value itself where there is one, a tuple otherwise."""
        values = self.outputs.decode(data, 0)
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a contract; `names` are its arguments in the order of declaration."""

    name: str
    signature: str
    topic: bytes
    names: tuple[str, ...]
    indexed: tuple[Coder | None, ...]
    data: Coder

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Value]:
        """Return the arguments by name; an indexed string, bytes, array or struct is its hash."""
        if len(topics) != 1 + sum(item is not None for item in self.indexed):
            raise CodecError(f"{self.name} with {len(topics)} topics")
        from_topics = iter(topics[1:])
        from_data = iter(self.data.decode(data, 0))
        return {
            name: next(from_data) if item is None else item.decode(next(from_topics), 0)
            for name, item in zip(self.names, self.indexed, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Error:
    """A custom error of a contract."""

    name: str
    selector: bytes
    names: tuple[str, ...]
    inputs: Coder

    def decode(self, data: bytes) -> dict[str, Value]:
        """Return the arguments of revert data by name."""
        return dict(zip(self.names, self.inputs.decode(data[4:], 0), strict=True))


class Interface:
    """A contract's ABI, compiled."""

    def __init__(self, abi: Abi) -> None:
        """Take the ABI as solc writes it."""
        self._abi = abi

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions by signature, and by name where the name is not overloaded."""
        compiled = [_function(entry) for entry in self._abi if entry["type"] == "function"]
        names = [function.name for function in compiled]
        by_name = {function.name: function for function in compiled if names.count(function.name) == 1}
        return {function.signature: function for function in compiled} | by_name

    @cached_property
    def events(self) -> dict[bytes, Event]:
        """Events by their first topic."""
        return {(event := _event(entry)).topic: event for entry in self._abi if entry["type"] == "event"}

    @cached_property
    def errors(self) -> dict[bytes, Error]:
        """Custom errors by selector."""
        return {(error := _error(entry)).selector: error for entry in self._abi if entry["type"] == "error"}

    @cached_property
    def constructor(self) -> Coder:
        """The constructor's arguments; their encoding follows the creation code."""
        inputs = next((entry["inputs"] for entry in self._abi if entry["type"] == "constructor"), ())
        return _tuple([coder(parameter) for parameter in inputs])

    def encode(self, name: str, *arguments: Value) -> bytes:
        """Return the calldata of a function, by name or signature."""
        return self.functions[name].encode(*arguments)


def _function(entry: Mapping[str, Any]) -> Function:
    inputs = _tuple([coder(parameter) for parameter in entry["inputs"]])
    outputs = _tuple([coder(parameter) for parameter in entry.get("outputs", ())])
    signature = _signature(entry, inputs)
    return Function(entry["name"], signature.decode(), keccak(signature)[:4], inputs, outputs)


def _event(entry: Mapping[str, Any]) -> Event:
    parameters = entry["inputs"]
    signature = _signature(entry, _tuple([coder(parameter) for parameter in parameters]))
    return Event(
        entry["name"],
        signature.decode(),
        keccak(signature),
        tuple(parameter["name"] for parameter in parameters),
        tuple(_topic(parameter) if parameter["indexed"] else None for parameter in parameters),
        _tuple([coder(parameter) for parameter in parameters if not parameter["indexed"]]),
    )


def _topic(parameter: Parameter) -> Coder:
    compiled = coder(parameter)
    composite = compiled.dynamic or parameter["type"].startswith("tuple") or parameter["type"].endswith("]")
    return _atom("bytes32") if composite else compiled


def _error(entry: Mapping[str, Any]) -> Error:
    inputs = _tuple([coder(parameter) for parameter in entry["inputs"]])
    names = tuple(parameter["name"] or f"argument{at}" for at, parameter in enumerate(entry["inputs"]))
    return Error(entry["name"], keccak(_signature(entry, inputs))[:4], names, inputs)
