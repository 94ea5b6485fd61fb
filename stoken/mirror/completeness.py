# SPDX-License-Identifier: Apache-2.0
"""Nothing is missing from a block: its logs number on, its bloom follows from them, its receipts hash to its root."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from eth_hash.auto import keccak

from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import Header, Log, decode_log
from stoken.mirror.receipts import encode_receipt, trie_root

Json = dict[str, Any]
_BLOOM_BITS_MAX = 200_000
#: What a block without transactions has.
EMPTY_ROOT: Final = trie_root([])


class IncompleteBlockError(LedgerUnavailableError):
    """The node's answers about a block contradict each other; asking again may help, guessing does not."""


class LogsBloom:
    """Computes blooms, remembering the bits of addresses and topics it has met."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._bits: dict[bytes, int] = {}

    def of(self, logs: Sequence[Log]) -> int:
        """Return the bloom of a block's logs as the header's integer."""
        topics = b"".join({log.topics for log in logs})
        items = {log.address for log in logs}
        items.update([topics[at : at + 32] for at in range(0, len(topics), 32)])
        self._remember(items)
        return reduce(or_, map(self._bits.__getitem__, items), 0)

    def _remember(self, items: set[bytes]) -> None:
        # Not the difference with its keys, which would walk through all that is known.
        new = items.difference(self._bits)
        if len(self._bits) + len(new) > _BLOOM_BITS_MAX:
            self._bits.clear()
            new = items
        self._bits.update(zip(new, map(_bits, new), strict=True))


def _bits(item: bytes) -> int:
    # Three numbers of 11 bits, one in each of the first three pairs of bytes.
    pairs = int.from_bytes(keccak(item)[:6])
    return 1 << (pairs >> 32 & 2047) | 1 << (pairs >> 16 & 2047) | 1 << (pairs & 2047)


def check_logs(header: Header, logs: Sequence[Log], bloom: LogsBloom) -> None:
    """Raise IncompleteBlockError unless log indices run from 0 without a gap and the bloom is the header's."""
    for expected, log in enumerate(logs):
        if log.log_index != expected:
            raise IncompleteBlockError(f"block {header.number}: log {expected} is missing")
    if bloom.of(logs) != header.bloom:
        raise IncompleteBlockError(f"block {header.number}: its logs do not give its bloom")


def read_receipts(header: Header, receipts: Sequence[Json]) -> list[Log]:
    """Return the logs that a block's receipts hold; IncompleteBlockError unless the receipts hash to its root."""
    if len(receipts) != len(header.transactions):
        raise IncompleteBlockError(f"block {header.number}: it has not one receipt for each transaction")
    logs = [[decode_log(log) for log in receipt["logs"]] for receipt in receipts]
    if trie_root([encode_receipt(*pair) for pair in zip(receipts, logs, strict=True)]) != header.receipts_root:
        raise IncompleteBlockError(f"block {header.number}: its receipts do not give its root")
    for index, held in enumerate(logs):
        # The root says which receipt is which; what a log says of its place is the node's word alone.
        if any((log.block_number, log.transaction_index) != (header.number, index) for log in held):
            raise IncompleteBlockError(f"block {header.number}: a log names another place than its receipt has")
    return [log for held in logs for log in held]
