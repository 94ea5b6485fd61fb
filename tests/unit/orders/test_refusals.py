# SPDX-License-Identifier: Apache-2.0
"""Each refusal of an order by its own test, with the values that decided."""

import pytest

from stoken.domain import facts
from stoken.domain.codes import OrderType, OwnerType, Role, Scope, Side
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.orders import entries
from stoken.orders.outcomes import Accepted
from tests.requirements import requirement
from tests.unit.orders.factories import (
    BLOCK_TIME,
    BPL1,
    BROKERS,
    OPEN_AT,
    TOKENS,
    Market,
    accepted,
    account_facts,
    address,
    buy,
    cash_account,
    code,
    open_market,
    order_key,
    rules,
    sell,
    values,
)

TOKEN = TOKENS[BPL1]


class TestLedger:
    def test_without_a_block_nothing_is_taken(self) -> None:
        market = Market()
        market.admit()
        assert code(market.send("seller", Side.SELL, 1)) is Refusal.LEDGER_UNAVAILABLE

    @requirement("ORD-14")
    def test_a_mirror_that_is_not_current_stops_orders_until_it_is(self, market: Market) -> None:
        at = market.venue.state.chain.block_number
        # The staleness log: the journal says when the mirror fell behind, and how far the chain was.
        market.do(entries.LedgerHealthChanged(0, current=False, head=at + 6))
        order = market.order("seller", Side.SELL, 1)
        refused = market.do(order).answer
        assert code(refused) is Refusal.LEDGER_UNAVAILABLE
        assert values(refused) == {"mirror_height": at, "head": at + 6}
        market.do(entries.LedgerHealthChanged(0, current=True))
        # The refusal came before the id counted, so the same request may be made again.
        assert isinstance(market.do(order).answer, Accepted)

    def test_a_token_whose_mirror_differs_from_the_chain_stops_its_orders_alone(self, market: Market) -> None:
        market.do(entries.LedgerHealthChanged(0, current=True, halted=(TOKEN,)))
        assert code(sell(market)) is Refusal.LEDGER_UNAVAILABLE
        assert values(sell(market)) == {"token": f"0x{TOKEN.hex()}"}
        market.do(entries.LedgerHealthChanged(0, current=True, halted=(b"\x99" * 20,)))
        accepted(sell(market))

    @pytest.mark.parametrize("broken", [(TOKEN,), (b"",), (b"", TOKEN)])
    def test_a_broken_invariant_of_the_token_or_of_the_cash_stops_orders_by_its_name(
        self, market: Market, broken: tuple[bytes, ...]
    ) -> None:
        market.do(entries.LedgerHealthChanged(0, current=True, halted=(TOKEN,), broken=broken))
        assert code(sell(market)) is Refusal.RECONCILIATION_BREAK
        assert values(sell(market)) == {"token": f"0x{TOKEN.hex()}"}
        market.do(entries.LedgerHealthChanged(0, current=True, broken=(b"\x99" * 20,)))
        accepted(sell(market))

    def test_an_institution_whose_book_does_not_add_up_is_halted_and_no_other(self, market: Market) -> None:
        market.do(entries.LedgerHealthChanged(0, current=True, institutions=(BROKERS[0],)))
        refused = market.send("seller", Side.SELL, 1, broker=BROKERS[0])
        assert code(refused) is Refusal.RECONCILIATION_BREAK
        assert values(refused) == {"member": BROKERS[0].decode()}
        accepted(market.send("buyer", Side.BUY, 1, broker=BROKERS[1]))


class TestBroker:
    def test_an_institution_that_is_no_member_is_refused(self, market: Market) -> None:
        stranger = b"ZZZZ0000000000001859"
        answer = market.send("seller", Side.SELL, 1, broker=BROKERS[0], client_order_id="x")
        accepted(answer)
        order = market.order("seller", Side.SELL, 1)
        answer = market.do(entries.NewOrder(0, "y", stranger, BPL1, order.order, order.signature, order.signer)).answer
        assert code(answer) is Refusal.BROKER_NOT_MEMBER
        assert values(answer) == {"member": "ZZZZ0000000000001859"}

    def test_a_member_without_the_role_is_refused(self, market: Market) -> None:
        market.apply([facts.MemberAdmitted(BROKERS[0], Role.ISSUER)])
        assert code(sell(market)) is Refusal.BROKER_NOT_MEMBER

    def test_a_suspended_member_is_refused(self, market: Market) -> None:
        market.apply([facts.MemberStatusChanged(BROKERS[0], 2)])
        assert code(sell(market)) is Refusal.BROKER_SUSPENDED

    def test_a_revoked_member_is_no_member(self, market: Market) -> None:
        market.apply([facts.MemberStatusChanged(BROKERS[0], 3)])
        assert code(sell(market)) is Refusal.BROKER_NOT_MEMBER


class TestClientOrderId:
    @pytest.mark.parametrize(
        "change", [{"quantity": 11}, {"signature": b"t" * 65}, {"isin": "ZZSHIPFIN016"}, {"margin": True}]
    )
    def test_the_same_id_with_another_body_is_a_duplicate(self, market: Market, change: dict[str, object]) -> None:
        accepted(sell(market, client_order_id="mine", nonce=700))
        assert code(sell(market, client_order_id="mine", **({"nonce": 700} | change))) is Refusal.DUPLICATE_ORDER

    def test_another_broker_may_use_the_same_id(self, market: Market) -> None:
        accepted(sell(market, client_order_id="same"))
        accepted(buy(market, client_order_id="same", price=5_010))

    def test_the_id_is_free_again_on_the_next_trading_day(self, market: Market) -> None:
        accepted(sell(market, client_order_id="daily"))
        market.now_ns += 24 * 3600 * 10**9
        market.apply(time=BLOCK_TIME + 24 * 3600)
        later = BLOCK_TIME + 26 * 3600
        accepted(sell(market, client_order_id="daily", tradable_until=later, settle_by=later + 3600))


class TestSignature:
    @pytest.mark.parametrize(
        "change",
        [
            {"signer": address("stranger")},
            {"signer": b""},
            {"signer": order_key(BROKERS[1])},
            {"venue": b"ZZZZ0000000000000210"},
            {"cash": address("other")},
        ],
    )
    def test_what_the_broker_did_not_sign_for_this_venue_is_refused(
        self, market: Market, change: dict[str, object]
    ) -> None:
        assert code(sell(market, **change)) is Refusal.SIGNATURE_INVALID

    @pytest.mark.parametrize(
        "fact",
        [
            facts.KeyRetired(order_key(BROKERS[0])),
            facts.KeyRevoked(order_key(BROKERS[0])),
            facts.KeyAdded(order_key(BROKERS[0]), BROKERS[0], Scope.INSTRUCTION, 0, 2**40 - 1),
            facts.KeyAdded(order_key(BROKERS[0]), BROKERS[0], Scope.ORDER, BLOCK_TIME + 60, 2**40 - 1),
            facts.KeyAdded(order_key(BROKERS[0]), BROKERS[0], Scope.ORDER, 0, BLOCK_TIME - 1),
        ],
    )
    def test_a_key_must_be_active_valid_and_in_scope(self, market: Market, fact: facts.Fact) -> None:
        market.apply([fact])
        answer = sell(market)
        assert code(answer) is Refusal.SIGNATURE_INVALID
        assert values(answer) == {"signer": "0x" + order_key(BROKERS[0]).hex()}


class TestNonce:
    def test_an_accepted_nonce_is_used_once(self, market: Market) -> None:
        accepted(sell(market, nonce=7))
        answer = sell(market, nonce=7)
        assert code(answer) is Refusal.NONCE_REPLAYED
        assert values(answer) == {"member": BROKERS[0].decode(), "nonce": 7}

    def test_a_refused_order_does_not_use_its_nonce(self, market: Market) -> None:
        assert code(sell(market, nonce=7, price=5_001)) is Refusal.TICK_INVALID
        accepted(sell(market, nonce=7))

    def test_gaps_are_allowed_and_zero_is_not(self, market: Market) -> None:
        accepted(sell(market, nonce=1_000_000))
        assert code(sell(market, nonce=0)) is Refusal.NONCE_REPLAYED

    def test_a_nonce_that_is_void_on_chain_is_refused(self, market: Market) -> None:
        market.apply([facts.OrderCanceled(BROKERS[0], 9)])
        assert code(sell(market, nonce=9)) is Refusal.NONCE_REPLAYED


class TestSession:
    @requirement("ORD-05")
    @pytest.mark.parametrize(
        ("at", "session"),
        [
            (OPEN_AT - 3601, "PRE_OPEN"),
            (OPEN_AT + 5 * 3600 + 1800, "CLOSED"),
            (OPEN_AT + 4 * 24 * 3600, "CLOSED"),  # Saturday
            (OPEN_AT + 24 * 24 * 3600, "CLOSED"),  # 25 December
        ],
    )
    def test_orders_are_taken_in_the_open_session_only(self, market: Market, at: int, session: str) -> None:
        market.now_ns = at * 10**9
        answer = sell(market)
        assert code(answer) is Refusal.MARKET_CLOSED
        assert values(answer) == {"session": session}
        assert market.venue.state.rulebook.calendar_version == "2026-1"
        assert not market.venue.state.trades

    @requirement("ORD-05")
    def test_an_order_whose_deadline_passed_in_block_time_is_too_late(self, market: Market) -> None:
        answer = sell(market, tradable_until=BLOCK_TIME)
        assert code(answer) is Refusal.TOO_LATE
        assert values(answer) == {"deadline": BLOCK_TIME, "at": BLOCK_TIME + 1}

    def test_an_order_must_leave_an_hour_to_settle(self, market: Market) -> None:
        until = BLOCK_TIME + 60
        assert code(sell(market, tradable_until=until, settle_by=until + 3599)) is Refusal.TOO_LATE
        accepted(sell(market, tradable_until=until, settle_by=until + 3600))

    def test_with_a_cycle_of_two_days_business_days_are_counted(self) -> None:
        market = open_market(Rulebook(settlement_cycle_days=2))
        # Tuesday to Thursday.
        until = BLOCK_TIME + 60
        assert code(sell(market, tradable_until=until, settle_by=until + 48 * 3600)) is Refusal.TOO_LATE
        accepted(sell(market, tradable_until=until, settle_by=until + 49 * 3600))

    def test_a_deadline_beyond_all_calendars_is_refused(self) -> None:
        market = open_market(Rulebook(settlement_cycle_days=2))
        assert code(sell(market, tradable_until=2**40 - 1, settle_by=2**40 - 1)) is Refusal.TOO_LATE


class TestInstrument:
    @pytest.mark.parametrize("change", [{"isin": "ZZSHIPFIN016"}, {"token": address("other")}])
    def test_what_is_not_admitted_is_unknown(self, market: Market, change: dict[str, str]) -> None:
        assert code(sell(market, **change)) is Refusal.INSTRUMENT_UNKNOWN

    def test_a_wrong_check_digit_is_told_apart(self, market: Market) -> None:
        entry = market.order("seller", Side.SELL, 1)
        bad = entries.NewOrder(0, "bad", entry.broker, "ZZBUSANPL018", entry.order, entry.signature, entry.signer)
        assert code(market.do(bad).answer) is Refusal.IDENTIFIER_INVALID

    def test_a_halted_instrument_is_refused_until_resumed(self, market: Market) -> None:
        market.do(entries.InstrumentHalted(0, BPL1, halted=True))
        assert code(sell(market)) is Refusal.INSTRUMENT_SUSPENDED
        market.do(entries.InstrumentHalted(0, BPL1, halted=False))
        accepted(sell(market))


class TestForm:
    @requirement("ORD-03")
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"order_type": OrderType.MARKET}, Refusal.ORDER_TYPE_UNSUPPORTED),
            ({"side": 5}, Refusal.ORDER_TYPE_UNSUPPORTED),
            ({"short_sale": True}, Refusal.SHORT_SALE_PROHIBITED),
            ({"margin": True}, Refusal.MARGIN_PROHIBITED),
        ],
    )
    def test_only_plain_limit_orders_are_taken(
        self, market: Market, change: dict[str, object], expected: Refusal
    ) -> None:
        entry = market.order("seller", Side.SELL, 1, **{name: to for name, to in change.items() if name != "side"})
        if "side" in change:
            signed = type(entry.order)(**({f: getattr(entry.order, f) for f in entry.order.__struct_fields__} | change))
            entry = entries.NewOrder(0, "s", entry.broker, BPL1, signed, entry.signature, entry.signer)
        assert code(market.do(entry).answer) is expected
        assert not market.venue.state.orders


class TestPrice:
    def test_the_band_is_thirty_percent_of_the_reference_price(self, market: Market) -> None:
        assert values(sell(market, price=6_510)) == {"price": 6_510, "lower": 3_500, "upper": 6_500}
        assert code(sell(market, price=3_495)) is Refusal.PRICE_OUT_OF_BAND
        accepted(sell(market, price=6_500))
        accepted(sell(market, price=3_500))

    def test_the_band_comes_before_the_tick(self, market: Market) -> None:
        assert code(sell(market, price=6_503)) is Refusal.PRICE_OUT_OF_BAND
        answer = sell(market, price=5_005)
        assert code(answer) is Refusal.TICK_INVALID
        assert values(answer) == {"price": 5_005, "tick": 10}

    def test_the_first_day_has_a_wider_band_around_net_asset_value(self, market: Market) -> None:
        market.admit("ZZSHIPFIN016", nav=10_000, reference_price=0)
        assert market.venue.state.instruments["ZZSHIPFIN016"].band == (3_000, 50_000)


class TestLot:
    @pytest.mark.parametrize("quantity", [0, 2**62])
    def test_zero_and_what_no_account_can_hold_is_refused(self, market: Market, quantity: int) -> None:
        answer = sell(market, quantity)
        assert code(answer) is Refusal.LOT_INVALID
        assert values(answer) == {"units": quantity, "lot": 1}

    def test_a_quantity_must_be_a_multiple_of_the_venues_lot(self, market: Market) -> None:
        market.admit(lot=10)
        assert values(sell(market, 15)) == {"units": 15, "lot": 10}
        accepted(sell(market, 20))

    def test_the_chains_lot_counts_as_well(self, market: Market) -> None:
        market.apply([rules(BPL1, 1, 2, lot=4)])
        assert values(sell(market, 6)) == {"units": 6, "lot": 4}
        assert values(buy(market, 6)) == {"units": 6, "lot": 4}


class TestAccount:
    def test_an_account_that_the_venue_does_not_know_is_refused(self, market: Market) -> None:
        assert code(market.send("nobody", Side.BUY, 1)) is Refusal.ACCOUNT_UNKNOWN

    def test_a_closed_account_is_refused(self, market: Market) -> None:
        market.account("seller", closed=True)
        assert code(sell(market)) is Refusal.ACCOUNT_CLOSED

    def test_another_brokers_account_is_refused(self, market: Market) -> None:
        answer = market.send("seller", Side.SELL, 1, broker=BROKERS[1])
        assert code(answer) is Refusal.NOT_ACCOUNT_MANAGER

    def test_the_chains_manager_counts_too(self, market: Market) -> None:
        market.apply(account_facts("seller", BROKERS[1]))
        assert code(sell(market)) is Refusal.NOT_ACCOUNT_MANAGER

    @pytest.mark.parametrize(
        "account", [address("none"), cash_account(BROKERS[1]), cash_account(BROKERS[0], OwnerType.OWN)]
    )
    def test_client_and_own_cash_do_not_mix(self, market: Market, account: bytes) -> None:
        assert code(sell(market, cash_account=account)) is Refusal.SEGREGATION_VIOLATION

    def test_an_account_of_another_broker_is_not_taken_over(self, market: Market) -> None:
        assert code(market.account("seller", BROKERS[1]).answer) is Refusal.NOT_ACCOUNT_MANAGER

    def test_whoever_manages_an_account_on_chain_may_take_it_from_whoever_named_it_first(self, market: Market) -> None:
        market.account("late", BROKERS[1])
        market.apply(account_facts("late", BROKERS[0], units=5))
        assert code(market.account("late", BROKERS[1]).answer) is Refusal.NOT_ACCOUNT_MANAGER
        market.account("late", BROKERS[0])
        accepted(market.send("late", Side.SELL, 5))

    def test_an_account_that_holds_a_brokers_cash_does_not_move(self, market: Market) -> None:
        market.apply(account_facts("buyer", BROKERS[0]))
        assert code(market.account("buyer", BROKERS[0]).answer) is Refusal.NOT_ACCOUNT_MANAGER


class TestAdmission:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"isin": "ZZSHIPFIN017"}, Refusal.IDENTIFIER_INVALID),
            ({"instrument_type": "INVESTMENT_CONTRACT"}, Refusal.INSTRUMENT_TYPE_NOT_LICENSED),
            ({"parties": ("ZZZZ0000000000000113",)}, Refusal.RELATED_PARTY_INSTRUMENT),
            ({"lot": 0}, Refusal.ADMISSION_CRITERIA_UNMET),
            ({"net_asset_value": 0}, Refusal.ADMISSION_CRITERIA_UNMET),
            ({"isin": BPL1}, Refusal.ADMISSION_CRITERIA_UNMET),
        ],
    )
    def test_what_the_venue_may_not_trade_is_refused(self, change: dict[str, object], expected: Refusal) -> None:
        market = open_market(Rulebook(related_parties=("ZZZZ0000000000000113",)))
        fields: dict[str, object] = {
            "isin": "ZZSHIPFIN016",
            "token": TOKENS["ZZSHIPFIN016"],
            "instrument_type": "BENEFICIARY_CERTIFICATE",
            "lot": 1,
            "net_asset_value": 10_000,
            "parties": ("ZZZZ0000000000000598",),
        }
        entry = entries.InstrumentAdmitted(received_at_ns=0, **(fields | change))  # type: ignore[arg-type]
        assert code(market.do(entry).answer) is expected

    @pytest.mark.parametrize("terms", [{"lot": 0}, {"nav": 0}, {"nav": 2**62}, {"reference_price": 2**63 - 1}])
    def test_terms_under_which_no_order_could_be_judged_are_refused_also_later(
        self, market: Market, terms: dict[str, int]
    ) -> None:
        assert code(market.admit(**terms).answer) is Refusal.ADMISSION_CRITERIA_UNMET
        accepted(sell(market))

    def test_an_unknown_instrument_cannot_be_halted(self, market: Market) -> None:
        assert code(market.do(entries.InstrumentHalted(0, "ZZSHIPFIN016", halted=True)).answer) is (
            Refusal.INSTRUMENT_UNKNOWN
        )
