# SPDX-License-Identifier: Apache-2.0
"""Legacy transactions at gas price zero, signed by hand (EIP-155): what every supported engine takes."""

from eth_hash.auto import keccak

from stoken.chain.signatures import Key, sign

_SHORT = 55
#: A table is read faster than a byte is made: a block's receipts have some thirty strings a transaction.
_STRINGS = tuple(bytes((0x80 + length,)) for length in range(_SHORT + 1))


def legacy_fields(nonce: int, gas: int, to: bytes, data: bytes) -> bytes:
    """Return the encoded fields of a transaction that are signed; an empty `to` creates a contract."""
    return (
        rlp_integer(nonce)
        + b"\x80"  # gas price 0
        + rlp_integer(gas)
        + rlp_bytes(to)
        + b"\x80"  # value 0
        + rlp_bytes(data)
    )


def signing_payload(fields: bytes, chain_id: int) -> bytes:
    """Return the bytes whose hash is signed, bound to the chain (EIP-155)."""
    return rlp_list(fields + rlp_integer(chain_id) + b"\x80\x80")


def signed_legacy(fields: bytes, signature: bytes, chain_id: int) -> tuple[bytes, bytes]:
    """Return the raw transaction and its hash, given its signature as r, s and v of 27 or 28."""
    raw = rlp_list(
        fields
        + rlp_integer(signature[64] + 8 + 2 * chain_id)
        + rlp_integer(int.from_bytes(signature[:32]))
        + rlp_integer(int.from_bytes(signature[32:64]))
    )
    return raw, keccak(raw)


def sign_legacy(key: Key, nonce: int, gas: int, to: bytes, data: bytes, chain_id: int) -> tuple[bytes, bytes]:
    """Return the raw transaction and its hash, signed by a key at hand."""
    fields = legacy_fields(nonce, gas, to, data)
    return signed_legacy(fields, sign(key, keccak(signing_payload(fields, chain_id))), chain_id)


def calldata(raw: bytes) -> bytes:
    """Return what a raw legacy transaction calls its receiver with."""
    import rlp  # noqa: PLC0415 - needed for failed transactions alone

    return bytes(rlp.decode(raw)[5])


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that a creation by `sender` makes."""
    return keccak(rlp_list(rlp_bytes(sender) + rlp_integer(nonce)))[12:]


def rlp_bytes(value: bytes) -> bytes:
    """Encode a byte string."""
    length = len(value)
    if length == 1 and value[0] < 0x80:  # noqa: PLR2004 - a small byte is its own encoding
        return value
    return (_STRINGS[length] if length <= _SHORT else _prefix(0x80, length)) + value


def rlp_integer(value: int) -> bytes:
    """Encode an integer: no leading zeros, zero is the empty string."""
    return rlp_bytes(value.to_bytes((value.bit_length() + 7) // 8))


def rlp_list(payload: bytes) -> bytes:
    """Encode a list whose items are encoded and joined already."""
    return _prefix(0xC0, len(payload)) + payload


def _prefix(offset: int, length: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((offset + _SHORT + len(size),)) + size
