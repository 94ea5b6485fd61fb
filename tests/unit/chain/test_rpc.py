# SPDX-License-Identifier: Apache-2.0
"""What nodes answer to single calls and batches, in the ways in which they differ."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from stoken.chain.rpc import NodeError, OversizedError, RpcClient
from stoken.errors import LedgerUnavailableError


def client(answer: Callable[[Any], Any], status: int = 200, batch_size: int = 200) -> RpcClient:
    """A client whose node answers a decoded body with JSON, or with bytes as they are."""

    def respond(request: httpx.Request) -> httpx.Response:
        content = answer(msgspec.json.decode(request.content))
        return httpx.Response(status, content=content if isinstance(content, bytes) else msgspec.json.encode(content))

    made = RpcClient("http://node", batch_size=batch_size)
    made._client = httpx.Client(transport=httpx.MockTransport(respond))  # noqa: SLF001 - no sockets here
    return made


def echo(body: Any) -> Any:  # noqa: ANN401 - JSON
    """Answer each call with its first parameter; batches in reverse order, as a node may."""
    if isinstance(body, list):
        return [echo(call) for call in reversed(body)]
    return {"jsonrpc": "2.0", "id": body["id"], "result": body["params"][0]}


def failing(body: Any) -> Any:  # noqa: ANN401 - JSON
    """Refuse the call whose parameter is "bad"."""
    if isinstance(body, list):
        return [failing(call) for call in body]
    if body["params"][0] == "bad":
        return {"jsonrpc": "2.0", "id": body["id"], "error": {"code": 3, "message": "reverted", "data": "0x01"}}
    return echo(body)


class TestCall:
    def test_the_result_is_returned(self) -> None:
        assert client(echo).call("eth_call", "x") == "x"

    def test_an_error_carries_code_message_and_data(self) -> None:
        with pytest.raises(NodeError) as caught:
            client(failing).call("eth_call", "bad")
        assert (caught.value.rpc_code, caught.value.rpc_message, caught.value.data) == (3, "reverted", "0x01")
        assert caught.value.code == "LEDGER_UNAVAILABLE"

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_busy_node_is_unavailable(self, status: int) -> None:
        with pytest.raises(LedgerUnavailableError, match=f"HTTP {status}"):
            client(lambda _: b"busy", status).call("eth_chainId")

    @pytest.mark.parametrize("content", [b"", b"<html>", b"7", b"[1]"])
    def test_something_else_than_json_rpc_is_unavailable(self, content: bytes) -> None:
        with pytest.raises(LedgerUnavailableError):
            client(lambda _: content).call("eth_chainId")


class TestBatch:
    def test_results_come_in_the_order_of_the_calls(self) -> None:
        assert client(echo).batch([("m", (at,)) for at in range(5)]) == list(range(5))

    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_a_batch_is_cut_to_what_the_node_takes(self, size: int) -> None:
        assert client(echo, batch_size=size).batch([("m", (at,)) for at in range(5)]) == list(range(5))

    def test_no_calls_ask_nothing(self) -> None:
        assert client(lambda _: b"never asked").batch([]) == []

    @pytest.mark.parametrize("size", [1, 200])
    def test_each_call_may_fail_alone(self, size: int) -> None:
        first, second, third = client(failing, batch_size=size).batch_each([("m", (x,)) for x in ("a", "bad", "c")])
        assert (first, third) == ("a", "c")
        assert isinstance(second, NodeError)

    def test_the_first_error_is_raised(self) -> None:
        with pytest.raises(NodeError, match="reverted"):
            client(failing).batch([("m", ("a",)), ("m", ("bad",))])

    def test_a_batch_refused_as_a_whole_is_an_error(self) -> None:
        refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "batch size limit"}}
        with pytest.raises(NodeError, match="batch size limit"):
            client(lambda _: refusal).batch([("m", ("a",)), ("m", ("b",))])

    @pytest.mark.parametrize(
        ("code", "message"), [(-32600, "batch too large"), (-32005, "Number of requests in batch exceeds 3")]
    )
    @pytest.mark.parametrize("largest", [0, 1, 3])
    def test_a_smaller_batch_is_tried_where_one_is_refused_for_its_size(
        self, code: int, message: str, largest: int
    ) -> None:
        sizes = []

        def narrow(body: Any) -> Any:  # noqa: ANN401 - JSON
            sizes.append(len(body) if isinstance(body, list) else 0)
            refused = isinstance(body, list) and len(body) > largest
            return (
                {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}} if refused else echo(body)
            )

        made = client(narrow)
        assert made.batch([("m", (at,)) for at in range(16)]) == list(range(16))
        sizes.clear()
        made.batch([("m", (at,)) for at in range(6)])
        # What the node refused once is not asked again.
        assert max(sizes) <= max(1, largest)

    def test_a_refusal_for_another_reason_is_not_tried_again(self) -> None:
        asked = []

        def refuse(body: Any) -> Any:  # noqa: ANN401 - JSON
            asked.append(body)
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "not synced"}}

        with pytest.raises(NodeError, match="not synced"):
            client(refuse).batch([("m", ("a",)), ("m", ("b",))])
        assert len(asked) == 1

    def test_a_request_that_is_too_large_is_said_to_be(self) -> None:
        with pytest.raises(OversizedError, match="too large"):
            client(lambda _: b"", 413).call("eth_getLogs")

    def test_a_call_left_out_is_noticed(self) -> None:
        with pytest.raises(LedgerUnavailableError, match="leaves calls"):
            client(lambda body: echo(body)[:1]).batch([("m", ("a",)), ("m", ("b",))])
