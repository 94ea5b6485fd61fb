# SPDX-License-Identifier: Apache-2.0
"""Revert data is named by the ABI: refusals by their code, other errors by theirs."""

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from stoken.chain.reverts import decode_revert, encode_refusal, revert_of
from stoken.chain.rpc import NodeError
from stoken.domain.refusals import REFUSALS, Refusal, error_name

ON_CHAIN = [refusal for refusal, meaning in REFUSALS.items() if meaning.arguments is not None]


def revert_data(signature: str, *values: object) -> bytes:
    types = signature[signature.index("(") + 1 : -1]
    return keccak(signature.encode())[:4] + encode(types.split(",") if types else [], values)


class TestDecodeRevert:
    @pytest.mark.parametrize("refusal", ON_CHAIN)
    def test_every_refusal_is_known_by_its_selector(self, refusal: Refusal) -> None:
        kinds = [part.split()[0] for part in (REFUSALS[refusal].arguments or "").split(",") if part]
        data = keccak(f"{error_name(refusal)}({','.join(kinds)})".encode())[:4] + bytes(32 * len(kinds))
        revert = decode_revert(data)
        assert (revert.refusal, revert.code) == (refusal, refusal.value)

    def test_arguments_are_named(self) -> None:
        revert = decode_revert(revert_data("TooLate(uint256,uint256)", 5, 6))
        assert revert.arguments == {"deadline": 5, "at": 6}
        error = revert.to_error()
        assert (error.code, error.error, error.details) == ("TOO_LATE", "TooLate", {"deadline": 5, "at": 6})

    def test_an_error_of_a_contract_that_is_no_refusal_keeps_its_name(self) -> None:
        revert = decode_revert(revert_data("DvpSettlementGasTooLow(uint256,uint256)", 1, 2))
        assert (revert.error, revert.code) == ("DvpSettlementGasTooLow", "CONTRACT_REVERTED")

    def test_what_the_compiler_adds_is_known(self) -> None:
        assert decode_revert(revert_data("Error(string)", "no")).arguments == {"message": "no"}
        assert decode_revert(revert_data("Panic(uint256)", 17)).arguments == {"code": 17}

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b"", "EmptyRevert"),
            (b"\x01\x02\x03\x04", "UnknownError"),
            (keccak(b"Panic(uint256)")[:4], "MalformedRevert"),
        ],
    )
    def test_anything_else_is_still_named(self, data: bytes, name: str) -> None:
        assert decode_revert(data).error == name


class TestEncodeRefusal:
    @pytest.mark.parametrize("refusal", ON_CHAIN)
    def test_it_is_what_the_contracts_revert_with(self, refusal: Refusal) -> None:
        kinds = [part.split()[0] for part in (REFUSALS[refusal].arguments or "").split(",") if part]
        values: list[int | bytes] = [
            7 if kind.startswith("uint") else b"a" * (20 if kind in {"address", "bytes20"} else 32) for kind in kinds
        ]
        abi = ["0x" + "61" * 20 if kind == "address" else value for kind, value in zip(kinds, values, strict=True)]
        assert encode_refusal(refusal, values) == revert_data(f"{error_name(refusal)}({','.join(kinds)})", *abi)

    def test_what_no_contract_knows_has_no_data(self) -> None:
        with pytest.raises(ValueError, match="TICK_INVALID"):
            encode_refusal(Refusal.TICK_INVALID, ())


class TestRevertOf:
    @pytest.mark.parametrize("wrap", [lambda data: data, lambda data: {"data": data}])
    def test_data_is_found_where_clients_put_it(self, wrap: type) -> None:
        data = "0x" + revert_data("TokenPaused()").hex()
        revert = revert_of(NodeError(3, "execution reverted", wrap(data)))
        assert revert is not None
        assert revert.code == "TOKEN_PAUSED"

    def test_an_empty_revert_has_no_data_on_some_clients(self) -> None:
        revert = revert_of(NodeError(-32000, "execution reverted"))
        assert revert is not None
        assert revert.error == "EmptyRevert"

    def test_another_error_is_no_revert(self) -> None:
        assert revert_of(NodeError(-32000, "header not found")) is None
