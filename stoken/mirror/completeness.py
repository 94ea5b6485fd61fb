# SPDX-License-Identifier: Apache-2.0
"""Nothing is missing from a block: its logs number on, its bloom follows from them, its receipts hash to its root."""

from collections.abc import Sequence
from typing import Any

import rlp
from eth_hash.auto import keccak

from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import Header, Log, decode_log

Json = dict[str, Any]
_BLOOM_BITS_MAX = 200_000


class IncompleteBlockError(LedgerUnavailableError):
    """The node's answers about a block contradict each other; asking again may help, guessing does not."""


class LogsBloom:
    """Computes blooms, remembering the bits of addresses and topics it has met."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._bits: dict[bytes, int] = {}

    def of(self, logs: Sequence[Log]) -> int:
        """Return the bloom of a block's logs as the header's integer."""
        bloom, bits = 0, self._bits
        for log in logs:
            topics = log.topics
            for item in (log.address, *[topics[at : at + 32] for at in range(0, len(topics), 32)]):
                known = bits.get(item)
                bloom |= self._remember(item) if known is None else known
        return bloom

    def _remember(self, item: bytes) -> int:
        if len(self._bits) >= _BLOOM_BITS_MAX:
            self._bits.clear()
        digest = keccak(item)
        bits = 0
        for at in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[at : at + 2]) & 2047)
        self._bits[item] = bits
        return bits


def check_logs(header: Header, logs: Sequence[Log], bloom: LogsBloom) -> None:
    """Raise IncompleteBlockError unless log indices run from 0 without a gap and the bloom is the header's."""
    for expected, log in enumerate(logs):
        if log.log_index != expected:
            raise IncompleteBlockError(f"block {header.number}: log {expected} is missing")
    if bloom.of(logs) != header.bloom:
        raise IncompleteBlockError(f"block {header.number}: its logs do not give its bloom")


def check_receipts(header: Header, logs: Sequence[Log], receipts: Sequence[Json]) -> None:
    """Raise IncompleteBlockError unless the receipts hash to the header's root and hold exactly these logs."""
    if trie_root([encode_receipt(receipt) for receipt in receipts]) != header.receipts_root:
        raise IncompleteBlockError(f"block {header.number}: its receipts do not give its root")
    if [decode_log(log) for receipt in receipts for log in receipt["logs"]] != list(logs):
        raise IncompleteBlockError(f"block {header.number}: its receipts hold other logs")


def encode_receipt(receipt: Json) -> bytes:
    """Return a receipt as it stands in the trie: RLP, behind its type byte unless the transaction is a legacy one."""
    logs = [
        [_raw(log["address"]), [_raw(topic) for topic in log["topics"]], _raw(log["data"])] for log in receipt["logs"]
    ]
    outcome = _raw(receipt["root"]) if receipt.get("status") is None else _minimal(receipt["status"])
    body = rlp.encode([outcome, _minimal(receipt["cumulativeGasUsed"]), _raw(receipt["logsBloom"]), logs])
    kind = int(receipt.get("type") or "0x0", 16)
    return bytes([kind]) + body if kind else bytes(body)


def trie_root(values: Sequence[bytes]) -> bytes:
    """Return the root of the trie that maps each value's RLP-encoded index to it."""
    pairs = [(_nibbles(rlp.encode(index)), value) for index, value in enumerate(values)]
    return keccak(rlp.encode(_node(pairs)))


def _node(pairs: list[tuple[bytes, bytes]]) -> object:
    """Return the node that holds the pairs, as the list (or empty string) that RLP encodes."""
    if not pairs:
        return b""
    if len(pairs) == 1:
        path, value = pairs[0]
        return [_compact(path, leaf=True), value]
    shared = _shared_prefix([path for path, _ in pairs])
    if shared:
        rest = [(path[shared:], value) for path, value in pairs]
        return [_compact(pairs[0][0][:shared], leaf=False), _reference(_node(rest))]
    # Encoded indices are prefix-free, so that no value ever ends in a branch.
    children: list[list[tuple[bytes, bytes]]] = [[] for _ in range(16)]
    for path, value in pairs:
        children[path[0]].append((path[1:], value))
    return [*(_reference(_node(child)) for child in children), b""]


def _reference(node: object) -> object:
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)  # noqa: PLR2004 - a hash is as long as the node it would name


def _compact(path: bytes, *, leaf: bool) -> bytes:
    flag = 2 * leaf + len(path) % 2
    nibbles = bytes([flag]) + path if len(path) % 2 else bytes([flag, 0]) + path
    return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _shared_prefix(paths: list[bytes]) -> int:
    first, last = min(paths), max(paths)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return length


def _nibbles(data: bytes) -> bytes:
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _minimal(text: str) -> bytes:
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8)
