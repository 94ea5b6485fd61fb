# SPDX-License-Identifier: Apache-2.0
"""The venue: a deterministic function of its journal. It reads no clock, no database and no random number."""

from collections.abc import Callable
from typing import Any, NamedTuple

from stoken.domain.book import Level
from stoken.domain.facts import Address, MemberId
from stoken.domain.refusals import Refusal
from stoken.orders import entries
from stoken.orders.accepting import admit_instrument, allocate_cash, cancel_order, halt_instrument, new_order
from stoken.orders.classes import change_class, open_class
from stoken.orders.cover import follow_all
from stoken.orders.entries import Entry, VenueOpened
from stoken.orders.following import apply_block, pass_time
from stoken.orders.outcomes import Answer, Done, Outcome, Refused
from stoken.orders.records import OrderRecord, TradeRecord
from stoken.orders.standings import COVER_FOLLOWED, Held, not_held
from stoken.orders.state import Decline, Handled, VenueState, decline

_NO_TOKEN: Address = b""


class BookView(NamedTuple):
    """What the public sees of an instrument's book, best prices first."""

    bids: list[Level]
    asks: list[Level]


class CashView(NamedTuple):
    """An investor's cash: what settled, what open orders reserve, what is in flight."""

    allocated: int
    reserved: int
    in_flight: int

    @property
    def available(self) -> int:
        """Return what a new order may use."""
        return max(0, self.allocated - self.reserved - self.in_flight)


class UnitsView(NamedTuple):
    """What an account has promised of a token, and what the chain and the venue leave it."""

    balance: int
    reserved: int
    in_flight: int
    available: int


class Venue:
    """Applies journal entries one by one; everything it shows follows from them."""

    def __init__(self) -> None:
        """Start before the first entry."""
        self.state = VenueState()

    def apply(self, entry: Entry) -> Outcome:
        """Apply the next entry of the journal; raises ValueError for one that no journal can hold.

        After an exception the state is not to be used any more: rebuild it from the journal.
        """
        state = self.state
        if state.opened is None and not isinstance(entry, VenueOpened):
            raise ValueError("the journal begins with VenueOpened")
        state.sequence += 1
        state.events = []
        _PREPARE.get(type(entry), _nothing)(state, entry)
        pass_time(state, entry.received_at_ns + state.clock_offset_ns)
        try:
            answer = _HANDLERS[type(entry)](state, entry)
        except Decline as because:
            answer = Refused(because.code, because.values, state.stamp(_token_of(entry)))
        return Outcome(state.sequence, state.now_ns, answer, tuple(state.events))

    def due_at_ns(self) -> int:
        """Return the UTC instant at which time alone changes something: the end of the session at hand."""
        return self.state.session_until_ns - self.state.clock_offset_ns

    def order(self, order_id: int) -> OrderRecord | None:
        """Return an accepted order."""
        return self.state.orders.get(order_id)

    def order_by_nonce(self, broker: MemberId, nonce: int) -> OrderRecord | None:
        """Return an accepted order by what its broker signed."""
        return self.state.orders_by_nonce.get((broker, nonce))

    def handled(self, broker: MemberId, client_order_id: str) -> Handled | None:
        """Return what became of a client order id on the current trading day."""
        return self.state.handled.get((broker, client_order_id))

    def trade(self, trade_id: int) -> TradeRecord | None:
        """Return a trade and where it stands."""
        return self.state.trades.get(trade_id)

    def book(self, isin: str) -> BookView | None:
        """Return the book of an instrument, None where it is not admitted."""
        instrument = self.state.instruments.get(isin)
        return None if instrument is None else BookView(instrument.book.bids(), instrument.book.asks())

    def cash(self, account: Address) -> CashView:
        """Return an investor's sub-account of cash."""
        cash = self.state.reservations.cash(account)
        return CashView(cash.allocated, cash.reserved, cash.in_flight)

    def units(self, token: Address, account: Address) -> UnitsView:
        """Return an account's position in a token as an order would meet it."""
        promise = self.state.reservations.units(token, account)
        security = self.state.chain.tokens.get(token)
        if security is None:
            return UnitsView(0, promise.reserved, promise.in_flight, 0)
        position = security.held_by(account)
        available = max(0, position.available - promise.reserved - not_held(self.state, Held(token, account)))
        return UnitsView(position.balance, promise.reserved, promise.in_flight, available)


def _nothing(_state: VenueState, _entry: Any) -> Answer:  # noqa: ANN401 - any entry
    return Done()


def _open(state: VenueState, entry: VenueOpened) -> Answer:
    before = state.opened
    if before is not None and (before.venue, before.chain_id, before.settlement, before.cash) != (
        entry.venue,
        entry.chain_id,
        entry.settlement,
        entry.cash,
    ):
        raise ValueError("the journal belongs to another venue or chain")
    followed = state.decisions >= COVER_FOLLOWED
    state.open(entry)
    if not followed and state.decisions >= COVER_FOLLOWED:
        follow_all(state)
    return Done()


def _shift_clock(state: VenueState, entry: entries.ClockShifted) -> Answer:
    state.clock_offset_ns = entry.offset_ns
    return Done()


def _change_health(state: VenueState, entry: entries.LedgerHealthChanged) -> Answer:
    state.ledger_current = entry.current
    state.halted_tokens = entry.halted
    state.ledger_head = entry.head
    state.broken_tokens = entry.broken
    state.broken_institutions = entry.institutions
    return Done()


def _open_account(state: VenueState, entry: entries.AccountOpened) -> Answer:
    known, bound = state.accounts.get(entry.account), state.chain.accounts.get(entry.account)
    before = entry.broker if known is None else known.broker
    # The chain says who manages an account, whoever named it here first; but cash stays with the broker that holds it.
    manager = before if bound is None else bound.manager
    cash = state.reservations.cash(entry.account)
    if manager != entry.broker or (before != entry.broker and (cash.allocated or cash.committed)):
        raise decline(Refusal.NOT_ACCOUNT_MANAGER, account=entry.account, member=entry.broker)
    open_class(state, entry)
    state.accounts[entry.account] = entry
    return Done()


def _change_class(state: VenueState, entry: entries.ClassChanged) -> Answer:
    change_class(state, entry)
    return Done()


def _apply_block(state: VenueState, entry: entries.BlockApplied) -> Answer:
    apply_block(state, entry)
    return Done()


def _token_of(entry: Entry) -> Address:
    return entry.order.token if isinstance(entry, entries.NewOrder) else _NO_TOKEN


#: What must be known before the market's time of the entry can be told.
_PREPARE: dict[type, Callable[[VenueState, Any], Answer]] = {
    entries.VenueOpened: _open,
    entries.ClockShifted: _shift_clock,
}

_HANDLERS: dict[type, Callable[[VenueState, Any], Answer]] = {
    entries.VenueOpened: _nothing,
    entries.ClockShifted: _nothing,
    entries.ClockTicked: _nothing,
    entries.LedgerHealthChanged: _change_health,
    entries.InstrumentAdmitted: admit_instrument,
    entries.InstrumentHalted: halt_instrument,
    entries.AccountOpened: _open_account,
    entries.ClassChanged: _change_class,
    entries.CashAllocated: allocate_cash,
    entries.NewOrder: new_order,
    entries.CancelOrder: cancel_order,
    entries.BlockApplied: _apply_block,
}
