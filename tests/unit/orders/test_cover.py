# SPDX-License-Identifier: Apache-2.0
"""What the chain, the annual limit, the units and the cash say of an order, and how cash comes in."""

import pytest

from stoken.domain import facts
from stoken.domain.codes import InvestorClass, OwnerType, Side
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.orders import entries
from tests.requirements import requirement
from tests.unit.orders.factories import (
    BLOCK_TIME,
    BPL1,
    BROKERS,
    BUYING,
    ISSUER,
    KP,
    OPEN_AT,
    TOKENS,
    US,
    Market,
    accepted,
    account_facts,
    address,
    buy,
    cash_account,
    code,
    countries,
    refused,
    rules,
    sell,
    values,
)

TOKEN = TOKENS[BPL1]


class TestChain:
    def test_a_paused_token_does_not_trade(self, market: Market) -> None:
        market.apply([facts.Paused(TOKEN, paused=True)])
        assert code(sell(market)) is Refusal.TOKEN_PAUSED
        assert code(buy(market)) is Refusal.TOKEN_PAUSED

    def test_a_frozen_account_neither_sells_nor_buys(self, market: Market) -> None:
        market.apply([facts.AddressFrozen(TOKEN, address(name), frozen=True) for name in ("seller", "buyer")])
        assert values(sell(market)) == {"account": "0x" + address("seller").hex()}
        assert code(buy(market)) is Refusal.ACCOUNT_LEGAL_HOLD

    def test_an_unregistered_account_neither_sells_nor_buys(self, market: Market) -> None:
        market.account("walk-in")
        assert code(market.send("walk-in", Side.BUY, 1)) is Refusal.INVESTOR_NOT_VERIFIED
        assert code(market.send("walk-in", Side.SELL, 1)) is Refusal.SENDER_NOT_VERIFIED

    def test_an_expired_claim_stops_a_purchase_but_not_a_sale(self, market: Market) -> None:
        until = BLOCK_TIME + 1
        market.apply(account_facts("seller", BROKERS[0], until=until))
        answer = market.send("seller", Side.BUY, 1)
        assert code(answer) is Refusal.INVESTOR_CLAIM_EXPIRED
        assert values(answer) == {"account": "0x" + address("seller").hex(), "until": until}
        accepted(sell(market))

    def test_a_revocation_for_cause_stops_a_sale(self, market: Market) -> None:
        market.apply([facts.ClaimRevoked(address("idseller"), ISSUER, for_cause=True)])
        assert code(sell(market)) is Refusal.SENDER_NOT_VERIFIED

    def test_country_and_class_of_the_buyer_count(self, market: Market) -> None:
        market.apply([rules(BPL1, 1, 2, classes=1 << InvestorClass.PROFESSIONAL)])
        assert values(buy(market)) == {"account": "0x" + address("buyer").hex(), "class": 1}
        market.apply([rules(BPL1, 2, 3, countries=countries(KP, US))])
        market.apply(account_facts("buyer", BUYING, country=US))
        assert values(buy(market)) == {"account": "0x" + address("buyer").hex(), "country": US}
        accepted(sell(market))

    def test_the_holding_limit_counts_what_is_open_and_in_flight(self, market: Market) -> None:
        market.apply([rules(BPL1, 1, 2, cap_units=100)])
        accepted(buy(market, 60))
        answer = buy(market, 41)
        assert code(answer) is Refusal.HOLDING_LIMIT
        assert values(answer) == {"identity": "0x" + address("idbuyer").hex(), "position": 101, "limit": 100}
        sell(market, 60)
        assert code(buy(market, 41)) is Refusal.HOLDING_LIMIT
        accepted(buy(market, 40))

    def test_the_holder_limit_counts_those_who_are_about_to_hold(self, market: Market) -> None:
        market.apply([rules(BPL1, 1, 2, holder_limit=2), *account_facts("third", BUYING)])
        market.account("third", BUYING)
        market.allocate("third", 1_000_000, BUYING)
        accepted(buy(market))
        answer = market.send("third", Side.BUY, 1, broker=BUYING)
        assert code(answer) is Refusal.HOLDER_COUNT_LIMIT
        assert values(answer) == {"holders": 3, "limit": 2}

    @requirement("TRF-04")
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (1, Refusal.LOCKUP_ACTIVE),
            (2, Refusal.SECURITIES_PLEDGED),
            (3, Refusal.SECURITIES_RESTRICTED),
            (4, Refusal.SECURITIES_RESTRICTED),
            (5, Refusal.SECURITIES_RESTRICTED),
        ],
    )
    def test_an_encumbrance_is_named_by_its_kind(self, market: Market, kind: int, expected: Refusal) -> None:
        market.apply([facts.EncumbranceSet(b"e" * 32, TOKEN, address("seller"), kind, 995, BLOCK_TIME + 99)])
        answer = sell(market, 10)
        assert code(answer) is expected
        assert values(answer) == {"account": "0x" + address("seller").hex(), "available": 5, "needed": 10}
        market.apply([facts.EncumbranceReleased(b"e" * 32)])
        accepted(sell(market, 10))

    @requirement("TRF-04")
    def test_frozen_units_are_named_last(self, market: Market) -> None:
        market.apply([facts.UnitsFrozen(TOKEN, address("seller"), 995)])
        assert code(sell(market, 10)) is Refusal.SECURITIES_FROZEN


class TestAnnualLimit:
    @requirement("TRF-09")
    def test_net_purchases_of_a_person_count_across_brokers_with_open_orders(self, market: Market) -> None:
        market.apply(
            [facts.Transferred(TOKEN, bytes(20), address("seller"), 100_000), *account_facts("twin", BROKERS[0])]
        )
        market.account("twin", BROKERS[0], pseudonym="buyer")
        market.allocate("twin", 200_000_000)
        market.allocate("buyer", 100_000_000, BUYING)
        accepted(sell(market, 10_000))
        accepted(buy(market, 10_000))  # bought: 50,000,000
        accepted(buy(market, 6_000))  # open: 30,000,000
        answer = market.send("twin", Side.BUY, 4_001)
        assert code(answer) is Refusal.ANNUAL_NET_PURCHASE_LIMIT
        assert values(answer) == {
            "limit": 100_000_000,
            "used": 50_000_000,
            "reserved": 30_000_000,
            "remaining": 20_000_000,
            "needed": 20_005_000,
        }
        accepted(market.send("twin", Side.BUY, 4_000))

    @requirement("TRF-09")
    def test_the_table_is_by_class_and_sales_never_raise_the_limit(self, market: Market) -> None:
        market.apply([facts.Transferred(TOKEN, bytes(20), address("seller"), 100_000)])
        market.allocate("buyer", 200_000_000, BUYING)
        market.account("buyer", BUYING, investor_class=InvestorClass.PROFESSIONAL)
        accepted(sell(market, 30_000))
        accepted(buy(market, 30_000))
        market.allocate("seller", 200_000_000)
        assert code(market.send("seller", Side.BUY, 20_001, 5_010)) is Refusal.ANNUAL_NET_PURCHASE_LIMIT

    def test_a_canceled_order_gives_its_part_back(self, market: Market) -> None:
        market.allocate("buyer", 100_000_000, BUYING)
        entry = market.order("buyer", Side.BUY, 20_000, 5_000, BUYING)
        accepted(market.do(entry).answer)
        assert code(buy(market, 1)) is Refusal.ANNUAL_NET_PURCHASE_LIMIT
        market.cancel(entry)
        accepted(buy(market, 20_000))

    def test_a_new_year_begins_at_zero(self, market: Market) -> None:
        market.allocate("buyer", 150_000_000, BUYING)
        accepted(buy(market, 20_000))
        at = OPEN_AT + 34 * 24 * 3600  # 4 January 2027, a Monday
        market.now_ns = at * 10**9
        market.apply(time=at)
        accepted(buy(market, 20_000, tradable_until=at + 60, settle_by=at + 3660))


class TestCover:
    @requirement("TRF-04")
    def test_units_in_open_orders_cover_no_second_sale(self, market: Market) -> None:
        accepted(sell(market, 700))
        answer = sell(market, 301)
        assert code(answer) is Refusal.INSUFFICIENT_SECURITIES
        assert values(answer) == {"account": "0x" + address("seller").hex(), "available": 300, "needed": 301}
        accepted(sell(market, 300))

    def test_a_sale_without_units_is_refused(self, market: Market) -> None:
        assert code(sell(market, 1_001)) is Refusal.INSUFFICIENT_SECURITIES

    @requirement("TRF-04")
    def test_bought_units_cover_nothing_before_they_settle(self, market: Market) -> None:
        sell(market, 10)
        buy(market, 10)
        assert code(market.send("buyer", Side.SELL, 1, broker=BUYING)) is Refusal.INSUFFICIENT_SECURITIES
        market.apply(market.settled(1))
        accepted(market.send("buyer", Side.SELL, 1, broker=BUYING, price=5_010))

    def test_the_investors_own_cash_must_cover(self, market: Market) -> None:
        accepted(buy(market, 9_000))
        answer = buy(market, 1_001)
        assert code(answer) is Refusal.INSUFFICIENT_CASH
        assert values(answer) == {"account": "0x" + address("buyer").hex(), "available": 5_000_000, "needed": 5_005_000}

    def test_the_brokers_cash_on_chain_must_cover_too(self, market: Market) -> None:
        market.apply([facts.CashMoved(address("krw"), cash_account(BUYING), bytes(20), 10**12 - 1_000)])
        answer = buy(market, 1)
        assert code(answer) is Refusal.INSUFFICIENT_CASH
        assert values(answer)["account"] == "0x" + cash_account(BUYING).hex()

    def test_a_broker_buys_for_itself_with_its_own_cash(self, market: Market) -> None:
        market.apply(account_facts("house", BUYING, owner_type=OwnerType.OWN))
        market.account("house", BUYING, owner_type=OwnerType.OWN)
        own = cash_account(BUYING, OwnerType.OWN)
        accepted(market.send("house", Side.BUY, 10, 5_000, BUYING, cash_account=own))
        assert market.venue.cash(address("house")) == (0, 0, 0)
        assert market.venue.state.reservations.pool(own).reserved == 50_000
        sell(market, 10)
        market.apply(market.settled(1))
        assert market.venue.state.reservations.pool(own).committed == 0


class TestSurveillance:
    def test_a_blocked_account_is_refused_last(self, market: Market) -> None:
        market.account("seller", blocked=True)
        assert code(sell(market)) is Refusal.SURVEILLANCE_BLOCK
        assert code(sell(market, 1_001)) is Refusal.INSUFFICIENT_SECURITIES


class TestStamp:
    def test_each_verdict_names_block_rule_set_and_rulebook(self, market: Market) -> None:
        market.apply([rules(BPL1, 3, 2, lot=2)])
        stamp = refused(sell(market, 3)).stamp
        assert (stamp.block_number, stamp.block_hash, stamp.rule_set) == (2, (2).to_bytes(32), 3)
        assert stamp.rulebook == Rulebook().digest()
        assert accepted(sell(market, 2)).stamp == stamp

    def test_a_changed_rulebook_shows_in_its_hash(self, market: Market) -> None:
        before = refused(sell(market, 0)).stamp.rulebook
        opened = market.venue.state.opened
        assert opened is not None
        changed = Rulebook(band_percent=15)
        market.do(
            entries.VenueOpened(0, opened.venue, opened.chain_id, opened.settlement, opened.cash, "STKN", changed)
        )
        assert refused(sell(market, 0)).stamp.rulebook == changed.digest() != before


class TestCashAllocated:
    def test_what_the_broker_signed_is_credited_once(self, market: Market) -> None:
        for _ in range(2):
            market.allocate("buyer", 1_000, BUYING, nonce=50)
        assert market.venue.cash(address("buyer")).allocated == 50_001_000

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"signer": b""}, Refusal.SIGNATURE_INVALID),
            ({"deadline": BLOCK_TIME}, Refusal.TOO_LATE),
            ({"account": address("nobody")}, Refusal.ACCOUNT_UNKNOWN),
            ({"account": address("seller")}, Refusal.NOT_ACCOUNT_MANAGER),
            ({"cash_account": cash_account(BROKERS[0])}, Refusal.SEGREGATION_VIOLATION),
            ({"cash_account": cash_account(BUYING, OwnerType.OWN)}, Refusal.SEGREGATION_VIOLATION),
            ({"cash_account": address("none")}, Refusal.SEGREGATION_VIOLATION),
            ({"amount": 10**12}, Refusal.INSUFFICIENT_CASH),
            ({"nonce": 1, "amount": 7}, Refusal.NONCE_REPLAYED),
        ],
    )
    def test_what_does_not_hold_is_refused(self, market: Market, change: dict[str, object], expected: Refusal) -> None:
        assert code(market.allocate("buyer", broker=BUYING, **({"amount": 5} | change)).answer) is expected
        assert market.venue.cash(address("buyer")).allocated == 50_000_000

    def test_cash_is_given_to_an_account_of_the_chain_alone(self, market: Market) -> None:
        market.account("early", BUYING)
        assert code(market.allocate("early", 1, BUYING).answer) is Refusal.ACCOUNT_UNKNOWN
        market.apply(account_facts("early", BROKERS[0]))
        assert code(market.allocate("early", 1, BUYING).answer) is Refusal.NOT_ACCOUNT_MANAGER
