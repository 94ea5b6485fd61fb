# SPDX-License-Identifier: Apache-2.0
"""Where headers must give their hashes, a list of transactions with a root of its own is refused as well."""

from typing import Any

import httpx
import msgspec
import pytest
from eth_hash.auto import keccak

from stoken.chain.rpc import RpcClient
from stoken.chain.transactions import sign_legacy
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.inclusion import Inclusion
from stoken.mirror.receipts import trie_root
from stoken.mirror.seals import NotSealedError
from tests.sealing import hash_of, header, sealed

OURS, _ = sign_legacy(b"\x2a" * 32, 0, 21_000, b"\x0e" * 20, b"", 1)
OTHER, _ = sign_legacy(b"\x2b" * 32, 0, 21_000, b"\x0e" * 20, b"", 1)
KNOWN = {keccak(raw): raw for raw in (OURS, OTHER)}


def _holding(raw: bytes) -> dict[str, Any]:
    """Return what a block says of its transactions."""
    return {"transactionsRoot": f"0x{trie_root([raw]).hex()}", "transactions": [f"0x{keccak(raw).hex()}"]}


BLOCK = sealed(header(9, "0x" + "01" * 32, **_holding(OTHER)))


def _ask(answer: dict[str, Any], sealed_from: int | None) -> Any:  # noqa: ANN401 - as the node's
    def answered(request: httpx.Request) -> httpx.Response:
        (call,) = msgspec.json.decode(request.read())
        return httpx.Response(200, content=msgspec.json.encode([{"id": call["id"], "result": answer}]))

    with RpcClient("http://node", transport=httpx.MockTransport(answered)) as rpc:
        headers, errors = Inclusion(rpc, sealed_from=sealed_from).headers([hash_of(BLOCK)], KNOWN)
    for error in errors:
        raise error
    return headers


class TestHeaders:
    def test_what_was_sealed_is_shown(self) -> None:
        assert _ask(BLOCK, 0)[hash_of(BLOCK)].transactions == (keccak(OTHER),)

    def test_another_list_under_the_root_that_was_sealed_is_refused(self) -> None:
        with pytest.raises(IncompleteBlockError, match="transactions do not give its root"):
            _ask(BLOCK | {"transactions": _holding(OURS)["transactions"]}, 0)

    def test_a_root_that_was_not_sealed_is_refused(self) -> None:
        with pytest.raises(NotSealedError, match="does not give its hash"):
            _ask(BLOCK | _holding(OURS), 0)

    def test_below_the_first_sealed_block_the_root_is_the_nodes_word(self) -> None:
        assert _ask(BLOCK | _holding(OURS), 10)[hash_of(BLOCK)].transactions == (keccak(OURS),)

    def test_another_block_than_was_asked_for_is_refused(self) -> None:
        with pytest.raises(IncompleteBlockError, match="not the one that was asked for"):
            _ask(sealed(header(9, "0x" + "02" * 32, **_holding(OTHER))), 0)
