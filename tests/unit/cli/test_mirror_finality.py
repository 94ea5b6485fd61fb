# SPDX-License-Identifier: Apache-2.0
"""Records of sealed blocks against themselves and a node's headers, whichever quorum the node kept."""

import httpx
import msgspec
import pytest

from stoken.chain.rpc import Json, RpcClient
from stoken.chain.signatures import address_of
from stoken.cli.mirror_finality import faults
from stoken.ledger.final_blocks import FinalBlock
from stoken.mirror import Finality
from tests.requirements import requirement
from tests.sealing import FOUR, KEYS, hash_of, header, sealed

BLOCK = header(9, "0x" + "33" * 32)


class _Node(httpx.BaseTransport):
    def __init__(self, block: Json) -> None:
        self._block = block

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        (call,) = msgspec.json.decode(request.read())
        answer = [{"jsonrpc": "2.0", "id": call["id"], "result": self._block}]
        return httpx.Response(200, content=msgspec.json.encode(answer))


def found(block: Json, validators: list[bytes] = FOUR, signers: list[bytes] = FOUR) -> list[str]:
    names = [tuple(sorted(map(address_of, keys))) for keys in (validators, signers)]
    record = FinalBlock(9, hash_of(sealed(BLOCK)), 0, 0, Finality(sealed=True).rule, 0, *names)
    return list(faults(RpcClient("http://node", transport=_Node(block)), [record]))


@requirement("SET-09")
class TestFaults:
    def test_any_quorum_of_the_recorded_validators_will_do(self) -> None:
        assert found(sealed(BLOCK)) == []
        assert found(sealed(BLOCK, signers=FOUR[:3])) == []

    @pytest.mark.parametrize("signers", [FOUR[:2], [*FOUR[:2], KEYS[6]]])
    def test_fewer_or_forged_ones_are_named(self, signers: list[bytes]) -> None:
        (fault,) = found(sealed(BLOCK, signers=signers))
        assert fault.startswith("block 9: ")

    def test_another_block_is_named(self) -> None:
        assert found(sealed({**BLOCK, "gasUsed": "0x1"})) == ["block 9: the node has another block, or none"]

    def test_a_record_of_other_people_is_named(self) -> None:
        assert found(sealed(BLOCK), KEYS[1:5], FOUR[1:]) == ["block 9: the header names other validators"]

    @pytest.mark.parametrize(
        ("validators", "signers"),
        [([], []), (FOUR, []), (FOUR, FOUR[:2]), (FOUR, [FOUR[0]] * 3), (FOUR, [*FOUR[:2], KEYS[6]])],
    )
    def test_a_record_of_seals_without_a_quorum_of_its_validators_is_named(
        self, validators: list[bytes], signers: list[bytes]
    ) -> None:
        assert found(sealed(BLOCK), validators, signers) == ["block 9: the record names no quorum of validators"]
