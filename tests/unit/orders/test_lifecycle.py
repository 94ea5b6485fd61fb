# SPDX-License-Identifier: Apache-2.0
"""What becomes of an accepted order: matched, settled, failed, cancelled, replaced, expired, rechecked."""

import msgspec
import pytest

from stoken.domain import facts
from stoken.domain.codes import MatchingMode, OwnerType, Side
from stoken.domain.order_states import OrderStatus, TradeStatus
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.orders import entries
from stoken.orders.outcomes import (
    Accepted,
    OrderCanceled,
    Outcome,
    Refused,
    TradeFailed,
    TradeSettled,
)
from stoken.orders.venue import UnitsView, Venue
from tests.requirements import requirement
from tests.unit.orders.factories import (
    BLOCK_TIME,
    BPL1,
    BROKERS,
    CASH_TOKEN,
    TOKENS,
    VENUE,
    Market,
    accepted,
    account_facts,
    address,
    cash_account,
    open_market,
    order_key,
    refused,
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


class TestMatch:
    def test_a_trade_carries_all_that_settlement_needs(self, market: Market) -> None:
        first, second = sell(market, 10), buy(market, 4)
        (trade,) = trades(second)
        state = market.venue.state
        assert (trade.trade_id, trade.price, trade.quantity, trade.mic) == (1, 5_000, 4, "STKN")
        assert (trade.sell, trade.buy) == (state.orders[1].entry.order, state.orders[2].entry.order)
        assert trade.sell_signature == state.orders[1].entry.signature
        assert trade.matched_at == state.chain.block_time
        assert trade.matched_at_ns == second.market_time_ns
        assert trade.settlement_date == "2026-12-01"
        assert accepted(first.answer).status is OrderStatus.NEW
        answer = accepted(second.answer)
        assert (answer.status, answer.leaves_quantity, answer.cumulative_quantity) == (OrderStatus.FILLED, 0, 4)
        assert (state.orders[1].status, state.orders[1].leaves_quantity) == (OrderStatus.PARTIALLY_FILLED, 6)

    def test_a_match_moves_reserved_to_in_flight(self, market: Market) -> None:
        sell(market, 10)
        assert market.venue.units(TOKEN, SELLER) == UnitsView(1_000, 10, 0, 990)
        buy(market, 4)
        assert market.venue.units(TOKEN, SELLER) == UnitsView(1_000, 6, 4, 990)
        assert market.venue.cash(BUYER) == (50_000_000, 0, 20_000)
        assert market.venue.cash(BUYER).available == 49_980_000
        assert market.venue.units(address("none"), BUYER) == UnitsView(0, 0, 0, 0)

    def test_a_better_price_frees_the_difference(self) -> None:
        market = open_market(Rulebook(matching=MatchingMode.PRICE_TIME))
        sell(market, 10, 4_900)
        (trade,) = trades(buy(market, 10, 5_000))
        assert trade.price == 4_900
        assert market.venue.cash(BUYER) == (50_000_000, 0, 49_000)
        use = market.venue.state.limits.use(b"buyer", 2026, 1)
        assert use is not None
        assert (use.used, use.reserved) == (49_000, 0)

    def test_trade_ids_are_dense_from_one(self, market: Market) -> None:
        sell(market, 5)
        sell(market, 5)
        assert [trade.trade_id for trade in trades(buy(market, 10))] == [1, 2]

    @requirement("ORD-09")
    def test_the_newer_order_of_the_same_person_trades_no_further(self, market: Market) -> None:
        market.apply([*account_facts("twin", BUYING)])
        market.account("twin", BUYING, pseudonym="seller")
        market.allocate("twin", 1_000_000, BUYING)
        market.apply(account_facts("other", BROKERS[0], units=3))
        market.account("other", BROKERS[0])
        market.do(market.order("other", Side.SELL, 3))
        first = accepted(sell(market, 10).answer)
        outcome = market.do(market.order("twin", Side.BUY, 10, broker=BUYING))
        assert [trade.quantity for trade in trades(outcome)] == [3]
        answer = accepted(outcome.answer)
        assert (answer.status, answer.cumulative_quantity, answer.leaves_quantity) == (OrderStatus.CANCELED, 3, 0)
        (event,) = canceled(outcome)
        assert (event.code, event.values, event.leaves_quantity) == (
            Refusal.SELF_TRADE_PREVENTED,
            (("order_id", first.order_id),),
            7,
        )
        assert market.venue.state.orders[first.order_id].is_open
        assert market.venue.cash(address("twin")) == (1_000_000, 0, 15_000)

    def test_an_account_does_not_meet_itself_whatever_person_its_broker_names(self, market: Market) -> None:
        accepted(market.send("seller", Side.SELL, 10))
        market.account("seller", pseudonym="somebody else")
        market.allocate("seller", 1_000_000)
        answer = accepted(market.send("seller", Side.BUY, 10))
        assert answer.status is OrderStatus.CANCELED
        assert market.venue.state.trades == {}


class TestRecheckAtMatch:
    @pytest.mark.parametrize(
        ("fact", "code"),
        [
            (facts.AddressFrozen(TOKEN, SELLER, frozen=True), Refusal.ACCOUNT_LEGAL_HOLD),
            (facts.Transferred(TOKEN, SELLER, address("seller2"), 995), Refusal.INSUFFICIENT_SECURITIES),
            (facts.UnitsFrozen(TOKEN, SELLER, 995), Refusal.SECURITIES_FROZEN),
            (facts.MemberStatusChanged(BROKERS[0], 2), Refusal.BROKER_SUSPENDED),
            (facts.AccountBound(SELLER, BUYING, address("idseller"), 410, 1, 1), Refusal.NOT_ACCOUNT_MANAGER),
            (facts.KeyAdded(order_key(BROKERS[0]), BROKERS[0], 2, 0, BLOCK_TIME), Refusal.SIGNATURE_INVALID),
            (facts.KeyAdded(order_key(BROKERS[0]), BROKERS[0], 8, 0, 2**40), Refusal.SIGNATURE_INVALID),
        ],
    )
    def test_a_resting_order_that_the_chain_would_refuse_is_cancelled(
        self, market: Market, fact: facts.Fact, code: Refusal
    ) -> None:
        market.decide_as(0)
        sell(market, 10)
        market.apply([fact])
        outcome = buy(market, 10)
        assert [event.code for event in canceled(outcome)] == [code]
        assert not trades(outcome)
        assert accepted(outcome.answer).status is OrderStatus.NEW
        assert market.venue.units(TOKEN, SELLER).reserved == 0

    def test_a_resting_buyer_is_checked_too(self, market: Market) -> None:
        buy(market, 10)
        market.apply([facts.ClaimRevoked(address("idbuyer"), address("kyc"), for_cause=False)])
        outcome = sell(market, 10)
        assert [event.code for event in canceled(outcome)] == [Refusal.INVESTOR_NOT_VERIFIED]
        assert market.venue.cash(BUYER) == (50_000_000, 0, 0)

    def test_a_buyer_whose_brokers_cash_is_gone_does_not_trade(self, market: Market) -> None:
        market.decide_as(0)
        buy(market, 10)
        market.apply([facts.CashMoved(CASH_TOKEN, cash_account(BUYING), bytes(20), 10**12 - 49_999)])
        (event,) = canceled(sell(market, 10))
        assert event.code is Refusal.INSUFFICIENT_CASH
        assert dict(event.values)["needed"] == 50_000

    def test_what_still_holds_trades_after_any_number_of_blocks(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 20, 5_010)
        market.apply()
        assert len(trades(buy(market, 5))) == 1
        market.apply()
        assert len(trades(buy(market, 5))) == 1
        market.apply()
        assert len(trades(sell(market, 20, 5_010))) == 1

    def test_an_order_that_stops_at_the_second_match_keeps_the_first(self, market: Market) -> None:
        # The incoming order was checked as a whole in this very entry, so only its own person can stop it.
        market.apply(account_facts("twin", BROKERS[0], units=5))
        market.account("twin", BROKERS[0], pseudonym="buyer")
        sell(market, 5)
        market.do(market.order("twin", Side.SELL, 5))
        outcome = buy(market, 10)
        assert [trade.quantity for trade in trades(outcome)] == [5]
        assert [event.leaves_quantity for event in canceled(outcome)] == [5]


class TestSettlement:
    def test_a_block_changes_the_balance_and_clears_in_flight_in_one_entry(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10)
        outcome = market.apply(market.settled(1))
        assert outcome.events == (TradeSettled(1, 2),)
        assert market.venue.units(TOKEN, SELLER) == UnitsView(990, 0, 0, 990)
        assert market.venue.units(TOKEN, BUYER) == UnitsView(10, 0, 0, 10)
        assert market.venue.cash(BUYER) == (49_950_000, 0, 0)
        assert market.venue.cash(SELLER) == (50_000, 0, 0)
        record = market.venue.trade(1)
        assert record is not None
        assert (record.status, record.block_number) == (TradeStatus.SETTLED, 2)

    def test_a_failed_trade_frees_neither_side_until_it_settles(self, market: Market) -> None:
        sell(market, 1_000)
        buy(market, 1_000)
        outcome = market.apply([facts.TradeFailed(VENUE, 1, b"\x01\x02")])
        assert outcome.events == (TradeFailed(1, 2, b"\x01\x02"),)
        assert refused(sell(market, 1).answer).code is Refusal.INSUFFICIENT_SECURITIES
        assert market.venue.cash(BUYER).in_flight == 5_000_000
        assert market.apply(failed=(1,)).events == (TradeFailed(1, 3, b""),)
        market.apply(market.settled(1))
        assert market.venue.state.trades[1].status is TradeStatus.SETTLED
        assert market.venue.units(TOKEN, SELLER).in_flight == 0

    def test_another_venues_trades_are_not_ours(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10)
        other = [msgspec.structs.replace(fact, venue=b"ZZZZ0000000000000210") for fact in market.settled(1)[2:]]
        failed = facts.TradeFailed(b"ZZZZ0000000000000210", 1, b"")
        assert market.apply([*other, failed]).events == ()
        assert market.venue.state.trades[1].status is TradeStatus.MATCHED

    def test_an_id_that_was_never_given_changes_nothing(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10)
        unknown = [msgspec.structs.replace(fact, trade_id=9) for fact in market.settled(1)[2:]]
        never = facts.TradeFailed(VENUE, 9, b"")
        assert market.apply([*unknown, never], failed=(9,)).events == ()

    def test_a_settled_trade_cannot_fail(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10)
        market.apply(market.settled(1))
        assert market.apply(failed=(1,)).events == ()
        with pytest.raises(ValueError, match="is not possible"):
            market.apply([facts.TradeFailed(VENUE, 1, b"")])


class TestVenue:
    def test_a_journal_begins_with_the_venue(self) -> None:
        with pytest.raises(ValueError, match="begins with VenueOpened"):
            Venue().apply(entries.ClockTicked(1))

    def test_a_journal_belongs_to_one_chain(self, market: Market) -> None:
        opened = market.venue.state.opened
        assert opened is not None
        with pytest.raises(ValueError, match="another venue or chain"):
            market.do(msgspec.structs.replace(opened, chain_id=1))

    def test_blocks_only_go_forward(self, market: Market) -> None:
        market.block = 0
        with pytest.raises(ValueError, match="follows block"):
            market.apply()

    def test_orders_are_found_by_id_nonce_and_client_id(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 10)
        outcome = market.do(entry)
        record = market.venue.order(1)
        assert record is not None
        assert record is market.venue.order_by_nonce(BROKERS[0], entry.order.nonce)
        handled = market.venue.handled(BROKERS[0], entry.client_order_id)
        assert handled is not None
        assert (handled.answer, handled.sequence) == (outcome.answer, record.sequence)
        assert market.venue.order(2) is None
        assert market.venue.trade(1) is None
        assert market.venue.book("ZZSHIPFIN016") is None
        book = market.venue.book(BPL1)
        assert book is not None
        assert book.asks == [(5_000, 10, 1)]

    def test_an_own_account_sells_into_own_cash(self, market: Market) -> None:
        market.apply(account_facts("house", BROKERS[0], units=10, owner_type=OwnerType.OWN))
        market.account("house", owner_type=OwnerType.OWN)
        own = cash_account(BROKERS[0], OwnerType.OWN)
        assert isinstance(market.send("house", Side.SELL, 10, cash_account=own), Accepted)
        buy(market, 10)
        market.apply(market.settled(1))
        assert market.venue.cash(address("house")) == (0, 0, 0)

    def test_refusals_leave_no_event(self, market: Market) -> None:
        outcome = sell(market, 0)
        assert isinstance(outcome.answer, Refused)
        assert outcome.events == ()
