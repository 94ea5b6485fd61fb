# SPDX-License-Identifier: Apache-2.0
"""Transactions as a block's trie holds them, made from what a node answers; and who signed one."""

from collections.abc import Callable
from typing import Any, Final

import rlp
from eth_hash.auto import keccak
from rlp.exceptions import RLPException

from stoken.chain.signatures import recover
from stoken.chain.transactions import rlp_bytes, rlp_integer, rlp_list

Json = Any
#: What is signed, by type: legacy, access list (EIP-2930), fee market (EIP-1559), blobs (EIP-4844), codes (EIP-7702).
_FIELDS: Final = (
    ("nonce", "gasPrice", "gas", "to", "value", "input"),
    ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList"),
    ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input", "accessList"),
    (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input", "accessList"),
        *("maxFeePerBlobGas", "blobVersionedHashes"),
    ),
    (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input", "accessList"),
        "authorizationList",
    ),
)
_SIGNATURE_FIELDS: Final = 3
_EIP155_V: Final = 35
_V: Final = 27


def encode_transaction(answer: Json) -> bytes:
    """Return a transaction as RLP, behind its type byte unless it is a legacy one; ValueError for an unknown type."""
    kind = int(answer.get("type") or "0x0", 16)
    if kind >= len(_FIELDS):
        raise ValueError(f"transactions of type {kind} are not known")
    parity = answer.get("yParity") if kind else None
    signature = _integer(parity or answer["v"]) + _integer(answer["r"]) + _integer(answer["s"])
    body = rlp_list(b"".join(_field(name, answer.get(name)) for name in _FIELDS[kind]) + signature)
    return bytes([kind]) + body if kind else body


def signer_and_nonce(raw: bytes) -> tuple[bytes, int]:
    """Return who signed a raw transaction and its nonce; empty for nobody."""
    kind = raw[0] if raw[0] < len(_FIELDS) else 0
    try:
        items = rlp.decode(raw[1:] if kind else raw)
    except RLPException:
        return b"", 0
    fields, (v, r, s) = items[:-_SIGNATURE_FIELDS], items[-_SIGNATURE_FIELDS:]
    mark = int.from_bytes(v)
    if kind:
        digest, parity = keccak(bytes([kind]) + rlp.encode(fields)), mark
    elif mark >= _EIP155_V:
        parity = (mark - _EIP155_V) % 2
        digest = keccak(rlp.encode([*fields, (mark - _EIP155_V) // 2, b"", b""]))
    else:
        digest, parity = keccak(rlp.encode(fields)), mark - _V
    nonce = int.from_bytes(fields[1 if kind else 0])
    if parity not in {0, 1}:
        return b"", nonce
    return recover(digest, r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes((_V + parity,))), nonce


def _field(name: str, value: Json) -> bytes:
    return _ENCODERS.get(name, _integer)(value)


def _integer(text: str) -> bytes:
    return rlp_integer(int(text, 16))


def _bytes(text: str | None) -> bytes:
    return rlp_bytes(bytes.fromhex((text or "0x")[2:]))


def _access(entries: Json) -> bytes:
    return rlp_list(
        b"".join(rlp_list(_bytes(each["address"]) + _hashes(each["storageKeys"])) for each in entries or ())
    )


def _hashes(items: Json) -> bytes:
    return rlp_list(b"".join(map(_bytes, items)))


def _authorizations(entries: Json) -> bytes:
    return rlp_list(b"".join(map(_authorization, entries)))


def _authorization(each: Json) -> bytes:
    signature = _integer(each.get("yParity") or each["v"]) + _integer(each["r"]) + _integer(each["s"])
    return rlp_list(_integer(each["chainId"]) + _bytes(each["address"]) + _integer(each["nonce"]) + signature)


_ENCODERS: Final[dict[str, Callable[[Json], bytes]]] = {
    "to": _bytes,
    "input": _bytes,
    "accessList": _access,
    "blobVersionedHashes": _hashes,
    "authorizationList": _authorizations,
}
