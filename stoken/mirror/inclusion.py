# SPDX-License-Identifier: Apache-2.0
"""Shows that a block holds a transaction, and with which receipt: both hash to the roots in its header.

A block's hash covers the root of its transactions, not the list of their hashes that a node answers with: without
this a node could name one of ours in a block that holds another, or leave it out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_hash.auto import keccak

from stoken.chain.raw_transactions import encode_transaction
from stoken.chain.rpc import RpcClient
from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import Header, decode_header
from stoken.mirror.completeness import IncompleteBlockError, read_receipts
from stoken.mirror.reader import ChainReader
from stoken.mirror.receipts import trie_root
from stoken.mirror.seals import check_from

Json = dict[str, Any]
#: Asked for at once: each may bring all its calldata.
_BLOCKS: Final = 20
_NONE: Final[Mapping[bytes, bytes]] = {}


class Inclusion:
    """Asks a node for what blocks hold, and believes what hashes to their roots."""

    def __init__(self, rpc: RpcClient, *, sealed_from: int | None = None) -> None:
        """Take the node's client; headers from `sealed_from` on must give their hashes."""
        self._rpc = rpc
        self._sealed_from = sealed_from
        self._reader = ChainReader(rpc, sealed_from=sealed_from)

    def headers(
        self, blocks: Sequence[bytes], known: Mapping[bytes, bytes] = _NONE
    ) -> tuple[dict[bytes, Header], list[LedgerUnavailableError]]:
        """Return the headers of blocks by their hashes, without those that the node lacks or cannot show.

        `known` are raw transactions by their hashes; others are asked for. What a block is said to hold and does not
        give its root, or cannot be read, is an error of that block alone.
        """
        headers: dict[bytes, Header] = {}
        errors: list[LedgerUnavailableError] = []
        for start in range(0, len(blocks), _BLOCKS):
            for block, answer in self._answers(blocks[start : start + _BLOCKS], known).items():
                try:
                    headers[block] = self._shown(block, answer, known)[0]
                except LedgerUnavailableError as error:
                    errors.append(error)
        return headers, errors

    def _answers(self, blocks: Sequence[bytes], known: Mapping[bytes, bytes]) -> dict[bytes, Json]:
        answers = self._ask(blocks, full=False)
        others = [each for each, answer in answers.items() if any(_hex(item) not in known for item in _named(answer))]
        # A node that lost a block between the two questions has it no longer.
        answers = {each: answer for each, answer in answers.items() if each not in others}
        return answers | self._ask(others, full=True)

    def raw_transactions(self, block: bytes) -> tuple[Header, list[bytes]] | None:
        """Return a block's header and raw transactions, which give its root; None where the node lacks it."""
        answers = self._ask([block], full=True)
        return self._shown(block, answers[block], _NONE) if answers else None

    def receipts(self, header: Header) -> Sequence[Json]:
        """Return a block's receipts, one a transaction; IncompleteBlockError unless they give its root."""
        (receipts,) = self._reader.receipts([header])
        read_receipts(header, receipts)
        return receipts

    def _ask(self, blocks: Sequence[bytes], *, full: bool) -> dict[bytes, Json]:
        calls = [("eth_getBlockByHash", (f"0x{each.hex()}", full)) for each in blocks]
        answers = self._rpc.batch(calls) if calls else []
        return {each: answer for each, answer in zip(blocks, answers, strict=True) if answer is not None}

    def _shown(self, block: bytes, answer: Json, known: Mapping[bytes, bytes]) -> tuple[Header, list[bytes]]:
        check_from(self._sealed_from, answer)
        header = decode_header(answer | {"transactions": _named(answer)})
        if header.hash != block:
            raise IncompleteBlockError(f"block {header.number} is not the one that was asked for")
        try:
            raw = [known.get(_hex(name)) or encode_transaction(item) for name, item in _pairs(answer)]
        except (KeyError, TypeError, ValueError) as error:
            raise IncompleteBlockError(f"block {header.number}: a transaction is unreadable: {error}") from error
        if trie_root(raw) != _hex(answer["transactionsRoot"]):
            raise IncompleteBlockError(f"block {header.number}: its transactions do not give its root")
        # What the root holds, whatever hashes the node puts beside it.
        return header._replace(transactions=tuple(map(keccak, raw))), raw


def _pairs(answer: Json) -> Iterator[tuple[str, Json | str]]:
    """Return each transaction's hash, as the node says it, and what it answers of the transaction."""
    return ((item["hash"] if isinstance(item, dict) else item, item) for item in answer["transactions"])


def _named(answer: Json) -> list[str]:
    return [name for name, _ in _pairs(answer)]


def _hex(text: str) -> bytes:
    return bytes.fromhex(text[2:])
