# SPDX-License-Identifier: Apache-2.0
"""The order book of one instrument: a pure integer function of the orders it is given, in order.

At one price the earlier order goes first. Which prices meet is the policy's: EQUAL_PRICE asks for the same
price on both sides, PRICE_TIME takes the best opposite price that crosses.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from stoken.domain.codes import MatchingMode, Side


class Resting:
    """An order as the book sees it; `leaves` is what is still open."""

    __slots__ = ("leaves", "order_id", "price", "side")

    def __init__(self, order_id: int, side: Side, price: int, quantity: int) -> None:
        """Take an order as it enters the book."""
        self.order_id = order_id
        self.side = side
        self.price = price
        self.leaves = quantity


class Judgement(Enum):
    """What the venue says when two orders meet."""

    TRADE = auto()
    DROP_RESTING = auto()
    STOP_INCOMING = auto()


class Level(NamedTuple):
    """What the public sees of one price."""

    price: int
    quantity: int
    orders: int


#: Asked with (resting order, quantity) before each fill, which the book then carries out.
Judge = Callable[[Resting, int], Judgement]
_Queue = OrderedDict[int, Resting]


class _Half:
    """One side of the book: queues by price, and the prices in ascending order."""

    __slots__ = ("prices", "queues")

    def __init__(self) -> None:
        self.queues: dict[int, _Queue] = {}
        self.prices: list[int] = []

    def add(self, order: Resting) -> None:
        queue = self.queues.get(order.price)
        if queue is None:
            queue = self.queues[order.price] = OrderedDict()
            insort(self.prices, order.price)
        queue[order.order_id] = order

    def remove(self, order: Resting) -> None:
        queue = self.queues[order.price]
        del queue[order.order_id]
        if not queue:
            del self.queues[order.price]
            del self.prices[bisect_left(self.prices, order.price)]

    def first(self, price: int) -> Resting | None:
        queue = self.queues.get(price)
        return None if queue is None else next(iter(queue.values()))


class Book:
    """Open orders of one instrument and the function that lets an incoming order meet them."""

    __slots__ = ("_asks", "_bids", "_equal_price", "_orders")

    def __init__(self, mode: MatchingMode = MatchingMode.EQUAL_PRICE) -> None:
        """Take the policy by which prices meet."""
        self._bids = _Half()
        self._asks = _Half()
        self._orders: dict[int, Resting] = {}
        self._equal_price = mode is MatchingMode.EQUAL_PRICE

    def __contains__(self, order_id: int) -> bool:
        """Tell whether an order rests in the book."""
        return order_id in self._orders

    def match(self, incoming: Resting, judge: Judge) -> bool:
        """Let an order meet the book; what is left of it rests, unless the judge stopped it: then return False."""
        while incoming.leaves:
            resting = self._counterpart(incoming)
            if resting is None:
                self._half(incoming.side).add(incoming)
                self._orders[incoming.order_id] = incoming
                return True
            quantity = min(incoming.leaves, resting.leaves)
            judgement = judge(resting, quantity)
            if judgement is Judgement.STOP_INCOMING:
                return False
            if judgement is Judgement.DROP_RESTING:
                self.remove(resting.order_id)
                continue
            incoming.leaves -= quantity
            resting.leaves -= quantity
            if not resting.leaves:
                self.remove(resting.order_id)
        return True

    def remove(self, order_id: int) -> None:
        """Take an order out of the book; nothing happens where it does not rest there."""
        resting = self._orders.pop(order_id, None)
        if resting is not None:
            self._half(resting.side).remove(resting)

    def bids(self) -> list[Level]:
        """Return the buying side, best price first."""
        return [_level(self._bids, price) for price in reversed(self._bids.prices)]

    def asks(self) -> list[Level]:
        """Return the selling side, best price first."""
        return [_level(self._asks, price) for price in self._asks.prices]

    def _half(self, side: Side) -> _Half:
        return self._bids if side == Side.BUY else self._asks

    def _counterpart(self, incoming: Resting) -> Resting | None:
        buying = incoming.side == Side.BUY
        other = self._asks if buying else self._bids
        if self._equal_price:
            return other.first(incoming.price)
        if not other.prices:
            return None
        best = other.prices[0] if buying else other.prices[-1]
        crosses = best <= incoming.price if buying else best >= incoming.price
        return other.first(best) if crosses else None


def _level(half: _Half, price: int) -> Level:
    queue = half.queues[price]
    return Level(price, sum(order.leaves for order in queue.values()), len(queue))
