# SPDX-License-Identifier: Apache-2.0
"""Classes by when they hold: an order is judged by the class at its receipt, and a replay judges the same."""

import pytest

from stoken.domain import facts
from stoken.domain.codes import InvestorClass, Side
from stoken.domain.refusals import Refusal
from stoken.orders import entries, outcomes
from stoken.orders.classes import class_at
from stoken.orders.outcomes import Accepted, Answer
from stoken.orders.replay import JournalRow, replay
from tests.requirements import requirement
from tests.unit.orders.factories import (
    BPL1,
    BROKERS,
    BUYING,
    KR,
    OPEN_AT,
    SECOND,
    Market,
    accepted,
    address,
    buy,
    code,
    rules,
    values,
)

GENERAL, PROFESSIONAL = InvestorClass.GENERAL, InvestorClass.PROFESSIONAL
BUYER, EVIDENCE = address("buyer"), b"E" * 32
PROFESSIONALS_ONLY = rules(BPL1, 1, 2, classes=1 << PROFESSIONAL)


def changed(
    market: Market, investor_class: int, valid_from: int = 0, broker: bytes = BUYING, account: bytes = BUYER
) -> Answer:
    return market.do(entries.ClassChanged(0, account, broker, investor_class, valid_from, EVIDENCE)).answer


def to_second(market: Market, second: int) -> None:
    """Let the next entry enter in this second after the opening."""
    market.now_ns = (OPEN_AT + second) * SECOND


@pytest.fixture
def market(market: Market) -> Market:
    """On chain the buyer is professional and so must holders be; the venue holds what its broker says."""
    on_chain = facts.AccountBound(BUYER, BUYING, address("idbuyer"), KR, PROFESSIONAL, 1)
    market.apply([PROFESSIONALS_ONLY, on_chain])
    return market


class TestClassAtReceipt:
    @requirement("KYC-06")
    def test_an_order_is_judged_by_the_class_that_holds_at_its_receipt(self, market: Market) -> None:
        accepted(buy(market))
        changed(market, GENERAL, OPEN_AT + 100)
        changed(market, PROFESSIONAL, OPEN_AT + 200)
        to_second(market, 99)
        first = accepted(buy(market))
        to_second(market, 100)
        refused = buy(market)
        assert code(refused) is Refusal.INVESTOR_CLASS_NOT_ELIGIBLE
        assert values(refused) == {"account": "0x" + BUYER.hex(), "class": GENERAL, "valid_from": OPEN_AT + 100}
        to_second(market, 200)
        second = accepted(buy(market))
        judged = [market.venue.state.orders[order].investor_class for order in (first.order_id, second.order_id)]
        assert [each and (each.investor_class, each.evidence) for each in judged] == [
            (GENERAL, b""),
            (PROFESSIONAL, EVIDENCE),
        ]
        held = [class_at(market.venue.state, BUYER, OPEN_AT + second) for second in (99, 100, 199, 200)]
        assert [each and each.investor_class for each in held] == [GENERAL, GENERAL, GENERAL, PROFESSIONAL]

    @requirement("KYC-06")
    def test_a_replay_judges_each_order_by_the_same_class(self, market: Market) -> None:
        changed(market, GENERAL, OPEN_AT + 100)
        for second in (99, 101, 102):
            to_second(market, second)
            buy(market)
        rows = [
            JournalRow(place, entries.encode(entry), outcomes.encode(outcome))
            for place, (entry, outcome) in enumerate(market.rows, 1)
        ]
        again = replay(rows)
        assert again.mismatch is None
        assert again.venue.state.classes == market.venue.state.classes
        codes = [outcome.answer for entry, outcome in market.rows if isinstance(entry, entries.NewOrder)]
        assert [isinstance(answer, Accepted) for answer in codes[-3:]] == [True, False, False]

    def test_an_order_that_was_taken_stays_when_its_buyers_class_changes(self, market: Market) -> None:
        order = accepted(buy(market)).order_id
        changed(market, GENERAL)
        assert market.venue.state.orders[order].is_open
        assert code(buy(market)) is Refusal.INVESTOR_CLASS_NOT_ELIGIBLE

    def test_the_annual_limit_is_that_of_the_class_at_receipt(self, market: Market) -> None:
        market.apply([rules(BPL1, 2, 3)])
        changed(market, PROFESSIONAL)
        use = market.venue.state.limits.use(market.venue.state.accounts[BUYER].pseudonym, 2026, PROFESSIONAL)
        assert use is None, "professionals have no limit"
        too_much = buy(market, 21_000, 5_000)
        assert code(too_much) is not Refusal.ANNUAL_NET_PURCHASE_LIMIT
        changed(market, GENERAL)
        assert code(buy(market, 21_000, 5_000)) is Refusal.ANNUAL_NET_PURCHASE_LIMIT

    def test_the_class_on_chain_is_asked_all_the_same(self, market: Market) -> None:
        changed(market, PROFESSIONAL)
        market.apply([facts.AccountBound(BUYER, BUYING, address("idbuyer"), KR, GENERAL, 1)])
        refused = buy(market)
        assert values(refused) == {"account": "0x" + BUYER.hex(), "class": GENERAL}

    def test_a_sale_does_not_ask_for_a_class(self, market: Market) -> None:
        changed(market, GENERAL, account=address("seller"), broker=BROKERS[0])
        accepted(market.send("seller", Side.SELL, 1))


class TestChangeClass:
    def test_a_change_never_reaches_back(self, market: Market) -> None:
        to_second(market, 50)
        refused = changed(market, GENERAL, OPEN_AT + 49)
        assert code(refused) is Refusal.TOO_LATE
        assert values(refused) == {"deadline": OPEN_AT + 49, "at": OPEN_AT + 50}

    def test_of_two_changes_for_one_instant_the_later_statement_counts(self, market: Market) -> None:
        changed(market, GENERAL, OPEN_AT + 100)
        changed(market, PROFESSIONAL, OPEN_AT + 100)
        to_second(market, 100)
        accepted(buy(market))

    def test_only_the_manager_changes_it(self, market: Market) -> None:
        assert code(changed(market, GENERAL, broker=BROKERS[0])) is Refusal.NOT_ACCOUNT_MANAGER
        assert code(changed(market, GENERAL, account=address("nobody"))) is Refusal.ACCOUNT_UNKNOWN

    def test_the_opening_said_again_changes_nothing(self, market: Market) -> None:
        changed(market, PROFESSIONAL)
        before = market.venue.state.classes[BUYER]
        market.do(market.venue.state.accounts[BUYER])
        assert market.venue.state.classes[BUYER] == before
        market.account("buyer", BUYING, investor_class=InvestorClass.QUASI_PROFESSIONAL)
        assert market.venue.state.classes[BUYER][-1].investor_class == InvestorClass.QUASI_PROFESSIONAL

    def test_before_it_was_opened_an_account_had_no_class(self, market: Market) -> None:
        assert class_at(market.venue.state, BUYER, 0) is None
        assert class_at(market.venue.state, address("nobody"), OPEN_AT) is None
