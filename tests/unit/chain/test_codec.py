# SPDX-License-Identifier: Apache-2.0
"""The codec agrees with eth_abi on every type, and refuses what does not fit."""

from typing import Any

import pytest
from eth_abi import decode as reference_decode
from eth_abi import encode as reference_encode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from stoken.chain.codec import CodecError, Interface, coder
from stoken.domain.signed_order import SignedOrder

Case = tuple[dict[str, Any], Any]


def atoms() -> st.SearchStrategy[tuple[str, st.SearchStrategy[Any]]]:
    sizes = st.integers(1, 32)
    return st.one_of(
        sizes.map(lambda n: (f"uint{8 * n}", st.integers(0, 2 ** (8 * n) - 1))),
        sizes.map(lambda n: (f"int{8 * n}", st.integers(-(2 ** (8 * n - 1)), 2 ** (8 * n - 1) - 1))),
        sizes.map(lambda n: (f"bytes{n}", st.binary(min_size=n, max_size=n))),
        st.sampled_from(
            [
                ("address", st.binary(min_size=20, max_size=20)),
                ("bool", st.booleans()),
                ("bytes", st.binary(max_size=70)),
                ("string", st.text(max_size=40)),
            ]
        ),
    )


@st.composite
def cases(draw: st.DrawFn, depth: int = 2) -> Case:
    shape = draw(st.sampled_from(["atom", "tuple", "array", "fixed"] if depth else ["atom"]))
    if shape == "atom":
        kind, values = draw(atoms())
        return {"type": kind}, draw(values)
    if shape == "tuple":
        parts = draw(st.lists(cases(depth - 1), min_size=1, max_size=3))
        return {"type": "tuple", "components": [kind for kind, _ in parts]}, tuple(value for _, value in parts)
    kind, value = draw(cases(depth - 1))
    count = draw(st.integers(1 if shape == "fixed" else 0, 3))
    suffix = f"[{count}]" if shape == "fixed" else "[]"
    return {**kind, "type": kind["type"] + suffix}, (value,) * count


def canonical(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(canonical, parameter['components']))}){kind.removeprefix('tuple')}"


def with_bytes(parameter: dict[str, Any], value: Any) -> Any:  # noqa: ANN401 - any ABI value
    """Turn eth_abi's hex addresses into bytes."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return tuple(with_bytes(inner, item) for item in value)
    if kind == "tuple":
        return tuple(with_bytes(part, item) for part, item in zip(parameter["components"], value, strict=True))
    return bytes.fromhex(value[2:]) if kind == "address" else value


class TestCoder:
    @settings(max_examples=300, deadline=None)
    @given(st.lists(cases(), min_size=1, max_size=4))
    def test_it_encodes_and_decodes_as_eth_abi(self, arguments: list[Case]) -> None:
        kinds, values = [kind for kind, _ in arguments], tuple(value for _, value in arguments)
        compiled = coder({"type": "tuple", "components": kinds})
        types = [canonical(kind) for kind in kinds]
        encoded = compiled.encode(values)
        assert encoded == reference_encode(types, values)
        assert compiled.decode(encoded, 0) == values
        assert compiled.decode(encoded, 0) == with_bytes(
            {"type": "tuple", "components": kinds}, reference_decode(types, encoded)
        )

    @given(st.binary(max_size=300))
    def test_any_bytes_decode_or_are_refused(self, data: bytes) -> None:
        compiled = coder({"type": "tuple", "components": [{"type": "bytes[]"}, {"type": "string"}, {"type": "bool"}]})
        try:
            compiled.decode(data, 0)
        except CodecError:
            return

    def test_a_list_that_claims_more_items_than_there_are_bytes_is_refused(self) -> None:
        compiled = coder({"type": "uint256[][]"})
        with pytest.raises(CodecError, match="ends early"):
            compiled.decode((2**200).to_bytes(32), 0)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("uint8", 256),
            ("uint8", -1),
            ("int8", 128),
            ("uint256", "1"),
            ("address", b"\0" * 19),
            ("address", "0x" + "00" * 20),
            ("bytes4", b"\0" * 5),
            ("bool", 1),
            ("string", b"x"),
            ("bytes", "x"),
            ("uint8[]", 3),
            ("uint8[2]", (1,)),
        ],
    )
    def test_a_value_that_does_not_fit_is_refused(self, kind: str, value: object) -> None:
        with pytest.raises(CodecError):
            coder({"type": kind}).encode(value)

    @pytest.mark.parametrize(("kind", "word"), [("uint8", 256), ("address", 2**160), ("bool", 2), ("bytes4", 1)])
    def test_dirty_bits_are_refused(self, kind: str, word: int) -> None:
        with pytest.raises(CodecError):
            coder({"type": kind}).decode(word.to_bytes(32), 0)

    def test_an_unknown_type_is_refused(self) -> None:
        with pytest.raises(CodecError, match="fixed128x18"):
            coder({"type": "fixed128x18"})


def _parameter(kind: str, name: str, **more: object) -> dict[str, Any]:
    return {"type": kind, "name": name, **more}


ABI = [
    {
        "type": "function",
        "name": "transfer",
        "inputs": [_parameter("address", "to"), _parameter("uint256", "amount")],
        "outputs": [_parameter("bool", "")],
    },
    {"type": "function", "name": "burn", "inputs": [_parameter("uint256", "amount")], "outputs": []},
    {"type": "function", "name": "burn", "inputs": [_parameter("address", "account")], "outputs": []},
    {
        "type": "event",
        "name": "Transfer",
        "inputs": [
            _parameter("address", "from", indexed=True),
            _parameter("uint256", "value", indexed=False),
            _parameter("string", "memo", indexed=True),
        ],
    },
    {"type": "error", "name": "Short", "inputs": [_parameter("uint256", "needed"), _parameter("uint256", "")]},
    {"type": "constructor", "inputs": [_parameter("address", "owner")]},
]


class TestInterface:
    def test_a_call_is_encoded_and_read_back(self) -> None:
        data = Interface(ABI).encode("transfer", b"\x01" * 20, 7)
        assert data == bytes.fromhex("a9059cbb") + b"\0" * 12 + b"\x01" * 20 + (7).to_bytes(32)
        assert Interface(ABI).functions["transfer"].decode_call(data) == (b"\x01" * 20, 7)

    def test_one_output_is_the_value_itself(self) -> None:
        assert Interface(ABI).functions["transfer"].decode_output((1).to_bytes(32)) is True

    def test_an_overloaded_function_goes_by_its_signature(self) -> None:
        functions = Interface(ABI).functions
        assert "burn" not in functions
        assert functions["burn(uint256)"].selector == keccak(b"burn(uint256)")[:4]

    def test_an_event_is_decoded_by_name(self) -> None:
        topic = keccak(b"Transfer(address,uint256,string)")
        event = Interface(ABI).events[topic]
        topics = [topic, b"\0" * 12 + b"\x02" * 20, keccak(b"memo")]
        assert event.decode(topics, (5).to_bytes(32)) == {"from": b"\x02" * 20, "value": 5, "memo": keccak(b"memo")}

    def test_an_event_with_another_number_of_topics_is_refused(self) -> None:
        (event,) = Interface(ABI).events.values()
        with pytest.raises(CodecError, match="topics"):
            event.decode([event.topic], (5).to_bytes(32))

    def test_an_error_is_decoded_by_name(self) -> None:
        selector = keccak(b"Short(uint256,uint256)")[:4]
        error = Interface(ABI).errors[selector]
        assert error.decode(selector + (3).to_bytes(32) + (4).to_bytes(32)) == {"needed": 3, "argument1": 4}

    def test_a_constructor_takes_its_arguments(self) -> None:
        assert Interface(ABI).constructor.encode((b"\x03" * 20,)) == b"\0" * 12 + b"\x03" * 20

    def test_a_struct_is_taken_as_a_tuple(self) -> None:
        fields = ["bytes20", *["address"] * 4, "uint8", *["uint64"] * 3, "uint40", "uint40", "uint64"]
        compiled = coder({"type": "tuple", "components": [{"type": kind} for kind in fields]})
        order = SignedOrder(*(b"\x05" * 20,) * 5, 1, 2, 3, 4, 5, 6, 7)
        assert compiled.encode(order) == reference_encode(
            [f"({','.join(fields)})"], [(*(b"\x05" * 20,) * 5, 1, 2, 3, 4, 5, 6, 7)]
        )
