# SPDX-License-Identifier: Apache-2.0
"""How values look at the JSON edge: amounts as decimal strings, bytes as 0x-hex; unknown fields are refused."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from stoken.domain.quantities import parse_amount

_UINT256_BITS = 256


class Schema(BaseModel):
    """Base of every body and answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def parse_hex(value: object, octets: int | None = None) -> bytes:
    """Return the bytes of a 0x string; raises ValueError where it is none or of another length."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not value.startswith("0x") or not value.isalnum():
        raise ValueError("must be 0x-hex")
    data = bytes.fromhex(value[2:])
    if octets is not None and len(data) != octets:
        raise ValueError(f"must be {octets} bytes of 0x-hex")
    return data


def to_hex(value: bytes) -> str:
    """Return bytes as a 0x string."""
    return "0x" + value.hex()


def _amount(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("must be a decimal string")  # noqa: TRY004 - pydantic reports ValueError alone
    return parse_amount(value)


def _uint256(value: object) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > _UINT256_BITS:
        raise ValueError("must be a decimal string")
    number = int(value)
    if number.bit_length() > _UINT256_BITS:
        raise ValueError("must fit 256 bits")
    return number


def _octets(count: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^0x[0-9a-fA-F]{{{2 * count}}}$"})


_as_text = PlainSerializer(str, return_type=str)
_as_hex = PlainSerializer(to_hex, return_type=str)
_digits = WithJsonSchema({"type": "string", "pattern": "^[0-9]+$", "maxLength": 19})

#: Units or KRW, as callers send them and as they are answered.
AmountIn = Annotated[int, BeforeValidator(_amount), _as_text, _digits]
PositiveIn = Annotated[int, BeforeValidator(_amount), Field(ge=1), _as_text, _digits]
Amount = Annotated[int, _as_text, _digits]
Uint256 = Annotated[
    int, BeforeValidator(_uint256), _as_text, WithJsonSchema({"type": "string", "pattern": "^[0-9]+$", "maxLength": 78})
]
Address = Annotated[bytes, BeforeValidator(lambda value: parse_hex(value, 20)), _as_hex, _octets(20)]
Hash = Annotated[bytes, BeforeValidator(lambda value: parse_hex(value, 32)), _as_hex, _octets(32)]
Signature = Annotated[bytes, BeforeValidator(lambda value: parse_hex(value, 65)), _as_hex, _octets(65)]
Data = Annotated[
    bytes, BeforeValidator(parse_hex), _as_hex, WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"})
]
#: Seconds UTC, as block time.
Seconds = Annotated[int, Field(strict=True, ge=0, lt=2**40)]
Isin = Annotated[str, Field(min_length=12, max_length=12)]
