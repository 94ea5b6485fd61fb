# SPDX-License-Identifier: Apache-2.0
"""The fast book against a naive one that scans a list, and the rules by name."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoken.domain.book import Book, Judgement, Level, Resting
from stoken.domain.codes import MatchingMode, Side
from tests.requirements import requirement

EQUAL, PRICE_TIME = MatchingMode.EQUAL_PRICE, MatchingMode.PRICE_TIME


@dataclass
class NaiveBook:
    """The oracle: one list in order of arrival, scanned for every order."""

    mode: MatchingMode
    resting: list[Resting] = field(default_factory=list)

    def counterpart(self, incoming: Resting) -> Resting | None:
        sign = 1 if incoming.side == Side.BUY else -1
        others = [order for order in self.resting if order.side != incoming.side]
        if self.mode is EQUAL:
            others = [order for order in others if order.price == incoming.price]
        else:
            others = [order for order in others if sign * order.price <= sign * incoming.price]
            others.sort(key=lambda order: sign * order.price)
        return others[0] if others else None

    def submit(self, incoming: Resting, judgement: dict[int, Judgement]) -> list[tuple[int, int, int]]:
        fills = []
        while incoming.leaves and (other := self.counterpart(incoming)):
            said = judgement.get(other.order_id, Judgement.TRADE)
            if said is Judgement.STOP_INCOMING:
                return fills
            if said is Judgement.DROP_RESTING:
                self.resting.remove(other)
                continue
            quantity = min(incoming.leaves, other.leaves)
            fills.append((other.order_id, other.price, quantity))
            incoming.leaves -= quantity
            other.leaves -= quantity
            if not other.leaves:
                self.resting.remove(other)
        if incoming.leaves:
            self.resting.append(incoming)
        return fills


def submit(book: Book, order: Resting, judgement: dict[int, Judgement] | None = None) -> list[tuple[int, int, int]]:
    fills: list[tuple[int, int, int]] = []

    def judge(resting: Resting, quantity: int) -> Judgement:
        said = (judgement or {}).get(resting.order_id, Judgement.TRADE)
        if said is Judgement.TRADE:
            fills.append((resting.order_id, resting.price, quantity))
        return said

    book.match(order, judge)
    return fills


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 5),
        st.integers(1, 9),
        st.sampled_from([Judgement.TRADE] * 6 + [Judgement.DROP_RESTING, Judgement.STOP_INCOMING]),
        st.integers(0, 30),
    ),
    max_size=60,
)


class TestOracle:
    @pytest.mark.parametrize("mode", [EQUAL, PRICE_TIME])
    @given(commands=COMMANDS)
    def test_both_books_trade_alike(
        self, mode: MatchingMode, commands: list[tuple[Side, int, int, Judgement, int]]
    ) -> None:
        fast, naive = Book(mode), NaiveBook(mode)
        judgements: dict[int, Judgement] = {}
        for number, (side, price, quantity, judgement, canceled) in enumerate(commands, 1):
            judgements[number] = judgement
            expected = naive.submit(Resting(number, side, price, quantity), judgements)
            assert submit(fast, Resting(number, side, price, quantity), judgements) == expected
            fast.remove(canceled)
            naive.resting = [order for order in naive.resting if order.order_id != canceled]
            assert {order.order_id for order in naive.resting} == {n for n in range(number + 1) if n in fast}
            assert sum(order.leaves for order in naive.resting) == sum(
                level.quantity for level in [*fast.bids(), *fast.asks()]
            )


class TestEqualPrice:
    @requirement("ORD-07")
    def test_a_higher_bid_does_not_meet_a_lower_ask(self) -> None:
        book = Book()
        submit(book, Resting(1, Side.BUY, 5_010, 3))
        assert submit(book, Resting(2, Side.SELL, 5_000, 3)) == []
        assert book.bids() == [Level(5_010, 3, 1)]
        assert book.asks() == [Level(5_000, 3, 1)]
        # The other mode trades here, at the price that stood first.
        other = Book(PRICE_TIME)
        submit(other, Resting(1, Side.BUY, 5_010, 3))
        assert submit(other, Resting(2, Side.SELL, 5_000, 3)) == [(1, 5_010, 3)]

    @requirement("ORD-07")
    def test_at_one_price_the_earlier_order_goes_first_and_may_be_filled_in_part(self) -> None:
        book = Book()
        submit(book, Resting(1, Side.SELL, 5_000, 3))
        submit(book, Resting(2, Side.SELL, 5_000, 5))
        assert submit(book, Resting(3, Side.BUY, 5_000, 4)) == [(1, 5_000, 3), (2, 5_000, 1)]
        assert book.asks() == [Level(5_000, 4, 1)]


class TestPriceTime:
    def test_the_best_price_goes_first_on_both_sides(self) -> None:
        book = Book(PRICE_TIME)
        for number, price in enumerate((5_020, 5_000, 5_010), 1):
            submit(book, Resting(number, Side.SELL, price, 1))
        assert submit(book, Resting(4, Side.BUY, 5_010, 5)) == [(2, 5_000, 1), (3, 5_010, 1)]
        assert book.bids() == [Level(5_010, 3, 1)]
        submit(book, Resting(5, Side.BUY, 5_015, 1))
        assert submit(book, Resting(6, Side.SELL, 4_000, 2)) == [(5, 5_015, 1), (4, 5_010, 1)]
        assert submit(Book(PRICE_TIME), Resting(1, Side.SELL, 1, 1)) == []
