# SPDX-License-Identifier: Apache-2.0
"""A remote signer is asked for signatures, and believed in nothing."""

from collections.abc import Callable

import httpx
import msgspec
import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak

from stoken.chain.signatures import address_of, sign
from stoken.chain.transactions import sign_legacy
from stoken.errors import StartupError
from stoken.transactions.remote import RemoteSigner, open_remote
from stoken.transactions.signer import SignerError, sign_transaction

SECRET, OTHER = b"\x33" * 32, b"\x34" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
Reply = Callable[[bytes], httpx.Response]


def public_key(secret: bytes) -> str:
    return "0x" + PrivateKey(secret).public_key.format(compressed=False)[1:].hex()


def signed(payload: bytes, secret: bytes = SECRET) -> httpx.Response:
    return httpx.Response(200, text="0x" + sign(secret, keccak(payload)).hex())


def high_s(payload: bytes) -> httpx.Response:
    signature = sign(SECRET, keccak(payload))
    s = ORDER - int.from_bytes(signature[32:64])
    flipped = signature[:32] + s.to_bytes(32) + bytes((55 - signature[64],))
    return httpx.Response(200, text="0x" + flipped.hex())


def time_out(_payload: bytes) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


def signer(reply: Reply = signed, *, keys: object = None, address: bytes | None = None) -> RemoteSigner:
    """Open the one key of a stand-in for Web3Signer."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/eth1/publicKeys":
            return httpx.Response(200, json=[public_key(SECRET)] if keys is None else keys)
        assert request.url.path == f"/api/v1/eth1/sign/{public_key(SECRET)}"
        return reply(bytes.fromhex(msgspec.json.decode(request.content)["data"][2:]))

    (opened,) = open_remote("http://signer", [address or address_of(SECRET)], httpx.MockTransport(handle))
    return opened


class TestRemoteSigner:
    def test_its_transaction_is_that_of_the_key(self) -> None:
        made = sign_transaction(signer(), 1, 21_000, b"\x01" * 20, b"data", 5)
        assert made == sign_legacy(SECRET, 1, 21_000, b"\x01" * 20, b"data", 5)

    @pytest.mark.parametrize(
        "reply",
        [
            time_out,
            lambda _payload: httpx.Response(404, text="no such key"),
            lambda _payload: httpx.Response(200, text="0x1234"),
            lambda _payload: httpx.Response(200, text="not hex"),
            lambda payload: signed(payload, OTHER),
            lambda payload: signed(payload + b"\0"),
            high_s,
        ],
        ids=["slow", "unknown key", "too short", "no hex", "wrong key", "other payload", "high s"],
    )
    def test_what_is_not_its_low_s_signature_is_an_unavailable_signer(self, reply: Reply) -> None:
        with pytest.raises(SignerError) as raised:
            sign_transaction(signer(reply), 1, 21_000, b"\x01" * 20, b"data", 5)
        assert raised.value.retryable


class TestOpenRemote:
    def test_a_key_that_the_signer_lacks_is_one_clear_line(self) -> None:
        with pytest.raises(StartupError, match="has no key"):
            signer(address=address_of(OTHER))

    def test_an_answer_that_is_no_list_of_keys_is_one_clear_line(self) -> None:
        with pytest.raises(StartupError, match="instead of its keys"):
            signer(keys={"error": "x"})
