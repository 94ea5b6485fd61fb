# SPDX-License-Identifier: Apache-2.0
"""Signatures are those of eth_account, and malleable ones recover nobody."""

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from stoken.chain.signatures import address_of, address_of_point, complete, load_key, recover, sign

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


class TestComplete:
    @given(st.binary(min_size=32, max_size=32), st.booleans())
    def test_s_is_made_low_and_v_found(self, digest: bytes, high: bool) -> None:  # noqa: FBT001 - drawn
        signature = sign(KEY, digest)
        s = int.from_bytes(signature[32:64])
        given_s = ORDER - s if high else s
        assert complete(digest, signature[:32] + given_s.to_bytes(32), address_of(KEY)) == signature

    @pytest.mark.parametrize("key", [b"\x08" * 32])
    def test_by_another_key_it_is_nothing(self, key: bytes) -> None:
        assert complete(DIGEST, sign(key, DIGEST)[:64], address_of(KEY)) == b""

    def test_over_something_else_it_is_nothing(self) -> None:
        assert complete(DIGEST, sign(KEY, b"\x43" * 32)[:64], address_of(KEY)) == b""

    @pytest.mark.parametrize(
        "malformed",
        [b"", b"\0" * 64, b"\xff" * 64, sign(KEY, DIGEST)[:63], sign(KEY, DIGEST), b"\x01" * 32 + b"\0" * 32],
    )
    def test_a_malformed_one_is_nothing(self, malformed: bytes) -> None:
        assert complete(DIGEST, malformed, address_of(KEY)) == b""


class TestAddressOfPoint:
    @pytest.mark.parametrize("compressed", [False, True])
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_a_point_is_read_in_every_form(self, compressed: bool, wrapped: bool) -> None:  # noqa: FBT001 - parameters
        point = PrivateKey(KEY).public_key.format(compressed=compressed)
        assert address_of_point((bytes((4, len(point))) if wrapped else b"") + point) == address_of(KEY)

    @pytest.mark.parametrize(
        "point",
        [
            b"",
            b"\x04",
            PrivateKey(KEY).public_key.format(compressed=False)[1:],
            b"\x04\x41" + b"\x04" + b"\x01" * 64,
            b"\x04\x40" + PrivateKey(KEY).public_key.format(compressed=False),
            b"\x30\x41" + PrivateKey(KEY).public_key.format(compressed=False),
        ],
        ids=["nothing", "a tag", "no form", "not on the curve", "wrong length", "wrong tag"],
    )
    def test_anything_else_is_nobody(self, point: bytes) -> None:
        assert address_of_point(point) == b""
