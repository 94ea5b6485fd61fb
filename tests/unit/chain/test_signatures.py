# SPDX-License-Identifier: Apache-2.0
"""Signatures are those of eth_account, and malleable ones recover nobody."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from stoken.chain.signatures import address_of, load_key, recover, sign

KEY = b"\x07" * 32
DIGEST = b"\x42" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class TestSign:
    @given(st.binary(min_size=32, max_size=32))
    def test_a_signature_equals_the_one_of_eth_account(self, digest: bytes) -> None:
        assert sign(KEY, digest) == bytes(Account.unsafe_sign_hash(digest, KEY).signature)

    def test_a_loaded_key_signs_the_same(self) -> None:
        assert sign(load_key(KEY), DIGEST) == sign(KEY, DIGEST)


class TestRecover:
    @given(st.binary(min_size=32, max_size=32))
    def test_the_signer_is_recovered(self, digest: bytes) -> None:
        assert recover(digest, sign(KEY, digest)) == address_of(KEY)

    def test_the_address_equals_the_one_of_eth_account(self) -> None:
        assert "0x" + address_of(KEY).hex() == Account.from_key(KEY).address.lower()

    def test_a_high_s_recovers_nobody(self) -> None:
        signature = sign(KEY, DIGEST)
        high = (ORDER - int.from_bytes(signature[32:64])).to_bytes(32)
        assert recover(DIGEST, signature[:32] + high + bytes([55 - signature[64]])) == b""

    @pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
    def test_another_v_recovers_nobody(self, v: int) -> None:
        assert recover(DIGEST, sign(KEY, DIGEST)[:64] + bytes([v])) == b""

    @pytest.mark.parametrize(
        "signature", [b"", b"\0" * 64, b"\0" * 66, b"\0" * 64 + b"\x1b", b"\xff" * 32 + b"\0" * 32 + b"\x1b"]
    )
    def test_a_malformed_signature_recovers_nobody(self, signature: bytes) -> None:
        assert recover(DIGEST, signature) == b""
