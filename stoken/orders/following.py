# SPDX-License-Identifier: Apache-2.0
"""What follows from outside: time passes, a final block arrives."""

from stoken.domain import facts
from stoken.domain.bands import reference_price
from stoken.domain.book import Book
from stoken.domain.calendar import NANOSECONDS, Session, market_date
from stoken.domain.codes import OwnerType
from stoken.domain.order_states import TradeEvent, TradeStatus, next_trade_status
from stoken.domain.refusals import Refusal
from stoken.orders.cover import follow_cover
from stoken.orders.entries import BlockApplied
from stoken.orders.lifecycle import cancel, expire_all, expire_due, recheck
from stoken.orders.outcomes import TradeFailed, TradeSettled
from stoken.orders.records import TradeRecord
from stoken.orders.standings import COVER_FOLLOWED
from stoken.orders.state import VenueState, decline


def pass_time(state: VenueState, now_ns: int) -> None:
    """Move the market's clock; at the end of a session open orders lapse, on a new day prices are set anew."""
    state.now_ns = now_ns
    if state.session_from_ns <= now_ns < state.session_until_ns:
        return
    now = now_ns // NANOSECONDS
    was, before = state.session, state.day
    state.session, until = state.calendar.session(now)
    state.day = market_date(now)
    state.session_from_ns = now_ns
    state.session_until_ns = until * NANOSECONDS
    cycle = state.rulebook.settlement_cycle_days
    state.settlement_date = state.calendar.add_business_days(state.day, cycle).isoformat()
    if before != state.day or (was is Session.OPEN and state.session is not Session.OPEN):
        expire_all(state)
    if before != state.day:
        _new_day(state)


def _new_day(state: VenueState) -> None:
    """Publish the day's prices; client order ids are free again and books, now empty, follow the rulebook's policy."""
    state.handled.clear()
    for instrument in state.instruments.values():
        instrument.reference_price = reference_price(
            instrument.day_value, instrument.day_quantity, instrument.reference_price
        )
        instrument.day_value = instrument.day_quantity = 0
        instrument.band = state.band(instrument.admission.net_asset_value, instrument.reference_price)
        instrument.book = Book(state.rulebook.matching)


def apply_block(state: VenueState, entry: BlockApplied) -> None:
    """Fold a final block: settle or fail trades, cancel what it voided or uncovered, recheck where new rules hold."""
    rules_before = _rules_in_force(state)
    state.chain.apply_block(entry.number, entry.hash, entry.time, entry.facts)
    state.forget_stamps()
    for fact in entry.facts:
        _follow(state, fact)
    for trade_id in entry.failed:
        # A transaction that failed as a whole says nothing about a trade that another one settled.
        if trade_id in state.trades and state.trades[trade_id].status is not TradeStatus.SETTLED:
            _fail(state, trade_id, b"")
    expire_due(state)
    if state.decisions >= COVER_FOLLOWED:
        follow_cover(state, entry.facts)
    for isin, version in _rules_in_force(state).items():
        if rules_before.get(isin, version) != version:
            _recheck_open(state, isin)


def _rules_in_force(state: VenueState) -> dict[str, int]:
    number = state.chain.block_number
    tokens = state.chain.tokens
    return {
        isin: tokens[instrument.admission.token].rules_at(number).version
        for isin, instrument in state.instruments.items()
        if instrument.admission.token in tokens
    }


def _recheck_open(state: VenueState, isin: str) -> None:
    for record in list(state.open_orders.values()):
        if record.entry.isin == isin:
            because = recheck(state, record, record.leaves_quantity)
            if because is not None:
                cancel(state, record, because)


def _follow(state: VenueState, fact: facts.Fact) -> None:
    match fact:
        case facts.TradeSettled() if fact.venue == state.venue:
            _settle(state, fact.trade_id)
        case facts.TradeFailed() if fact.venue == state.venue:
            _fail(state, fact.trade_id, fact.reason)
        case facts.OrderCanceled():
            record = state.orders_by_nonce.get((fact.broker, fact.nonce))
            if record is not None and record.is_open:
                cancel(state, record, decline(Refusal.NONCE_REPLAYED, member=fact.broker, nonce=fact.nonce))
        case facts.KeyRevoked():
            for record in list(state.open_orders.values()):
                if record.entry.signer == fact.key:
                    cancel(state, record, decline(Refusal.SIGNATURE_INVALID, signer=fact.key))
        case _:
            pass


def _fail(state: VenueState, trade_id: int, reason: bytes) -> None:
    """Note a failed attempt. What is in flight stays so, until the trade settles or is busted."""
    record = state.trades.get(trade_id)
    if record is not None:
        _move(state, record, TradeEvent.FAIL)
        record.reason = reason
        state.events.append(TradeFailed(trade_id, state.chain.block_number, reason))


def _settle(state: VenueState, trade_id: int) -> None:
    record = state.trades.get(trade_id)
    if record is None:
        return
    _move(state, record, TradeEvent.SETTLE)
    trade, reservations = record.trade, state.reservations
    due = trade.price * trade.quantity
    buy, sell = state.orders[trade.buy_order_id], state.orders[trade.sell_order_id]
    buy.in_flight -= trade.quantity
    sell.in_flight -= trade.quantity
    reservations.units(trade.token, trade.sell.account).settle(trade.quantity)
    reservations.buying(trade.token, buy.identity).settle(trade.quantity)
    reservations.pool(trade.buy.cash_account).settle(due)
    if buy.account.owner_type == OwnerType.CUSTOMER:
        own = reservations.cash(trade.buy.account)
        own.settle(due)
        own.allocated -= due
        reservations.pool(trade.buy.cash_account).allocated -= due
    if sell.account.owner_type == OwnerType.CUSTOMER:
        reservations.cash(trade.sell.account).allocated += due
        reservations.pool(trade.sell.cash_account).allocated += due
    state.events.append(TradeSettled(trade_id, state.chain.block_number))


def _move(state: VenueState, record: TradeRecord, event: TradeEvent) -> None:
    record.status = next_trade_status(record.status, event)
    record.block_number = state.chain.block_number
