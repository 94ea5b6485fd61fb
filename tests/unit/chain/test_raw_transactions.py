# SPDX-License-Identifier: Apache-2.0
"""Every type of transaction encodes to what its signer made, and its signer is found."""

from typing import Any

import pytest
import rlp
from eth_account import Account

from stoken.chain.raw_transactions import encode_transaction, signer_and_nonce

_KEY = "0x" + "2a" * 32
_ADDRESS = bytes.fromhex(Account.from_key(_KEY).address[2:])
_TO = "0x" + "5a" * 20
_WORD = "0x" + "07" * 32
_ACCESS = [{"address": _TO, "storageKeys": [_WORD, "0x" + "00" * 32]}]
_FEES = {"maxFeePerGas": 7, "maxPriorityFeePerGas": 0}
_LEGACY = {"nonce": 3, "gas": 21_000, "to": bytes.fromhex(_TO[2:]), "value": 5, "data": "0x1234"}
_TYPED = _LEGACY | {"chainId": 20260}
_KINDS: dict[str, dict[str, Any]] = {
    "before EIP-155": _LEGACY | {"gasPrice": 0},
    "legacy": _TYPED | {"gasPrice": 0},
    "access list": _TYPED | {"gasPrice": 1, "accessList": _ACCESS, "type": "0x1"},
    "fee market": _TYPED | _FEES | {"accessList": (), "type": "0x2"},
    "codes": _TYPED | _FEES | {"accessList": _ACCESS, "type": "0x4"},
}


def _sign(kind: str) -> tuple[bytes, dict[str, Any]]:
    """Return the raw transaction of a kind, and what a node answers of it."""
    fields = dict(_KINDS[kind])
    if kind == "codes":
        authorization = {"chainId": 20260, "address": bytes.fromhex(_TO[2:]), "nonce": 0}
        fields["authorizationList"] = [Account.from_key(_KEY).sign_authorization(authorization)]
    raw = bytes(Account.from_key(_KEY).sign_transaction(fields).raw_transaction)
    return raw, _answer(raw, fields)


def _answer(raw: bytes, fields: dict[str, Any]) -> dict[str, Any]:
    v, r, s = (int.from_bytes(item) for item in rlp.decode(raw[1:] if raw[0] < 5 else raw)[-3:])
    marks = {"v": hex(v), "r": hex(r), "s": hex(s)}
    numbers = {name: hex(value) for name, value in fields.items() if isinstance(value, int)}
    lists = {"accessList": fields.get("accessList")}
    if "authorizationList" in fields:
        lists["authorizationList"] = [_entry(each) for each in fields["authorizationList"]]
    rest = {"to": _TO, "input": fields["data"], "type": fields.get("type", "0x0")}
    return {**numbers, **lists, **rest, **marks}


def _entry(signed: Any) -> dict[str, str]:  # noqa: ANN401 - the library's own
    numbers = {"chainId": signed.chain_id, "nonce": signed.nonce, "yParity": signed.y_parity}
    words = {"r": signed.r, "s": signed.s}
    return {"address": _TO} | {name: hex(value) for name, value in (numbers | words).items()}


class TestEncodeTransaction:
    @pytest.mark.parametrize("kind", list(_KINDS))
    def test_each_type_is_what_was_signed(self, kind: str) -> None:
        raw, answer = _sign(kind)
        assert encode_transaction(answer) == raw

    def test_a_creation_has_no_receiver(self) -> None:
        raw, answer = _sign("legacy")
        assert encode_transaction(answer | {"to": None}) != raw

    def test_blobs_follow_the_access_list(self) -> None:
        _, answer = _sign("fee market")
        blobs = {"type": "0x3", "maxFeePerBlobGas": "0x1", "blobVersionedHashes": [_WORD]}
        encoded = encode_transaction(answer | blobs)
        assert encoded[0] == 3
        assert bytes.fromhex("c001e1a0") + bytes.fromhex(_WORD[2:]) in encoded

    def test_an_unknown_type_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="type 5"):
            encode_transaction({"type": "0x5"})


class TestSignerAndNonce:
    @pytest.mark.parametrize("kind", list(_KINDS))
    def test_are_those_of_the_transaction(self, kind: str) -> None:
        assert signer_and_nonce(_sign(kind)[0]) == (_ADDRESS, 3)

    def test_bytes_that_are_no_transaction_are_nobodys(self) -> None:
        assert signer_and_nonce(b"\xf8\xff") == (b"", 0)
