# SPDX-License-Identifier: Apache-2.0
"""Nothing but an exact encoding passes; the codec, which decodes and encodes again, is the oracle."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pytest

from stoken.chain import artifacts
from stoken.chain.codec import CodecError, Function, Interface
from stoken.chain.shapes import read_texts, shape_of

_SEED = 20260


def functions() -> Iterator[tuple[Function, list[dict[str, Any]]]]:
    """Yield every function of the suite with its inputs, each signature once."""
    seen = set()
    for name in artifacts.names():
        abi = artifacts.load(name).abi
        interface = Interface(abi)
        for entry in abi:
            if entry["type"] != "function" or not entry["inputs"]:
                continue
            shape = ",".join(map(_kind, entry["inputs"]))
            for function in interface.functions.values():
                if function.signature == f"{entry['name']}({shape})" and function.signature not in seen:
                    seen.add(function.signature)
                    yield function, entry["inputs"]


def _kind(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_kind, parameter['components']))}){kind.removeprefix('tuple')}"


def value(parameter: Mapping[str, Any], random: Random) -> Any:  # noqa: ANN401 - any ABI value
    kind: str = parameter["type"]
    if kind.endswith("]"):
        base, _, count = kind[:-1].rpartition("[")
        return tuple(value({**parameter, "type": base}, random) for _ in range(int(count or random.randrange(3))))
    if kind == "tuple":
        return tuple(value(each, random) for each in parameter["components"])
    return _atom(kind, random)


def _atom(kind: str, random: Random) -> int | str | bytes:
    if kind == "bool":
        return random.choice((True, False))
    if kind == "string":
        return "".join(random.choice("aé한 0") for _ in range(random.randrange(40)))
    if kind == "int256":
        return random.randrange(-(1 << 255), 1 << 255)
    if kind.startswith("uint"):
        return random.getrandbits(int(kind[4:]))
    return random.randbytes(20 if kind == "address" else int(kind[5:] or random.randrange(70)))


def spoilt(data: bytes, random: Random) -> bytes:
    """Return the data with a byte changed, cut off or added."""
    at = random.randrange(len(data) + 1)
    changed = random.choice((b"\0", b"\1", b"\x20", b"\x80", b"\xff", b"a"))
    return random.choice((data[:at], data[:at] + changed + data[at + 1 :], data + changed, data + bytes(32)))


def is_exact(function: Function, data: bytes) -> bool:
    """Say what the codec says: it decodes, and encodes to the same."""
    try:
        return function.encode(*function.decode_call(data)) == data
    except (CodecError, OverflowError):
        return False


def passes(inputs: list[dict[str, Any]], data: bytes) -> bool:
    try:
        read_texts(shape_of(inputs), data, 4)
    except CodecError:
        return False
    return True


def leaves(parameter: Mapping[str, Any], given: Any) -> Iterator[str | bytes]:  # noqa: ANN401 - any ABI value
    kind: str = parameter["type"]
    if kind.endswith("]"):
        for each in given:
            yield from leaves({**parameter, "type": kind[: kind.rindex("[")]}, each)
    elif kind == "tuple":
        for component, each in zip(parameter["components"], given, strict=True):
            yield from leaves(component, each)
    elif kind in {"bytes", "string"}:
        yield given


class TestReadTexts:
    def test_every_text_of_every_function_is_found(self) -> None:
        random, count = Random(_SEED), 0  # noqa: S311 - a seed to repeat
        for function, inputs in functions():
            given = tuple(value(each, random) for each in inputs)
            found = read_texts(shape_of(inputs), function.encode(*given), 4)
            wanted = [leaf for each, item in zip(inputs, given, strict=True) for leaf in leaves(each, item)]
            assert [text for _, text in found] == wanted, function.signature
            count += len(wanted)
        assert count > 50

    def test_what_passes_is_what_the_codec_encodes(self) -> None:
        random, refused, passed = Random(_SEED), 0, 0  # noqa: S311 - a seed to repeat
        for function, inputs in functions():
            for _ in range(30):
                data = function.encode(*(value(each, random) for each in inputs))
                data = function.selector + spoilt(data[4:], random)
                assert passes(inputs, data) is is_exact(function, data), (function.signature, data.hex())
                refused += not is_exact(function, data)
                passed += is_exact(function, data)
        assert min(refused, passed) > 1_000

    @pytest.mark.parametrize("kind", ["int8", "fixed128x18", "function"])
    def test_a_type_that_no_mask_tells_is_refused(self, kind: str) -> None:
        with pytest.raises((CodecError, ValueError)):
            shape_of([{"type": kind, "name": "x"}])
