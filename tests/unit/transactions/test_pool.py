# SPDX-License-Identifier: Apache-2.0
"""What each client says of its pool, and what is made of it."""

from typing import Any

import httpx
import msgspec
import pytest

from stoken.chain.rpc import RpcClient
from stoken.transactions.pool import NodePool, PoolFill

Json = Any
BESU = {"txpool_besuStatistics": {"maxSize": 20_000, "localCount": 10, "remoteCount": 5}}
#: Besu counts so (network of 26.8.0): what is queued is below zero.
BESU_STATUS = {"txpool_status": {"pending": "0xbb", "queued": "0xffffffffffffff4f"}}
GETH = {"txpool_status": {"pending": "0x4", "queued": "0x7"}}


class Scripted:
    """A node that knows some methods."""

    def __init__(self, answers: dict[str, Json]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.now = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = msgspec.json.decode(request.content)
        self.asked.append(call["method"])
        if call["method"] in self.answers:
            answer = {"result": self.answers[call["method"]]}
        else:
            answer = {"error": {"code": -32601, "message": "the method does not exist/is not available"}}
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], **answer})

    def pool(self, limit: int = 4_096) -> NodePool:
        rpc = RpcClient("http://node", transport=httpx.MockTransport(self))
        return NodePool(rpc, limit, lambda: self.now)


def _fill(answers: dict[str, Json], limit: int = 4_096) -> PoolFill | None:
    pool = Scripted(answers).pool(limit)
    pool.room()
    return pool.fill


class TestFill:
    def test_besu_says_how_much_it_holds(self) -> None:
        assert _fill(BESU) == (15, 20_000)

    def test_besus_count_of_what_is_queued_is_not_believed(self) -> None:
        assert _fill(BESU | BESU_STATUS) == (15, 20_000)
        assert _fill(BESU_STATUS) is None

    def test_of_geth_we_must_know_how_much_it_holds(self) -> None:
        assert _fill(GETH) == (11, 4_096)

    @pytest.mark.parametrize(
        "said", [None, 3, [], {}, {"pending": None, "queued": "0x1"}, {"pending": "-0x1", "queued": "0x0"}]
    )
    def test_nonsense_is_no_answer(self, said: Json) -> None:
        assert _fill({"txpool_status": said}) is None

    def test_a_besu_that_does_not_say_what_it_holds_is_measured_by_the_setting(self) -> None:
        assert _fill({"txpool_besuStatistics": {"maxSize": 0, "localCount": 1, "remoteCount": 1}}, 7) == (2, 7)


class TestRoom:
    def test_a_tenth_of_the_pool_is_left_to_others(self) -> None:
        assert Scripted(GETH).pool(100).room() == 100 * 9 // 10 - 11

    def test_it_is_never_below_zero(self) -> None:
        assert Scripted(GETH).pool(10).room() == 0

    def test_what_was_sent_counts_until_the_next_look(self) -> None:
        node = Scripted(GETH)
        pool = node.pool(100)
        pool.room()
        pool.sent(9)
        assert pool.room() == 70
        node.now = 1
        assert pool.room() == 79

    def test_a_node_is_asked_once_a_second_at_most(self) -> None:
        node = Scripted(BESU)
        pool = node.pool()
        for _ in range(100):
            pool.room()
            node.now += 0.1
        assert len(node.asked) in {10, 11}

    def test_one_that_does_not_say_is_asked_once_a_minute(self) -> None:
        node = Scripted({})
        pool = node.pool()
        pool.sent(3)
        assert [pool.room() for _ in range(3)] == [None] * 3
        assert node.asked == ["txpool_besuStatistics", "txpool_status"]
        node.answers = GETH
        node.now = 61
        assert pool.room() == 4_096 * 9 // 10 - 11

    def test_with_a_limit_of_nothing_it_is_never_asked(self) -> None:
        node = Scripted(BESU)
        assert node.pool(0).room() is None
        assert node.asked == []

    @pytest.mark.parametrize("answer", [b"busy", b"[]", b'{"error": {"code": null, "message": "no"}}'])
    def test_a_node_that_answers_nonsense_says_nothing_of_its_pool(self, answer: bytes) -> None:
        def say(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(403, content=answer)

        assert NodePool(RpcClient("http://node", transport=httpx.MockTransport(say))).room() is None

    def test_a_node_that_does_not_answer_is_not_asked_again_at_once(self) -> None:
        asked: list[str] = []

        def refuse(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            raise httpx.ConnectError("refused", request=request)

        pool = NodePool(RpcClient("http://node", transport=httpx.MockTransport(refuse)))
        assert [pool.room(), pool.room()] == [None, None]
        assert len(asked) == 2
