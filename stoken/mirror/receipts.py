# SPDX-License-Identifier: Apache-2.0
"""Receipts as their trie holds them, and that trie's root: what makes a block's logs provably complete."""

from collections.abc import Sequence
from typing import Any

from eth_hash.auto import keccak

from stoken.chain.transactions import rlp_bytes, rlp_integer, rlp_list
from stoken.mirror.blocks import Log

Json = dict[str, Any]
Pair = tuple[bytes, bytes]
_HASH_BYTES = 32
_NOTHING = b"\x80"


def encode_receipt(receipt: Json, logs: Sequence[Log]) -> bytes:
    """Return a receipt with its decoded logs as RLP, behind its type byte unless the transaction is a legacy one."""
    status = receipt.get("status")
    body = rlp_list(
        (rlp_bytes(_raw(receipt["root"])) if status is None else rlp_integer(int(status, 16)))
        + rlp_integer(int(receipt["cumulativeGasUsed"], 16))
        + rlp_bytes(_raw(receipt["logsBloom"]))
        + rlp_list(b"".join(map(_encode_log, logs)))
    )
    kind = int(receipt.get("type") or "0x0", 16)
    return bytes([kind]) + body if kind else body


def trie_root(values: Sequence[bytes]) -> bytes:
    """Return the root of the trie that maps each value's RLP-encoded index to it."""
    return keccak(_node([(_nibbles(rlp_integer(index)), value) for index, value in enumerate(values)]))


def _encode_log(log: Log) -> bytes:
    topics = (rlp_bytes(log.topics[at : at + _HASH_BYTES]) for at in range(0, len(log.topics), _HASH_BYTES))
    return rlp_list(rlp_bytes(log.address) + rlp_list(b"".join(topics)) + rlp_bytes(log.data))


def _node(pairs: list[Pair]) -> bytes:
    """Return the encoded node that holds the pairs of rest of path and value."""
    if not pairs:
        return _NOTHING
    first, value = pairs[0]
    if len(pairs) == 1:
        return rlp_list(rlp_bytes(_compact(first, leaf=True)) + rlp_bytes(value))
    shared = _shared_prefix(min(pairs)[0], max(pairs)[0])
    if shared:
        rest = _node([(path[shared:], held) for path, held in pairs])
        return rlp_list(rlp_bytes(_compact(first[:shared], leaf=False)) + _reference(rest))
    # Encoded indices are prefix-free, so that no value ever ends in a branch.
    children: list[list[Pair]] = [[] for _ in range(16)]
    for path, held in pairs:
        children[path[0]].append((path[1:], held))
    return rlp_list(b"".join(_reference(_node(child)) for child in children) + _NOTHING)


def _reference(node: bytes) -> bytes:
    return node if len(node) < _HASH_BYTES else rlp_bytes(keccak(node))


def _compact(path: bytes, *, leaf: bool) -> bytes:
    flag = 2 * leaf + len(path) % 2
    nibbles = bytes([flag]) + path if len(path) % 2 else bytes([flag, 0]) + path
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _shared_prefix(first: bytes, last: bytes) -> int:
    length = 0
    while first[length : length + 1] == last[length : length + 1] and length < len(first):
        length += 1
    return length


def _nibbles(data: bytes) -> bytes:
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
