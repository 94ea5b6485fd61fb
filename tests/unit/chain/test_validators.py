# SPDX-License-Identifier: Apache-2.0
"""What each engine says of its validators, in the words of its clients, and who of them counts as alive."""

from typing import Any

import httpx
import msgspec
import pytest
from eth_hash.auto import keccak

from stoken.chain.rpc import RpcClient
from stoken.chain.validators import Validators, ask

Json = Any
NOW = 1_000
KEYS = [bytes([at]) * 64 for at in range(1, 5)]
VALIDATORS = [keccak(key)[-20:] for key in KEYS]
LISTED = [f"0x{each.hex()}" for each in VALIDATORS]
NOBODY = f"0x{'00' * 20}"


class Node:
    """Answers by method; a function gets the parameters."""

    def __init__(self, **answers: Json) -> None:
        self.answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.decode(request.content)
        return httpx.Response(
            200, json=[self._one(call) for call in body] if isinstance(body, list) else self._one(body)
        )

    def _one(self, call: Json) -> Json:
        answer = self.answers.get(call["method"])
        if answer is None:
            return {"id": call["id"], "error": {"code": -32601, "message": "the method does not exist"}}
        return {"id": call["id"], "result": answer(*call["params"]) if callable(answer) else answer}

    def ask(self) -> Validators | None:
        with RpcClient("http://node", transport=httpx.MockTransport(self)) as rpc:
            return ask(rpc, NOW, 30)


def _blocks(miners: list[str], at: int) -> Any:  # noqa: ANN401 - a function of JSON
    def answer(number: str, _full: bool) -> Json:  # noqa: FBT001 - JSON-RPC has no names
        height = len(miners) if number == "latest" else int(number, 16)
        return {"number": hex(height), "timestamp": hex(at), "miner": miners[height - 1]}

    return answer


def _besu(connected: list[bytes], **more: Json) -> Node:
    own, *peers = [{"id": f"0x{key.hex()}"} for key in connected]
    return Node(qbft_getValidatorsByBlockNumber=LISTED, admin_nodeInfo=own, admin_peers=peers, **more)


class TestAsk:
    def test_a_node_that_names_none_is_not_counted(self) -> None:
        assert Node().ask() is None

    def test_on_a_chain_that_stands_only_who_is_connected_is_alive(self) -> None:
        node = _besu(KEYS[:2], eth_getBlockByNumber=_blocks(LISTED * 3, NOW - 31))
        assert node.ask() == (2, 4)

    def test_on_one_that_moves_who_made_its_last_blocks_is_too(self) -> None:
        node = _besu(KEYS[:1], eth_getBlockByNumber=_blocks([LISTED[3]] * 5 + LISTED[:2] * 4, NOW - 5))
        assert node.ask() == (2, 4)

    def test_a_peer_that_is_no_validator_does_not_count(self) -> None:
        node = _besu([b"\x09" * 64, KEYS[0]], eth_getBlockByNumber=_blocks([], NOW)).answers
        node["eth_getBlockByNumber"] = _blocks([NOBODY], NOW - 99)
        assert Node(**node).ask() == (1, 4)

    def test_where_keys_of_nodes_are_others_a_chain_that_stands_says_nothing(self) -> None:
        node = _besu([b"\x09" * 64], eth_getBlockByNumber=_blocks(LISTED * 3, NOW - 99))
        assert node.ask() is None

    def test_geth_names_the_hash_of_a_key(self) -> None:
        ids = [{"id": keccak(key).hex()} for key in KEYS[:3]]
        node = Node(
            istanbul_getValidators=LISTED,
            admin_nodeInfo=ids[0],
            admin_peers=ids[1:],
            eth_getBlockByNumber=_blocks(LISTED, NOW - 99),
        )
        assert node.ask() == (3, 4)

    def test_clique_is_asked_who_sealed(self) -> None:
        node = Node(
            clique_getSigners=LISTED,
            clique_getSigner=lambda number: LISTED[int(number, 16) % 3],
            eth_getBlockByNumber=_blocks([NOBODY] * 20, NOW),
        )
        assert node.ask() == (3, 4)


class TestValidators:
    @pytest.mark.parametrize(("total", "quorum"), [(1, 1), (4, 3), (5, 4), (6, 4), (7, 5), (24, 16)])
    def test_two_thirds_rounded_up_go_on(self, total: int, quorum: int) -> None:
        assert Validators(quorum, total).quorum == quorum
        assert Validators(quorum, total).go_on
        assert not Validators(quorum - 1, total).go_on
