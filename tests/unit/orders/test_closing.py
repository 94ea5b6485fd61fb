# SPDX-License-Identifier: Apache-2.0
"""How an open order ends without a trade: cancelled, replaced, expired, rechecked; and what a new day brings."""

from stoken.domain import facts
from stoken.domain.codes import Side
from stoken.domain.order_states import OrderStatus
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.orders import entries
from stoken.orders.outcomes import (
    CancelAccepted,
    OrderCanceled,
    OrderExpired,
    Outcome,
)
from stoken.orders.venue import BookView, UnitsView
from tests.unit.orders.factories import (
    BLOCK_TIME,
    BPL1,
    BROKERS,
    OPEN_AT,
    SECOND,
    TOKENS,
    Market,
    accepted,
    address,
    open_market,
    order_key,
    refused,
    rules,
    trades,
)

BUYING = BROKERS[1]
TOKEN = TOKENS[BPL1]
SELLER, BUYER = address("seller"), address("buyer")


def buy(market: Market, quantity: int = 10, price: int = 5_000, **changed: object) -> Outcome:
    return market.do(market.order("buyer", Side.BUY, quantity, price, BUYING, **changed))


def sell(market: Market, quantity: int = 10, price: int = 5_000, **changed: object) -> Outcome:
    return market.do(market.order("seller", Side.SELL, quantity, price, **changed))


def canceled(outcome: Outcome) -> list[OrderCanceled]:
    return [event for event in outcome.events if isinstance(event, OrderCanceled)]


class TestCancel:
    def test_what_is_left_is_withdrawn_and_freed(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        market.do(entry)
        buy(market, 4)
        outcome = market.cancel(entry)
        assert isinstance(outcome.answer, CancelAccepted)
        assert (outcome.answer.order_id, outcome.answer.cumulative_quantity) == (1, 4)
        assert [(event.leaves_quantity, event.code) for event in canceled(outcome)] == [(6, None)]
        assert market.venue.units(TOKEN, SELLER) == UnitsView(1_000, 0, 4, 996)
        assert market.venue.book(BPL1) == BookView([], [])

    def test_the_same_request_again_gets_the_same_answer_and_has_no_effect(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        market.do(entry)
        first, second = market.cancel(entry), market.cancel(entry)
        assert first.answer == second.answer
        assert second.events == ()

    def test_a_filled_order_is_too_late_to_cancel(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        market.do(entry)
        buy(market, 10)
        answer = refused(market.cancel(entry).answer)
        assert (answer.code, answer.values, answer.order_id) == (Refusal.TOO_LATE, (("status", "filled"),), 1)

    def test_an_order_that_was_never_taken_is_too_late_as_well(self, market: Market) -> None:
        assert refused(market.cancel(market.order("seller", Side.SELL, 1)).answer).code is Refusal.TOO_LATE

    def test_another_brokers_key_withdraws_nothing(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        market.do(entry)
        assert refused(market.cancel(entry, order_key(BUYING)).answer).code is Refusal.SIGNATURE_INVALID
        assert market.venue.state.orders[1].is_open

    def test_a_cancellation_on_chain_cancels_here(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        market.do(entry)
        outcome = market.apply([facts.OrderCanceled(BROKERS[0], entry.order.nonce)])
        assert [event.code for event in canceled(outcome)] == [Refusal.NONCE_REPLAYED]
        assert canceled(market.apply([facts.OrderCanceled(BROKERS[0], entry.order.nonce)])) == []

    def test_a_revoked_keys_orders_are_cancelled_and_a_retired_keys_stay(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10, 5_010)
        assert canceled(market.apply([facts.KeyRetired(order_key(BUYING))])) == []
        (event,) = canceled(market.apply([facts.KeyRevoked(order_key(BROKERS[0]))]))
        assert (event.order_id, event.code) == (1, Refusal.SIGNATURE_INVALID)
        assert list(market.venue.state.open_orders) == [2]


class TestReplace:
    def test_the_new_order_takes_the_place_and_the_units_of_the_old(self, market: Market) -> None:
        first = market.order("seller", Side.SELL, 800)
        market.do(first)
        outcome = sell(market, 1_000, 5_010, replaces=first.order.nonce)
        assert accepted(outcome.answer).order_id == 2
        (event,) = canceled(outcome)
        assert (event.order_id, event.replaced_by, event.code) == (1, 2, None)
        assert market.venue.units(TOKEN, SELLER).reserved == 1_000

    def test_a_refused_replacement_leaves_the_old_order_as_it_was(self, market: Market) -> None:
        first = market.order("seller", Side.SELL, 800)
        market.do(first)
        outcome = sell(market, 1_001, replaces=first.order.nonce)
        assert refused(outcome.answer).code is Refusal.INSUFFICIENT_SECURITIES
        assert market.venue.units(TOKEN, SELLER).reserved == 800
        assert market.venue.state.orders[1].is_open

    def test_an_order_with_a_trade_in_flight_is_not_replaced_until_it_settles(self, market: Market) -> None:
        first = market.order("seller", Side.SELL, 10)
        market.do(first)
        buy(market, 4)
        assert refused(sell(market, 6, replaces=first.order.nonce).answer).code is Refusal.TOO_LATE
        market.apply(market.settled(1))
        accepted(sell(market, 6, replaces=first.order.nonce).answer)

    def test_only_an_order_of_the_same_account_token_and_side_is_replaced(self, market: Market) -> None:
        entry = market.order("buyer", Side.BUY, 10, 5_010, BUYING)
        market.do(entry)
        market.account("buyer2", BUYING)
        answer = market.send("buyer2", Side.BUY, 10, 5_010, BUYING, replaces=entry.order.nonce)
        assert refused(answer).code is Refusal.SETTLEMENT_UNMATCHED
        assert refused(sell(market, 1, replaces=99).answer).code is Refusal.TOO_LATE


class TestExpiry:
    def test_orders_lapse_when_their_deadline_lies_before_the_last_block(self, market: Market) -> None:
        sell(market, 10, tradable_until=BLOCK_TIME + 2)
        sell(market, 20, tradable_until=BLOCK_TIME + 3)
        entry = market.order("seller", Side.SELL, 30, tradable_until=BLOCK_TIME + 2)
        market.do(entry)
        market.cancel(entry)
        assert market.apply(time=BLOCK_TIME + 2).events == ()
        assert market.apply(time=BLOCK_TIME + 3).events == (OrderExpired(1, 10),)
        assert market.venue.units(TOKEN, SELLER).reserved == 20

    def test_orders_lapse_at_the_close(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 3)
        market.now_ns = (OPEN_AT + 5 * 3600 + 1_800) * SECOND
        outcome = market.do(entries.ClockTicked(0))
        assert outcome.events == (OrderExpired(1, 7),)
        assert market.venue.state.orders[1].status is OrderStatus.EXPIRED
        assert market.venue.units(TOKEN, SELLER) == UnitsView(1_000, 0, 3, 997)
        assert market.venue.due_at_ns() == (OPEN_AT + 14 * 3600) * SECOND


class TestRules:
    def test_open_orders_are_checked_when_a_rule_set_takes_effect(self, market: Market) -> None:
        buy(market, 10, 5_010)
        buy(market, 10, 5_020)
        sell(market, 9, 5_030)
        assert canceled(market.apply([rules(BPL1, 1, 4, lot=9, classes=2)])) == []
        assert canceled(market.apply()) == []
        outcome = market.apply()
        assert [(event.order_id, event.code) for event in canceled(outcome)] == [
            (1, Refusal.LOT_INVALID),
            (2, Refusal.LOT_INVALID),
        ]
        assert canceled(outcome)[0].stamp.rule_set == 1
        assert list(market.venue.state.open_orders) == [3]

    def test_another_instruments_orders_stay(self, market: Market) -> None:
        market.admit("ZZSHIPFIN016")
        buy(market, 10)
        outcome = market.apply([rules("ZZSHIPFIN016", 1, 2, lot=9)])
        assert outcome.events == ()


class TestClock:
    def test_a_shifted_clock_moves_the_session_and_not_the_chain(self) -> None:
        market = Market(at=OPEN_AT - 3 * 3600)
        assert market.venue.state.session.value == "PRE_OPEN"
        market.do(entries.ClockShifted(0, 3 * 3600 * SECOND))
        assert market.venue.state.session.value == "OPEN"
        market.do(entries.ClockShifted(0, 0))
        assert market.venue.state.session.value == "PRE_OPEN"

    def test_the_next_days_reference_price_is_the_average_of_this_one(self, market: Market) -> None:
        sell(market, 10, 5_000)
        buy(market, 10, 5_000)
        sell(market, 30, 5_200)
        buy(market, 30, 5_200)
        market.now_ns += 24 * 3600 * SECOND
        market.do(entries.ClockTicked(0))
        instrument = market.venue.state.instruments[BPL1]
        assert instrument.reference_price == 5_150
        assert instrument.band == (3_605, 6_690)
        market.now_ns += 24 * 3600 * SECOND
        market.do(entries.ClockTicked(0))
        assert instrument.reference_price == 5_150

    def test_a_cycle_of_two_days_dates_the_settlement(self) -> None:
        market = open_market(Rulebook(settlement_cycle_days=2))
        late = {"tradable_until": BLOCK_TIME + 60, "settle_by": BLOCK_TIME + 10 * 24 * 3600}
        sell(market, **late)
        assert trades(buy(market, **late))[0].settlement_date == "2026-12-03"
