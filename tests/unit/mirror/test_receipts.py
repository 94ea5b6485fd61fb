# SPDX-License-Identifier: Apache-2.0
"""Receipts and their trie; integration tests compare roots with a node's."""

import rlp
from eth_hash.auto import keccak

from stoken.mirror.receipts import encode_receipt, trie_root


class TestTrieRoot:
    def test_of_nothing_is_the_empty_root(self) -> None:
        empty = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
        assert trie_root([]).hex() == empty

    def test_of_one_value_is_a_leaf(self) -> None:
        assert trie_root([b"v" * 40]) == keccak(rlp.encode([b"\x20\x80", b"v" * 40]))

    def test_depends_on_every_value_and_its_place(self) -> None:
        values = [bytes([index]) * 3 for index in range(256)]
        swapped = [values[1], values[0], *values[2:]]
        changed = [*values[:200], b"other", *values[201:]]
        assert len({trie_root(values), trie_root(swapped), trie_root(changed), trie_root(values[:-1])}) == 4


class TestEncodeReceipt:
    def test_a_typed_receipt_stands_behind_its_type(self) -> None:
        receipt = {
            "type": "0x2",
            "status": "0x1",
            "cumulativeGasUsed": "0x5208",
            "logsBloom": "0x" + "00" * 256,
            "logs": [],
        }
        legacy = encode_receipt({**receipt, "type": "0x0"}, [])
        assert encode_receipt(receipt, []) == b"\x02" + legacy
        assert rlp.decode(legacy)[:2] == [b"\x01", b"\x52\x08"]

    def test_a_failed_one_has_an_empty_status(self) -> None:
        receipt = {"status": "0x0", "cumulativeGasUsed": "0x0", "logsBloom": "0x", "logs": []}
        assert rlp.decode(encode_receipt(receipt, []))[0] == b""
