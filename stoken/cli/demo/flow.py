# SPDX-License-Identifier: Apache-2.0
"""Step 5: a day's order flow. Holders sell and buyers buy at the same few prices, so that every order trades."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Final, NamedTuple

from rich.progress import Progress

from stoken.cli.demo import issuing
from stoken.cli.demo.cast import Investor
from stoken.cli.demo.play import Play
from stoken.domain.codes import Side

_THREADS: Final = 8
_PRICES: Final = {"BPL1": (4_990, 5_000, 5_010), "SHP1B": (9_990, 10_000, 10_010)}
#: Of ten pairs seven are in the house: its units are the cheaper ones.
_SHARE: Final = 7


class Pair(NamedTuple):
    """A sale and a purchase of the same quantity at the same price."""

    short_code: str
    seller: Investor
    buyer: Investor
    price: int
    quantity: int


def plan(play: Play, seed: int, orders: int) -> list[Pair]:
    """Return pairs that make up so many orders, within what each seller holds."""
    random = Random(seed)  # noqa: S311 - a reproducible demo, not a secret
    sellers, buyers = issuing.holders(play), issuing.buyers(play)
    pairs = []
    for number in range(orders // 2):
        short_code = "BPL1" if random.randrange(10) < _SHARE else "SHP1B"
        price = random.choice(_PRICES[short_code])
        seller, buyer = sellers[number % len(sellers)], buyers[number % len(buyers)]
        pairs.append(Pair(short_code, seller, buyer, price, random.randint(1, 5)))
    return pairs


def _progress(play: Play) -> Progress:
    return Progress(console=play.console, transient=True, disable=not play.console.is_terminal)


def trade(play: Play, pairs: list[Pair]) -> None:
    """Send both orders of every pair, many at once, in no particular order."""
    with _progress(play) as progress, ThreadPoolExecutor(_THREADS) as pool:
        task = progress.add_task("orders", total=2 * len(pairs))
        for _ in pool.map(lambda pair: _send(play, pair), pairs):
            progress.advance(task, 2)


def _send(play: Play, pair: Pair) -> None:
    ask = play.ticket(pair.seller, pair.short_code, Side.SELL, pair.price, pair.quantity)
    bid = play.ticket(pair.buyer, pair.short_code, Side.BUY, pair.price, pair.quantity)
    play.order(pair.short_code, ask, pair.seller)
    play.order(pair.short_code, bid, pair.buyer)


def await_settlement(play: Play) -> list[dict[str, object]]:
    """Wait until the mirror has seen every trade settle, and return the trades."""
    venue = play.institution("VENUE")
    trades: list[dict[str, object]] = []
    with _progress(play) as progress:
        task = progress.add_task("settled", total=None)
        while True:
            page = play.client.wait(
                "the settlement of trades",
                partial(play.client.get, venue, "/trades", after=len(trades)),
                lambda page: all(trade["status"] != "matched" for trade in page),
            )
            trades += page
            progress.update(task, completed=len(trades))
            if not page:
                return trades
