# SPDX-License-Identifier: Apache-2.0
"""Durable orders over HTTP by the real gateway, against PostgreSQL's own benchmark of single inserts."""

import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from statistics import median
from typing import Final
from urllib.parse import urlsplit

import msgspec

from benchmarks.load import Result
from benchmarks.market import Market
from benchmarks.pgbench import Pgbench
from benchmarks.report import Row, expect
from stoken.cli.demo import issuing
from stoken.cli.demo.cast import Investor
from stoken.cli.demo.desk import Ticket
from stoken.domain.codes import Side

CONNECTIONS: Final = 16
_LOAD_SECONDS_MAX: Final = 60
_BIDS: Final = range(4_000, 4_500, 10)
_ASKS: Final = range(6_000, 6_500, 10)
_MEETING: Final = 5_000
_Flow = list[tuple[Investor, Ticket]]


def measure(market: Market, pgbench: Pgbench, orders: int, rounds: int) -> list[Row]:
    """Return the rows of orders that rest in the book, and of orders that trade while the worker settles."""
    flow = _Orders(market)
    resting, trading, floor, settled = list[Result](), list[Result](), list[float](), 0
    for _ in range(rounds):
        floor.append(pgbench.run())
        resting.append(flow.send([flow.resting(number) for number in range(orders)]))
        trading.append(flow.send([flow.trading(number) for number in range(orders)]))
        settled = market.await_settlement(settled)
    expect("settled trades", settled, rounds * orders // 2)
    against = f"pgbench, {CONNECTIONS} clients, simple insert"
    form = (
        f"{CONNECTIONS} connections, {orders:,} signed orders a round, SQLite with synchronous=FULL; "
        f"PostgreSQL {pgbench.version}, fsync on"
    )
    return [
        Row("orders over HTTP, resting", against, _rates(resting), floor, 0.7, f"{form}; {_latency(resting)}"),
        Row(
            "orders over HTTP, trading",
            against,
            _rates(trading),
            floor,
            note=f"worker and node settle meanwhile on the same cores; {_latency(trading)}",
        ),
    ]


class _Orders:
    """Prepares the orders of the market's investors and has them sent."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._sellers, self._buyers = issuing.holders(market.play), issuing.buyers(market.play)
        self._ids = count(1)

    def resting(self, number: int) -> tuple[Investor, Ticket]:
        """Return an order that meets no other: bids lie below asks."""
        levels = _BIDS if number % 2 else _ASKS
        return self._order(number, levels[number // 2 % len(levels)])

    def trading(self, number: int) -> tuple[Investor, Ticket]:
        """Return an order that meets the one before or after it."""
        return self._order(number, _MEETING)

    def send(self, flow: _Flow) -> Result:
        """Send orders and return how that went; each must be accepted."""
        brokers = {investor.broker for investor, _ in flow}
        issuer = self._market.stage.issuer
        tokens = {each: issuer.token(each.institution.lei, each.institution.roles) for each in brokers}
        requests = [self._request(tokens[investor.broker], ticket) for investor, ticket in flow]
        result = _drive(self._market.stage.gateway_url, requests)
        expect("answers by status", result.statuses, {"201": len(flow)})
        return result

    def _order(self, number: int, price: int) -> tuple[Investor, Ticket]:
        side, investors = (Side.BUY, self._buyers) if number % 2 else (Side.SELL, self._sellers)
        investor = investors[number // 2 % len(investors)]
        return investor, self._market.ticket(investor, side, price)

    def _request(self, token: str, ticket: Ticket) -> bytes:
        signed = ticket.order
        body = msgspec.json.encode(
            {
                "client_order_id": f"bench-{next(self._ids)}",
                "isin": self._market.isin,
                "account": _hex(signed.account),
                "cash_account": _hex(signed.cash_account),
                "token": _hex(signed.token),
                "side": Side(signed.side).name,
                "price": str(signed.price),
                "quantity": str(signed.quantity),
                "nonce": str(signed.nonce),
                "tradable_until": signed.tradable_until,
                "settle_by": signed.settle_by,
                "signature": _hex(ticket.signature),
            }
        )
        head = (
            f"POST /orders HTTP/1.1\r\nhost: stoken\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _drive(url: str, requests: Sequence[bytes]) -> Result:
    target = urlsplit(url)
    command = [sys.executable, "-m", "benchmarks.load", str(target.hostname), str(target.port), str(CONNECTIONS)]
    ended = subprocess.run(
        command, input=msgspec.msgpack.encode(requests), stdout=subprocess.PIPE, check=True, timeout=_LOAD_SECONDS_MAX
    )
    return msgspec.json.decode(ended.stdout, type=Result)


def _rates(results: Sequence[Result]) -> list[float]:
    return [sum(result.statuses.values()) / result.seconds for result in results]


def _latency(results: Sequence[Result]) -> str:
    p50, p99 = median(each.p50_ms for each in results), median(each.p99_ms for each in results)
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
