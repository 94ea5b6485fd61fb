# SPDX-License-Identifier: Apache-2.0
"""Reads out of ABI-encoded arguments what can hold text, and makes sure that the rest can hold none.

Each type is compiled once: what has a fixed size is checked by one mask of the bits that must be zero, offsets and
padding must be those that an encoder writes. So whatever passes is exactly what its arguments encode to.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from stoken.chain.codec import CodecError

_WORD: Final = 32
_BITS: Final = 8 * _WORD
_FULL: Final = (1 << _BITS) - 1

#: A `string` or `bytes` by the path of its argument, as `act.data`.
Found = list[tuple[str, Any]]
#: Takes the data, where a value begins in it, and where to put what it finds; returns where the value ends.
Read = Callable[[bytes, int, Found], int]


class Shape(NamedTuple):
    """A type: its bytes in the head, those of its bits there that must be zero, and how to read it if it is dynamic."""

    size: int
    mask: int
    read: Read | None


def shape_of(inputs: Sequence[Mapping[str, Any]]) -> Shape:
    """Compile the inputs of a function or constructor."""
    return _sequence([_shape(each, str(each["name"])) for each in inputs])


def read_texts(shape: Shape, data: bytes, at: int) -> Found:
    """Return what can hold text, of arguments that begin here; CodecError unless the data is exactly their encoding."""
    found: Found = []
    end = _read(shape, data, at, found)
    if end != len(data):
        raise CodecError("bytes follow that no argument names")
    return found


def _shape(parameter: Mapping[str, Any], path: str) -> Shape:
    kind: str = parameter["type"]
    if kind.endswith("]"):
        base, _, count = kind[:-1].rpartition("[")
        item = _shape({**parameter, "type": base}, path)
        return _within(_sequence([item] * int(count))) if count else Shape(_WORD, 0, _array(item))
    if kind == "tuple":
        return _within(_sequence([_shape(each, f"{path}.{each['name']}") for each in parameter["components"]]))
    if kind in {"bytes", "string"}:
        return Shape(_WORD, 0, _text(path, as_text=kind == "string"))
    return Shape(_WORD, _mask(kind), None)


def _within(sequence: Shape) -> Shape:
    """Return the shape of a struct or array as others hold it: by an offset, where it is dynamic."""
    return sequence if sequence.read is None else sequence._replace(size=_WORD, mask=0)


def _mask(kind: str) -> int:
    """Return the bits of a word that no value of the type sets."""
    if kind == "address":
        return _FULL ^ ((1 << 160) - 1)
    if kind == "bool":
        return _FULL ^ 1
    if kind == "int256":
        return 0
    if kind.startswith("uint"):
        return _FULL ^ ((1 << int(kind[4:])) - 1)
    if kind.startswith("bytes"):
        return (1 << _BITS - 8 * int(kind[5:])) - 1
    raise CodecError(f"no text is told from {kind}")


def _sequence(items: Sequence[Shape]) -> Shape:
    """Return the shape of values side by side; `size` is that of their head."""
    places = list(accumulate((item.size for item in items), initial=0))
    head, mask = places[-1], 0
    for item in items:
        mask = mask << 8 * item.size | item.mask
    behind = [(at, item.read) for at, item in zip(places, items, strict=False) if item.read is not None]
    if not behind:
        return Shape(head, mask, None)

    def read(data: bytes, at: int, found: Found) -> int:
        end = _fixed(data, at, head, mask)
        for place, read_item in behind:
            if int.from_bytes(data[at + place : at + place + _WORD]) != end - at:
                raise CodecError("an offset leads elsewhere")
            end = read_item(data, end, found)
        return end

    return Shape(head, mask, read)


def _array(item: Shape) -> Read:
    def read(data: bytes, at: int, found: Found) -> int:
        start = _fixed(data, at, _WORD, 0)
        count = int.from_bytes(data[at:start])
        if count * item.size > len(data) - start:
            raise CodecError("the data ends early")
        end = start + count * item.size
        for place in range(start, end, item.size):
            if item.read is None:
                _fixed(data, place, item.size, item.mask)
            elif int.from_bytes(data[place : place + _WORD]) != end - start:
                raise CodecError("an offset leads elsewhere")
            else:
                end = item.read(data, end, found)
        return end

    return read


def _text(path: str, *, as_text: bool) -> Read:
    def read(data: bytes, at: int, found: Found) -> int:
        start = _fixed(data, at, _WORD, 0)
        length = int.from_bytes(data[at:start])
        if length > len(data) - start:
            raise CodecError("the data ends early")
        value, end = data[start : start + length], start + length + -length % _WORD
        if data[start + length : end] != bytes(-length % _WORD):
            raise CodecError("padding that is not zero")
        found.append((path, _decoded(value) if as_text else value))
        return end

    return read


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise CodecError("a string that is no UTF-8") from error


def _read(shape: Shape, data: bytes, at: int, found: Found) -> int:
    return _fixed(data, at, shape.size, shape.mask) if shape.read is None else shape.read(data, at, found)


def _fixed(data: bytes, at: int, size: int, mask: int) -> int:
    """Return where a value of fixed size ends."""
    end = at + size
    if end > len(data):
        raise CodecError("the data ends early")
    if int.from_bytes(data[at:end]) & mask:
        raise CodecError("a value that its type cannot hold")
    return end
