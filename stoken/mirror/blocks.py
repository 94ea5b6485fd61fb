# SPDX-License-Identifier: Apache-2.0
"""Blocks and logs as the mirror hands them on, decoded from JSON by hand."""

from binascii import unhexlify
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

Json = dict[str, Any]
#: What a named tuple's own constructor calls, after a call of its own: logs come by the million.
_tuple: Final = tuple.__new__


class Log(NamedTuple):
    """One log; `topics` are its 32-byte topics in a row."""

    block_number: int
    log_index: int
    transaction_index: int
    address: bytes
    topics: bytes
    data: bytes


class Header(NamedTuple):
    """What the mirror needs of a block's header."""

    number: int
    hash: bytes
    parent_hash: bytes
    time: int
    bloom: int
    receipts_root: bytes
    transactions: tuple[bytes, ...]


class MinedBlock(NamedTuple):
    """A block whose logs are complete; `transactions` are hashes in the order of the block."""

    number: int
    hash: bytes
    parent_hash: bytes
    time: int
    transactions: tuple[bytes, ...]
    logs: Sequence[Log]


class Sealed(NamedTuple):
    """A block, its consensus round, the validators it names, and those of them whose seals it carries."""

    number: int
    hash: bytes
    round: int
    validators: tuple[bytes, ...]
    signers: tuple[bytes, ...]


def decode_header(answer: Json) -> Header:
    """Read a header from `eth_getBlockByNumber` without transaction bodies."""
    return Header(
        int(answer["number"], 16),
        _bytes(answer["hash"]),
        _bytes(answer["parentHash"]),
        int(answer["timestamp"], 16),
        int(answer["logsBloom"], 16),
        _bytes(answer["receiptsRoot"]),
        tuple([unhexlify(item[2:]) for item in answer["transactions"]]),
    )


def decode_log(answer: Json) -> Log:
    """Read a log from `eth_getLogs` or a receipt."""
    return _tuple(
        Log,
        (
            int(answer["blockNumber"], 16),
            int(answer["logIndex"], 16),
            int(answer["transactionIndex"], 16),
            unhexlify(answer["address"][2:]),
            unhexlify("".join(answer["topics"]).replace("0x", "")),
            unhexlify(answer["data"][2:]),
        ),
    )


def _bytes(text: str) -> bytes:
    return unhexlify(text[2:])
