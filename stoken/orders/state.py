# SPDX-License-Identifier: Apache-2.0
"""The venue's whole state: built only by applying journal entries, iterated only in insertion order."""

from datetime import date

from stoken.compliance.verdict import Verdict
from stoken.domain.bands import Band, day_band, first_day_band
from stoken.domain.book import Book
from stoken.domain.calendar import Calendar, Session
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Address, MemberId
from stoken.domain.limits import AnnualLimits
from stoken.domain.refusals import REFUSALS, Refusal
from stoken.domain.rulebook import Rulebook
from stoken.orders.entries import AccountOpened, CashAllocated, InstrumentAdmitted, NewOrder, VenueOpened
from stoken.orders.outcomes import Accepted, Event, Refused, Stamp, Value, Values
from stoken.orders.records import ClassRecord, Instrument, OrderRecord, TradeRecord
from stoken.orders.reservations import Reservations

_NEVER = date(1970, 1, 1)
_ARGUMENT_NAMES = {
    refusal: tuple(part.split()[1] for part in (meaning.arguments or "").split(", ") if part)
    for refusal, meaning in REFUSALS.items()
}


class Decline(Exception):  # noqa: N818 - an answer, not an error: it never leaves the venue
    """Why the venue does not take something: the code and the values that decided."""

    def __init__(self, code: Refusal, values: Values = ()) -> None:
        """Take code and named values."""
        super().__init__(code)
        self.code = code
        self.values = values


def decline(code: Refusal, **values: Value | bytes) -> Decline:
    """Name a refusal and the values that decided."""
    return Decline(code, tuple((name, _readable(name, value)) for name, value in values.items()))


def _readable(name: str, value: Value | bytes) -> Value:
    if not isinstance(value, bytes):
        return value
    return value.decode("ascii", "replace") if name == "member" else f"0x{value.hex()}"


def declined_by(verdict: Verdict) -> Decline:
    """Name the arguments of the chain's verdict as its Solidity error does."""
    return decline(verdict.refusal, **dict(zip(_ARGUMENT_NAMES[verdict.refusal], verdict.arguments, strict=True)))


class Handled:
    """What became of a client order id today."""

    __slots__ = ("answer", "entry", "sequence")

    def __init__(self, sequence: int, entry: NewOrder, answer: Accepted | Refused) -> None:
        """Take the entry that used the id first, and its answer."""
        self.sequence = sequence
        self.entry = entry
        self.answer = answer


class VenueState:
    """Everything that decides."""

    def __init__(self) -> None:
        """Start before the first entry; nothing but VenueOpened may come first."""
        self.opened: VenueOpened | None = None
        self.venue: MemberId = b""
        self.mic = ""
        self.cash: Address = b""
        self.decisions = 0
        self.rulebook = Rulebook()
        self.rulebook_hash = b""
        self.calendar = Calendar(self.rulebook.calendar_version, 0, 0)
        self.limits = AnnualLimits({})
        self.chain = ChainState()
        self.ledger_current = True
        self.ledger_head = -1
        self.halted_tokens: tuple[Address, ...] = ()
        self.broken_tokens: tuple[Address, ...] = ()
        self.broken_institutions: tuple[MemberId, ...] = ()
        self.clock_offset_ns = 0
        self.sequence = 0
        self.now_ns = 0
        self.session = Session.CLOSED
        self.day = _NEVER
        self.settlement_date = ""
        #: The span of market time for which `session` and `day` hold.
        self.session_from_ns = 0
        self.session_until_ns = 0
        self.instruments: dict[str, Instrument] = {}
        self.instruments_by_token: dict[Address, Instrument] = {}
        self.accounts: dict[Address, AccountOpened] = {}
        #: Classes by account, by the instant from which each holds.
        self.classes: dict[Address, tuple[ClassRecord, ...]] = {}
        self.reservations = Reservations()
        self.orders: dict[int, OrderRecord] = {}
        self.open_orders: dict[int, OrderRecord] = {}
        self.orders_by_nonce: dict[tuple[MemberId, int], OrderRecord] = {}
        self.handled: dict[tuple[MemberId, str], Handled] = {}
        self.allocations: dict[tuple[MemberId, int], CashAllocated] = {}
        self.trades: dict[int, TradeRecord] = {}
        #: Heap of (tradable_until, order id).
        self.deadlines: list[tuple[int, int]] = []
        #: Events of the entry at hand.
        self.events: list[Event] = []
        #: By token and account, what the chain holds of what is in flight; None until it is asked for at a block.
        self.held_in_flight: dict[tuple[Address, Address], int] | None = None
        self._stamps: dict[Address, Stamp] = {}

    def open(self, entry: VenueOpened) -> None:
        """Take the venue's parameters; its identity cannot change, its rulebook can."""
        self.opened = entry
        self.venue, self.cash, self.mic = entry.venue, entry.cash, entry.mic
        self.decisions = entry.decisions
        book = self.rulebook = entry.rulebook
        self.rulebook_hash = book.digest()
        self.calendar = Calendar(book.calendar_version, book.opens_at_minute, book.closes_at_minute)
        self.limits.limits = dict(book.annual_limits)
        self.session_until_ns = 0
        self.forget_stamps()

    def stamp(self, token: Address) -> Stamp:
        """Return what a verdict about a token is given on."""
        stamp = self._stamps.get(token)
        if stamp is None:
            chain = self.chain
            security = chain.tokens.get(token)
            version = 0 if security is None else security.rules_at(chain.block_number).version
            stamp = Stamp(max(chain.block_number, 0), chain.block_hash, version, self.rulebook_hash)
            self._stamps[token] = stamp
        return stamp

    def forget_stamps(self) -> None:
        """Let stamps be made anew after a block or a change of rulebook, and what the chain holds be summed anew."""
        self._stamps.clear()
        self.held_in_flight = None

    def band(self, net_asset_value: int, reference_price: int) -> Band:
        """Return the day's band of an instrument."""
        book = self.rulebook
        if reference_price:
            return day_band(reference_price, book.band_percent)
        return first_day_band(net_asset_value, book.first_day_lower_percent, book.first_day_upper_percent)

    def admit(self, entry: InstrumentAdmitted) -> None:
        """Add an instrument, or take new terms of one that trades already."""
        known = self.instruments.get(entry.isin)
        if known is None:
            band = self.band(entry.net_asset_value, entry.reference_price)
            known = Instrument(entry, Book(self.rulebook.matching), band)
            self.instruments[entry.isin] = known
            self.instruments_by_token[entry.token] = known
        known.admission = entry
