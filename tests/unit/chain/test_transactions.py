# SPDX-License-Identifier: Apache-2.0
"""Raw transactions are byte for byte those of eth_account."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from stoken.chain.transactions import contract_address, sign_legacy

KEY = b"\x07" * 32


class TestSignLegacy:
    @given(st.integers(0, 2**32), st.integers(21_000, 60_000_000), st.binary(max_size=300), st.integers(1, 2**40))
    def test_a_transaction_equals_the_one_of_eth_account(self, nonce: int, gas: int, data: bytes, chain: int) -> None:
        fields = {
            "nonce": nonce,
            "gas": gas,
            "gasPrice": 0,
            "value": 0,
            "to": "0x" + "22" * 20,
            "data": data,
            "chainId": chain,
        }
        reference = Account.sign_transaction(fields, KEY)
        raw, digest = sign_legacy(KEY, nonce, gas, b"\x22" * 20, data, chain)
        assert (raw, digest) == (bytes(reference.raw_transaction), bytes(reference.hash))

    @pytest.mark.parametrize("length", [0, 1, 55, 56, 255, 256, 70_000])
    def test_a_creation_has_no_receiver(self, length: int) -> None:
        data = b"\x60" * length
        fields = {"nonce": 0, "gas": 60_000_000, "gasPrice": 0, "value": 0, "to": b"", "data": data, "chainId": 1}
        raw, _ = sign_legacy(KEY, 0, 60_000_000, b"", data, 1)
        assert raw == bytes(Account.sign_transaction(fields, KEY).raw_transaction)


class TestContractAddress:
    def test_the_address_follows_from_sender_and_nonce(self) -> None:
        sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
        assert contract_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
        assert contract_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
