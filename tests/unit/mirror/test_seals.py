# SPDX-License-Identifier: Apache-2.0
"""Commit seals: blocks of running test networks, and blocks sealed by keys of the test, as they are and forged.

`tests/vectors/sealed_blocks.json` holds headers that Besu and GoQuorum networks of four validators made.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.errors import LedgerUnavailableError
from stoken.mirror import Log, MinedBlock
from stoken.mirror.seals import NotSealedError, SealCheck, quorum, read_seals, read_validators
from stoken.mirror.store import Checkpoint
from tests.requirements import requirement
from tests.sealing import FOUR, KEYS, hash_of, header, sealed

VECTORS = json.loads(Path("tests/vectors/sealed_blocks.json").read_bytes())
SEALED = [vector for vector in VECTORS if vector["signers"]]
BLOCK = header(9, "0x" + "33" * 32)
NOBODY_SEALED = Checkpoint(-1, bytes(32), -1)
LOG = Log(0, 0, 0, b"", b"", b"")


def name_of(vector: dict[str, Any]) -> str:
    return f"{vector['client']}, {vector['why']}"


class TestQuorum:
    @pytest.mark.parametrize(("validators", "seals"), [(0, 0), (1, 1), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5)])
    def test_two_thirds_rounded_up(self, validators: int, seals: int) -> None:
        assert quorum(validators) == seals


class TestReadValidators:
    @pytest.mark.parametrize("vector", [item for item in VECTORS if not item["signers"]], ids=name_of)
    def test_a_genesis_block_names_its_validators(self, vector: dict[str, Any]) -> None:
        assert len(read_validators(vector["block"], hash_of(vector["block"]))) == 4

    def test_a_header_that_was_changed_names_nobody(self) -> None:
        with pytest.raises(NotSealedError, match="header of block 9 does not give its hash"):
            read_validators({**sealed(BLOCK), "timestamp": "0x1"}, hash_of(sealed(BLOCK)))


@requirement("SET-09")
class TestReadSeals:
    @pytest.mark.parametrize("vector", SEALED, ids=name_of)
    def test_blocks_of_real_networks_from_london_to_osaka(self, vector: dict[str, Any]) -> None:
        found = read_seals(vector["block"], hash_of(vector["block"]))
        assert {f"0x{signer.hex()}" for signer in found.signers} == set(vector["signers"])
        assert (found.round, found.number) == (vector["round"], int(vector["block"]["number"], 16))
        assert set(found.signers) <= set(found.validators)

    @pytest.mark.parametrize("ibft", [False, True])
    @pytest.mark.parametrize("round_", [0, 1, 127, 128, 300])
    @pytest.mark.parametrize("seals", [3, 4])
    def test_a_quorum_of_either_protocol_in_any_round(self, ibft: bool, round_: int, seals: int) -> None:  # noqa: FBT001
        block = sealed(BLOCK, signers=FOUR[:seals], round_=round_, ibft=ibft)
        found = read_seals(block, hash_of(block))
        assert (found.round, found.signers) == (round_, tuple(map(address_of, FOUR[:seals])))

    @pytest.mark.parametrize("ibft", [False, True])
    @pytest.mark.parametrize("seals", [0, 1, 2])
    def test_too_few_seals(self, ibft: bool, seals: int) -> None:  # noqa: FBT001
        block = sealed(BLOCK, signers=FOUR[:seals], ibft=ibft)
        with pytest.raises(NotSealedError, match=f"block 9 has {seals} seals of 3") as caught:
            read_seals(block, hash_of(block))
        assert (caught.value.code, caught.value.details) == (
            "LEDGER_NOT_FINAL",
            {"block": 9, "seals": seals, "quorum": 3},
        )

    @pytest.mark.parametrize(
        "signers", [[*FOUR[:2], KEYS[6]], [*FOUR[:3], KEYS[6]], [FOUR[0], FOUR[1], FOUR[1]], [*FOUR[:3], FOUR[0]]]
    )
    def test_a_seal_of_a_stranger_or_one_twice(self, signers: list[bytes]) -> None:
        block = sealed(BLOCK, signers=signers)
        with pytest.raises(NotSealedError, match="a seal twice, or one of no validator"):
            read_seals(block, hash_of(block))

    @pytest.mark.parametrize("place", range(65))
    def test_a_seal_with_one_byte_changed(self, place: int) -> None:
        block = sealed(BLOCK, signers=FOUR[:3])
        extra = bytearray.fromhex(block["extraData"][2:])
        extra[-65 + place] ^= 2
        with pytest.raises(NotSealedError):
            read_seals({**block, "extraData": "0x" + extra.hex()}, hash_of(block))

    def test_seals_of_another_block(self) -> None:
        other, block = sealed({**BLOCK, "number": "0xa"}), sealed(BLOCK)
        with pytest.raises(NotSealedError, match="does not give its hash"):
            read_seals({**other, "number": "0x9"}, hash_of(other))
        with pytest.raises(NotSealedError, match="one of no validator"):
            read_seals({**block, "extraData": other["extraData"]}, hash_of(block))

    def test_a_round_that_was_not_the_sealed_one(self) -> None:
        block = sealed(BLOCK, round_=1)
        forged = block["extraData"].replace("c001f9", "c002f9")
        assert forged != block["extraData"]
        with pytest.raises(NotSealedError, match="one of no validator"):
            read_seals({**block, "extraData": forged}, hash_of(block))

    @pytest.mark.parametrize("extra", ["0x", "0x" + "00" * 97, "0xc0", "0xc50102030405", "0xc6c0c0c0c0c0c0"])
    def test_extra_data_of_another_engine(self, extra: str) -> None:
        with pytest.raises(NotSealedError):
            read_seals({**BLOCK, "extraData": extra}, bytes(32))

    def test_a_block_that_names_no_validator_is_refused_in_so_many_words(self) -> None:
        block = sealed(BLOCK, validators=[], signers=[])
        with pytest.raises(NotSealedError, match="block 9 names no validators: a contract selects them"):
            read_seals(block, hash_of(block))


class Chain(httpx.BaseTransport):
    """Blocks by their hash, as a node answers them; each is sealed by the validators it is built with."""

    def __init__(self) -> None:
        self.headers: list[Any] = [sealed(header(0, "0x" + "00" * 32), signers=[])]
        self.asked = 0

    def grow(self, validators: list[bytes], signers: list[bytes] | None = None) -> None:
        block = header(len(self.headers), self.headers[-1]["hash"])
        self.headers.append(sealed(block, validators, validators if signers is None else signers))

    def blocks(self, *, logs: bool = True) -> list[MinedBlock]:
        return [
            MinedBlock(
                number, hash_of(block), _raw(block["parentHash"]), int(block["timestamp"], 16), (), (LOG,) * logs
            )
            for number, block in enumerate(self.headers)
        ]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        calls = msgspec.json.decode(request.read())
        self.asked += len(calls)
        known = {block["hash"]: block for block in self.headers}
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": known.get(call["params"][0])} for call in calls]
        return httpx.Response(200, content=msgspec.json.encode(answers))


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def check(chain: Chain) -> SealCheck:
    return SealCheck(RpcClient("http://node", transport=chain))


@requirement("SET-09")
class TestSealCheck:
    def test_from_the_genesis_block_on_validators_may_come_and_go(self) -> None:
        chain = Chain()
        for validators in (FOUR, KEYS[:5], KEYS[:6], KEYS[1:6], KEYS[1:7]):
            chain.grow(validators)
        found = check(chain).confirm(NOBODY_SEALED, chain.blocks())
        assert [len(each.validators) for each in found] == [4, 5, 6, 5, 6]
        assert [each.number for each in found] == [1, 2, 3, 4, 5]

    def test_validators_that_nobody_vouches_for_are_refused(self) -> None:
        chain = Chain()
        chain.grow(FOUR)
        chain.grow(KEYS[3:7])
        with pytest.raises(NotSealedError, match="block 2 is sealed by validators that the block before") as caught:
            check(chain).confirm(NOBODY_SEALED, chain.blocks())
        assert caught.value.details == {"block": 2}

    def test_a_third_of_the_validators_before_is_not_enough_but_one_more_is(self) -> None:
        chain = Chain()
        chain.grow(KEYS[:6], KEYS[:5])
        chain.grow([*KEYS[:2], KEYS[6]], KEYS[:2])
        with pytest.raises(NotSealedError, match="block 2"):
            check(chain).confirm(NOBODY_SEALED, chain.blocks())
        chain.headers.pop()
        chain.grow([*KEYS[:3], KEYS[6]], KEYS[:3])
        assert len(check(chain).confirm(NOBODY_SEALED, chain.blocks())) == 2

    def test_a_range_without_logs_is_confirmed_by_its_last_block(self) -> None:
        chain = Chain()
        for _ in range(20):
            chain.grow(FOUR)
        assert check(chain).confirm(NOBODY_SEALED, chain.blocks(logs=False)) == []
        assert chain.asked == 2

    def test_where_validators_changed_too_fast_for_that_every_block_is_looked_at(self) -> None:
        chain = Chain()
        for first in range(4):
            chain.grow(KEYS[first : first + 4])
        chain.grow(KEYS[3:7])
        assert check(chain).confirm(NOBODY_SEALED, chain.blocks(logs=False)) == []
        chain.headers[2] = sealed(chain.headers[2], KEYS[1:5], KEYS[1:3])
        chain.headers[3] = sealed({**chain.headers[3], "parentHash": chain.headers[2]["hash"]}, KEYS[2:6])
        with pytest.raises(NotSealedError, match="block 2 has 2 seals of 3"):
            check(chain).confirm(NOBODY_SEALED, chain.blocks(logs=False))

    def test_after_a_restart_it_trusts_the_validators_of_the_last_block_written(self) -> None:
        chain = Chain()
        for validators in (FOUR, KEYS[:5], KEYS[1:6], KEYS[2:6]):
            chain.grow(validators)
        blocks = chain.blocks()
        one = check(chain)
        one.confirm(NOBODY_SEALED, blocks[:3])
        at = Checkpoint(2, blocks[2].hash, 2)
        for each in (one, check(chain)):
            assert [found.number for found in each.confirm(at, blocks[3:])] == [3, 4]
        chain.grow(KEYS[3:7], KEYS[3:6])
        chain.headers[-1] = sealed(header(5, chain.headers[-1]["hash"]), [KEYS[0], KEYS[1], KEYS[6], KEYS[5]])
        with pytest.raises(NotSealedError, match="block 5"):
            one.confirm(Checkpoint(4, blocks[4].hash, 4), chain.blocks()[5:])

    @pytest.mark.parametrize("said", [{"parent_hash": b"p" * 32}, {"time": 1}, {"number": 3}], ids=str)
    @pytest.mark.parametrize("logs", [False, True])
    def test_what_is_written_is_what_was_sealed_under_the_hash(self, said: dict[str, Any], logs: bool) -> None:  # noqa: FBT001
        chain = Chain()
        for _ in range(2):
            chain.grow(FOUR)
        *before, last = chain.blocks(logs=logs)
        with pytest.raises(NotSealedError, match="is not what was sealed under its hash"):
            check(chain).confirm(NOBODY_SEALED, [*before, last._replace(**said)])

    def test_an_old_sealed_block_is_not_the_next_one(self) -> None:
        chain = Chain()
        for _ in range(3):
            chain.grow(FOUR)
        old, last = chain.blocks()[1], chain.blocks()[3]
        again = old._replace(number=4, parent_hash=last.hash)
        with pytest.raises(NotSealedError, match="block 4 is not what was sealed"):
            check(chain).confirm(Checkpoint(3, last.hash, 3), [again])

    def test_a_node_that_lost_the_block_it_named_is_asked_again_later(self) -> None:
        chain = Chain()
        chain.grow(FOUR)
        blocks = chain.blocks()
        chain.headers.pop()
        with pytest.raises(LedgerUnavailableError, match="no longer has a block"):
            check(chain).confirm(NOBODY_SEALED, blocks)
