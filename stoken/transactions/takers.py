# SPDX-License-Identifier: Apache-2.0
"""Finds the transaction that used a nonce: a node's count alone says that ours is lost, and a node may lie."""

from typing import NamedTuple

from eth_hash.auto import keccak
from sqlalchemy import Engine

from stoken.chain.raw_transactions import signer_and_nonce
from stoken.chain.rpc import NodeError, RpcClient
from stoken.db import reading
from stoken.mirror.blocks import Header
from stoken.mirror.inclusion import Inclusion
from stoken.mirror.store import read_hash


class Taker(NamedTuple):
    """A transaction that its key signed, and the block that was shown to hold it."""

    hash: bytes
    block: Header


class Takers:
    """Looks for them in mirrored blocks."""

    def __init__(self, engine: Engine, rpc: RpcClient, *, sealed_from: int | None = None) -> None:
        """Take the database with the mirror, and the node; headers from `sealed_from` on must give their hashes."""
        self._engine = engine
        self._rpc = rpc
        self._inclusion = Inclusion(rpc, sealed_from=sealed_from)

    def find(self, sender: bytes, nonce: int, last: int) -> Taker | None:
        """Return what used a key's nonce up to a block, None where the node cannot show it."""
        number = self._block(sender, nonce, last)
        with reading(self._engine) as connection:
            block = read_hash(connection, number)
        found = None if block is None else self._inclusion.raw_transactions(block)
        if found is None:
            return None
        header, transactions = found
        digest = next((keccak(each) for each in transactions if signer_and_nonce(each) == (sender, nonce)), None)
        return None if digest is None else Taker(digest, header)

    def _block(self, sender: bytes, nonce: int, last: int) -> int:
        """Return the first block after which the key's count is past its nonce."""
        below, above = 0, last
        while above - below > 1:
            middle = (below + above) // 2
            if self._is_past(sender, nonce, middle):
                above = middle
            else:
                below = middle
        return above

    def _is_past(self, sender: bytes, nonce: int, number: int) -> bool:
        try:
            count = self._rpc.call("eth_getTransactionCount", f"0x{sender.hex()}", hex(number))
        except NodeError:
            return False  # a state that the node no longer has: the newer ones are left
        return count is not None and int(count, 16) > nonce
