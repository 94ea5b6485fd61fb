# SPDX-License-Identifier: Apache-2.0
"""Q5 of open orders: what a final block takes from under them ends the youngest, and the rest is said to be covered."""

import msgspec
import pytest

from stoken.domain import facts
from stoken.domain.codes import OwnerType, Side
from stoken.domain.order_states import OrderStatus
from stoken.domain.refusals import Refusal
from stoken.orders.entries import DECISIONS
from stoken.orders.outcomes import CoverEvaluated, Event, OrderCanceled, Outcome, Value
from tests.unit.orders.factories import (
    BPL1,
    BROKERS,
    BUYING,
    CASH_TOKEN,
    SHP1B,
    TOKENS,
    VENUE,
    Market,
    accepted,
    account_facts,
    address,
    buy,
    cash_account,
    rules,
    sell,
)

TOKEN, SELLER = TOKENS[BPL1], address("seller")
#: Between the two later blocks nothing of the market may lapse.
FAR = 2**40 - 1


def canceled(outcome: Outcome) -> list[tuple[int, int, Refusal | None]]:
    return [
        (each.order_id, each.leaves_quantity, each.code) for each in outcome.events if isinstance(each, OrderCanceled)
    ]


def covered(outcome: Outcome) -> list[Event]:
    return [each for each in outcome.events if isinstance(each, CoverEvaluated)]


def why(outcome: Outcome) -> dict[str, Value]:
    (event,) = (each for each in outcome.events if isinstance(each, OrderCanceled))
    return dict(event.values)


def held(quantity: int, venue: bytes = VENUE) -> facts.TradeHeld:
    """What the chain says where trade 1 of a venue is held for a later day."""
    ends = (SELLER, address("buyer"), cash_account(BROKERS[0]), cash_account(BUYING))
    return facts.TradeHeld(venue, 1, TOKEN, CASH_TOKEN, *ends, 1, 1, quantity, 5_000, FAR)


class TestHeldForALaterDay:
    def test_the_rest_of_the_sale_still_meets_a_purchase(self, market: Market) -> None:
        accepted(sell(market, 1_000))
        accepted(buy(market, 400))
        market.apply([held(400)])
        accepted(buy(market, 600))
        assert market.venue.state.orders[1].status is OrderStatus.FILLED
        assert market.venue.units(TOKEN, SELLER).available == 0

    def test_what_is_free_can_be_sold_and_paid(self, market: Market) -> None:
        accepted(sell(market, 400))
        accepted(buy(market, 400))
        cash = cash_account(BUYING)
        market.apply([held(400), facts.CashMoved(CASH_TOKEN, cash, bytes(20), 10**12 - 5_000_000)])
        assert market.venue.units(TOKEN, SELLER).available == 600
        accepted(sell(market, 600))
        accepted(buy(market, 600))
        assert len(market.venue.state.trades) == 2

    def test_an_order_rechecked_by_new_rules_stays(self, market: Market) -> None:
        accepted(sell(market, 1_000))
        accepted(buy(market, 400))
        market.apply([held(400), rules(BPL1, 1, 3)])
        assert canceled(market.apply()) == []

    def test_a_hold_of_another_venue_is_not_in_flight_here(self, market: Market) -> None:
        accepted(sell(market, 600))
        accepted(buy(market, 600))
        accepted(sell(market, 400))
        outcome = market.apply([held(300, BROKERS[0])])
        assert canceled(outcome) == [(3, 400, Refusal.INSUFFICIENT_SECURITIES)]
        assert why(outcome) == {"account": "0x" + SELLER.hex(), "available": 100, "needed": 400}

    def test_cash_held_by_another_venue_is_not_in_flight_here(self, market: Market) -> None:
        accepted(sell(market, 600))
        accepted(buy(market, 600))
        accepted(buy(market, 400))
        cash = facts.CashMoved(CASH_TOKEN, cash_account(BUYING), bytes(20), 10**12 - 5_000_000)
        assert canceled(market.apply([cash])) == []
        assert canceled(market.apply([held(1, BROKERS[0])])) == [(3, 400, Refusal.INSUFFICIENT_CASH)]


class TestUnits:
    def test_the_youngest_orders_end_until_the_rest_is_covered(self, market: Market) -> None:
        for quantity in (400, 300, 200, 100):
            accepted(sell(market, quantity))
        outcome = market.apply([facts.UnitsFrozen(TOKEN, SELLER, 250)])
        assert canceled(outcome) == [
            (4, 100, Refusal.INSUFFICIENT_SECURITIES),
            (3, 200, Refusal.INSUFFICIENT_SECURITIES),
        ]
        assert covered(outcome) == [CoverEvaluated(TOKEN, BROKERS[0], SELLER, 950, 1_000, 1)]
        assert [market.venue.state.orders[each].status for each in (1, 2)] == [OrderStatus.NEW] * 2
        assert market.venue.units(TOKEN, SELLER).reserved == 700

    def test_an_order_that_is_exactly_covered_stays(self, market: Market) -> None:
        accepted(sell(market, 400))
        outcome = market.apply([facts.UnitsFrozen(TOKEN, SELLER, 600)])
        assert (canceled(outcome), covered(outcome)) == (
            [],
            [CoverEvaluated(TOKEN, BROKERS[0], SELLER, 1_000, 1_000, 1)],
        )
        assert canceled(market.apply([facts.UnitsFrozen(TOKEN, SELLER, 1)])) == [(1, 400, Refusal.SECURITIES_FROZEN)]

    @pytest.mark.parametrize(
        ("told", "code"),
        [
            ([facts.AddressFrozen(TOKEN, SELLER, frozen=True)], Refusal.ACCOUNT_LEGAL_HOLD),
            ([facts.AccountHeld(SELLER, 1)], Refusal.ACCOUNT_LEGAL_HOLD),
            ([facts.UnitsFrozen(TOKEN, SELLER, 995)], Refusal.SECURITIES_FROZEN),
            ([facts.EncumbranceSet(b"e" * 32, TOKEN, SELLER, 1, 995, FAR)], Refusal.LOCKUP_ACTIVE),
            ([facts.EncumbranceSet(b"e" * 32, TOKEN, SELLER, 2, 995, FAR)], Refusal.SECURITIES_PLEDGED),
            ([facts.Transferred(TOKEN, SELLER, address("court"), 995)], Refusal.INSUFFICIENT_SECURITIES),
            ([facts.Transferred(TOKEN, SELLER, bytes(20), 995)], Refusal.INSUFFICIENT_SECURITIES),
        ],
    )
    def test_every_act_on_the_chain_that_takes_units_ends_the_order_with_its_reason(
        self, market: Market, told: list[facts.Fact], code: Refusal
    ) -> None:
        accepted(sell(market, 10))
        outcome = market.apply(told)
        assert canceled(outcome) == [(1, 10, code)]
        assert covered(outcome) == []
        assert market.venue.units(TOKEN, SELLER).reserved == 0
        assert market.venue.book(BPL1) == ([], [])

    def test_a_recovery_ends_the_orders_of_the_lost_account_alone(self, market: Market) -> None:
        market.apply([facts.EncumbranceSet(b"e" * 32, TOKEN, SELLER, 2, 900, FAR), *account_facts("next", BROKERS[0])])
        market.account("next")
        market.apply([facts.Transferred(TOKEN, bytes(20), address("next"), 5)])
        accepted(sell(market, 100))
        accepted(market.send("next", Side.SELL, 5))
        recovered = [
            facts.Transferred(TOKEN, SELLER, address("next"), 1_000),
            facts.EncumbrancesMoved(TOKEN, SELLER, address("next")),
        ]
        assert canceled(market.apply(recovered)) == [(1, 100, Refusal.INSUFFICIENT_SECURITIES)]
        # Fewer units than marks: what no contract does is seen all the same.
        short = [facts.Transferred(TOKEN, address("next"), address("court"), 105), recovered[1]]
        assert canceled(market.apply(short)) == [(2, 5, Refusal.SECURITIES_PLEDGED)]

    def test_a_conversion_that_raises_a_pledge_counts(self, market: Market) -> None:
        market.apply([facts.EncumbranceSet(b"e" * 32, TOKEN, SELLER, 2, 100, FAR)])
        accepted(sell(market, 900))
        rescaled = facts.EncumbranceRescaled(b"e" * 32, 101)
        assert canceled(market.apply([rescaled])) == [(1, 900, Refusal.SECURITIES_PLEDGED)]

    def test_what_is_in_flight_comes_before_what_is_reserved(self, market: Market) -> None:
        accepted(sell(market, 600))
        accepted(buy(market, 600))
        accepted(sell(market, 300))
        outcome = market.apply([facts.UnitsFrozen(TOKEN, SELLER, 101)])
        assert canceled(outcome) == [(3, 300, Refusal.INSUFFICIENT_SECURITIES)]
        assert why(outcome) == {"account": "0x" + SELLER.hex(), "available": 299, "needed": 300}
        # Nothing is reserved any more: whether the trade settles is for the chain to say.
        assert market.apply([facts.UnitsFrozen(TOKEN, SELLER, 800)]).events == ()

    def test_a_settlement_leaves_the_rest_covered(self, market: Market) -> None:
        accepted(sell(market, 1_000))
        accepted(buy(market, 400))
        outcome = market.apply(market.settled(1))
        assert (canceled(outcome), covered(outcome)) == (
            [],
            [CoverEvaluated(TOKEN, BROKERS[0], SELLER, 600, 600, 1)],
        )

    def test_units_held_for_a_later_day_are_in_flight_once(self, market: Market) -> None:
        accepted(sell(market, 1_000))
        accepted(buy(market, 400))
        outcome = market.apply([held(400)])
        assert (canceled(outcome), covered(outcome)) == (
            [],
            [CoverEvaluated(TOKEN, BROKERS[0], SELLER, 1_000, 1_000, 1)],
        )
        outcome = market.apply([facts.UnitsFrozen(TOKEN, SELLER, 1)])
        assert why(outcome) == {"account": "0x" + SELLER.hex(), "available": 599, "needed": 600}

    def test_each_broker_is_told_of_its_account_that_is_closest_to_the_bound(self, market: Market) -> None:
        market.apply([*account_facts("s2", BROKERS[0], units=50), *account_facts("s3", BUYING, units=50)])
        market.account("s2")
        market.account("s3", BUYING)
        accepted(sell(market, 100))
        accepted(market.send("s2", Side.SELL, 45))
        accepted(market.send("s3", Side.SELL, 10, broker=BUYING))
        outcome = market.apply([facts.UnitsFrozen(TOKEN, address(name), 1) for name in ("seller", "s2", "s3")])
        assert covered(outcome) == [
            CoverEvaluated(TOKEN, BROKERS[0], address("s2"), 46, 50, 2),
            CoverEvaluated(TOKEN, BUYING, address("s3"), 11, 50, 1),
        ]

    def test_what_touches_no_open_order_says_nothing(self, market: Market) -> None:
        accepted(sell(market, 10))
        token = TOKENS[SHP1B]
        told = [
            facts.UnitsFrozen(token, SELLER, 1),
            facts.UnitsFrozen(TOKEN, address("buyer"), 1),
            facts.AccountHeld(address("buyer"), 2),
            facts.EncumbranceSet(b"e" * 32, token, SELLER, 2, 1, FAR),
            facts.EncumbranceRescaled(b"e" * 32, 7),
            facts.EncumbranceReleased(b"e" * 32),
        ]
        assert market.apply(told).events == ()
        assert len(market.venue.state.open_orders) == 1


class TestCash:
    def test_the_youngest_purchases_end_until_the_brokers_cash_covers_the_rest(self, market: Market) -> None:
        market.apply(account_facts("other", BUYING))
        market.account("other", BUYING)
        market.allocate("other", 1_000_000, BUYING)
        accepted(buy(market, 10))
        accepted(market.send("other", Side.BUY, 20, broker=BUYING))
        pool = cash_account(BUYING)
        outcome = market.apply([facts.CashMoved(CASH_TOKEN, pool, bytes(20), 10**12 - 149_999)])
        assert canceled(outcome) == [(2, 20, Refusal.INSUFFICIENT_CASH)]
        assert why(outcome) == {"account": "0x" + pool.hex(), "available": 99_999, "needed": 100_000}
        assert covered(outcome) == [CoverEvaluated(CASH_TOKEN, BUYING, pool, 50_000, 149_999, 1)]
        assert market.venue.cash(address("other")) == (1_000_000, 0, 0)

    def test_cash_that_is_exactly_enough_keeps_the_order(self, market: Market) -> None:
        accepted(buy(market, 10))
        outcome = market.apply([facts.CashMoved(CASH_TOKEN, cash_account(BUYING), bytes(20), 10**12 - 50_000)])
        assert canceled(outcome) == []

    def test_a_brokers_own_cash_is_apart(self, market: Market) -> None:
        accepted(buy(market, 10))
        own = cash_account(BUYING, OwnerType.OWN)
        assert market.apply([facts.CashMoved(CASH_TOKEN, own, bytes(20), 10**9)]).events == ()


class TestOlderJournals:
    def test_a_newer_version_cancels_what_an_older_one_left_uncovered(self, market: Market) -> None:
        market.decide_as(0)
        for quantity in (600, 400):
            accepted(sell(market, quantity))
        accepted(buy(market, 10, 4_990))
        market.apply([facts.UnitsFrozen(TOKEN, SELLER, 1)])
        outcome = market.decide_as(DECISIONS)
        assert canceled(outcome) == [(2, 400, Refusal.INSUFFICIENT_SECURITIES)]
        assert len(covered(outcome)) == 2
        assert market.decide_as(DECISIONS).events == ()

    def test_are_replayed_as_they_were_decided(self, market: Market) -> None:
        market.decide_as(0)
        accepted(sell(market, 10))
        assert market.apply([facts.UnitsFrozen(TOKEN, SELLER, 1_000)]).events == ()
        opened = market.venue.state.opened
        assert opened is not None
        assert msgspec.structs.replace(opened, decisions=0) == opened
