# SPDX-License-Identifier: Apache-2.0
"""Stands before a node and fails as told, method by method: late, cut, refused, half-open, stale, short, forged."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import httpx
from typing_extensions import override

Json = Any
#: Any method.
ANY = "*"
_SEND = "eth_sendRawTransaction"
_LOST_MAX = 600


class Fault:
    """Passes everything on; each kind changes one thing."""

    #: How often the node gets the request.
    forwards = 1

    def before(self, handler: "_Handler") -> bool:  # noqa: ARG002 - for the kinds that need it
        """Act before the node has the request; true where that was all."""
        return False

    def call(self, call: Json, node: Callable[..., Json]) -> Json:  # noqa: ARG002 - likewise
        """Return the call as the node gets it."""
        return call

    def result(self, call: Json, result: Json) -> Json:  # noqa: ARG002 - likewise
        """Return the result as the client gets it."""
        return result

    def reply(self, handler: "_Handler", body: bytes) -> None:
        """Answer, once the node did."""
        handler.answer(200, body)


class Delay(Fault):
    """The node gets it late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @override
    def before(self, handler: "_Handler") -> bool:
        time.sleep(self._seconds)
        return False


class Drop(Fault):
    """The connection breaks, and the node got nothing."""

    @override
    def before(self, handler: "_Handler") -> bool:
        handler.cut()
        return True


class CutAfterAccept(Fault):
    """The node did it, and the connection breaks before it can say so."""

    @override
    def reply(self, handler: "_Handler", body: bytes) -> None:
        handler.cut()


class Status(Fault):
    """Whoever stands before the node answers in its stead: 429, 502, 503, …"""

    def __init__(self, code: int) -> None:
        self._code = code

    @override
    def before(self, handler: "_Handler") -> bool:
        handler.answer(self._code, b"<html>busy</html>")
        return True


class HalfOpen(Fault):
    """The connection stands, and nothing ever comes."""

    @override
    def before(self, handler: "_Handler") -> bool:
        handler.server.closing.wait(_LOST_MAX)
        handler.cut()
        return True


class Trickle(Fault):
    """The answer comes byte by byte, so that no single wait is long."""

    @override
    def reply(self, handler: "_Handler", body: bytes) -> None:
        handler.begin(200, len(body))
        for at in range(len(body)):
            if handler.server.closing.wait(0.2):
                break
            handler.wfile.write(body[at : at + 1])
            handler.wfile.flush()
        handler.close_connection = True


class StaleHead(Fault):
    """A node that lags, or another node behind the same address: its head is some blocks older."""

    def __init__(self, behind: int) -> None:
        self._behind = behind

    @override
    def call(self, call: Json, node: Callable[..., Json]) -> Json:
        if "latest" not in call["params"]:
            return call
        head = int(node("eth_blockNumber"), 16)
        return call | {"params": [hex(head - self._behind) if item == "latest" else item for item in call["params"]]}

    @override
    def result(self, call: Json, result: Json) -> Json:
        return hex(int(result, 16) - self._behind) if call["method"] == "eth_blockNumber" else result


class MissingLogs(Fault):
    """The last log is left out, of a range or of a block's receipts."""

    @override
    def result(self, call: Json, result: Json) -> Json:
        if call["method"] == "eth_getBlockReceipts" and result:
            return [*result[:-1], result[-1] | {"logs": result[-1]["logs"][:-1]}]
        return result[:-1] if isinstance(result, list) else result


class ForgedHash(Fault):
    """A block has another hash than it has."""

    @override
    def result(self, call: Json, result: Json) -> Json:
        return result | {"hash": "0x" + "f0" * 32} if isinstance(result, dict) else result


class Says(Fault):
    """A node of another kind, or one that answers nonsense: whatever it says, it says this."""

    def __init__(self, said: Json) -> None:
        self.said = said

    @override
    def call(self, call: Json, node: Callable[..., Json]) -> Json:
        return call | {"method": "eth_chainId", "params": []}

    @override
    def result(self, call: Json, result: Json) -> Json:
        return self.said


class Duplicate(Fault):
    """The request reaches the node twice; the client sees the second answer."""

    forwards = 2


class Strike(Fault):
    """Whatever `blow` does happens before the node has the request, or after it did it and before it answers."""

    def __init__(self, blow: Callable[[], None], *, after: bool = False) -> None:
        self._blow = blow
        self._after = after

    @override
    def before(self, handler: "_Handler") -> bool:
        if self._after:
            return False
        self._blow()
        handler.cut()
        return True

    @override
    def reply(self, handler: "_Handler", body: bytes) -> None:
        self._blow()
        handler.cut()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: "FaultProxy"
    closing: threading.Event

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are killed, or give up, are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        """Pass a request on, through the fault that is due."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        calls = body if isinstance(body, list) else [body]
        proxy = self.server.proxy
        fault = proxy.due([call["method"] for call in calls])
        if fault.before(self):
            return
        sent = [fault.call(call, proxy.node) for call in calls]
        for _ in range(fault.forwards):
            answers = proxy.forward(sent)
        for call, answer in zip(calls, answers, strict=True):
            if "result" in answer:
                answer["result"] = fault.result(call, answer["result"])
        fault.reply(self, json.dumps(answers if isinstance(body, list) else answers[0]).encode())

    def begin(self, code: int, length: int) -> None:
        """Send the head of an answer."""
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length))
        self.end_headers()

    def answer(self, code: int, body: bytes) -> None:
        """Send a whole answer."""
        self.begin(code, len(body))
        self.wfile.write(body)

    def cut(self) -> None:
        """End the connection without a word."""
        self.close_connection = True

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class FaultProxy:
    """A node's address that fails as told; use it as a context manager."""

    def __init__(self, node_url: str) -> None:
        """Take the node behind it; without faults everything passes."""
        self._node_url = node_url
        self._faults: list[tuple[str, Fault, int | None]] = []
        self._lock = threading.Lock()
        self._client = httpx.Client(timeout=30, trust_env=False)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._server.closing = threading.Event()
        #: Raw transactions as the node got them, in order.
        self.sent: list[bytes] = []
        #: Faults that happened.
        self.struck = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, method: str, fault: Fault, times: int | None = 1) -> None:
        """Let requests that hold a method (or `ANY`) fail so many times, or for ever; earlier scripts go first."""
        with self._lock:
            self._faults.append((method, fault, times))

    def behave(self) -> None:
        """Forget every fault that did not happen yet."""
        with self._lock:
            self._faults.clear()

    def due(self, methods: list[str]) -> Fault:
        with self._lock:
            for at, (method, fault, times) in enumerate(self._faults):
                if method == ANY or method in methods:
                    self.struck += 1
                    if times is not None:
                        self._faults[at : at + 1] = [(method, fault, times - 1)] if times > 1 else []
                    return fault
        return Fault()

    def forward(self, calls: list[Json]) -> list[Json]:
        self.sent += [bytes.fromhex(call["params"][0][2:]) for call in calls if call["method"] == _SEND]
        answers = self._client.post(self._node_url, json=calls).json()
        by_id = {answer["id"]: answer for answer in answers}
        return [by_id[call["id"]] for call in calls]

    def node(self, method: str, *params: object) -> Json:
        return self.forward([{"jsonrpc": "2.0", "id": 0, "method": method, "params": params}])[0]["result"]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
