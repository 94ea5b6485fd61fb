# SPDX-License-Identifier: Apache-2.0
"""The load generator, a process of its own: sends prepared requests over keep-alive connections, one after another.

Usage: python -m benchmarks.load HOST PORT CONNECTIONS < requests (msgpack list of bytes) > result (JSON)
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from time import perf_counter
from typing import Final, cast

import msgspec
import uvloop
from typing_extensions import override

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_STATUS: Final = slice(9, 12)


class Result(msgspec.Struct, frozen=True):
    """How long all requests took, their answers by HTTP status, and percentiles of latency in milliseconds."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """Sends the next request once the answer to the last one is complete."""

    def __init__(self, requests: Iterator[bytes], statuses: Counter[str], latencies: list[float]) -> None:
        self._requests = requests
        self._statuses = statuses
        self._latencies = latencies
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed a connection"))

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(_END_OF_HEAD)
        if head < 0:
            return
        at = self._received.find(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._received[at : self._received.index(b"\r", at)])
        if len(self._received) < head + len(_END_OF_HEAD) + length:
            return
        self._latencies.append(perf_counter() - self._sent_at)
        self._statuses[self._received[_STATUS].decode()] += 1
        self._received = b""
        self.send()

    def send(self) -> None:
        """Send the next request, if there is one."""
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
        elif self._transport is not None:
            self._sent_at = perf_counter()
            self._transport.write(request)


async def drive(host: str, port: int, connections: int, requests: list[bytes]) -> Result:
    """Send all requests, each once, over so many connections."""
    statuses, latencies, left = Counter[str](), list[float](), iter(requests)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(left, statuses, latencies), host, port)
        for _ in range(connections)
    ]
    started = perf_counter()
    for _, connection in made:
        connection.send()
    await asyncio.gather(*(connection.done for _, connection in made))
    seconds = perf_counter() - started
    for transport, _ in made:
        transport.close()
    latencies.sort()
    p50, p99 = (latencies[len(latencies) * percent // 100] * 1_000 for percent in (50, 99))
    return Result(seconds, dict(statuses), p50, p99)


def main() -> None:
    """Read requests, send them, write the result."""
    host, port, connections = sys.argv[1:]
    requests = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[bytes])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(drive(host, int(port), int(connections), requests))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
