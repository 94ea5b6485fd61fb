# SPDX-License-Identifier: Apache-2.0
"""The journal's entries: everything that decides. The venue is a function of them and of nothing else.

Stored as tagged msgpack arrays, so the order of fields is a format: only ever append, with a default.
`received_at_ns` is the gateway's UTC clock as the entry enters the actor, set there.
"""

from typing import Final

import msgspec

from stoken.domain.codes import InvestorClass, OrderType, OwnerType
from stoken.domain.facts import Address, Fact, MemberId
from stoken.domain.rulebook import Rulebook
from stoken.domain.signed_order import SignedOrder

#: What the venue's code decides, by number; a journal is replayed by the number that its VenueOpened names.
#: 1: a final block that uncovers open orders cancels them, and says how its accounts stand.
DECISIONS: Final = 1


class _Entry(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all entries."""

    received_at_ns: int


class VenueOpened(_Entry, frozen=True):
    """The first entry: whose venue this is, on which chain, and its rulebook. A later one changes the rulebook."""

    venue: MemberId
    chain_id: int
    settlement: Address
    cash: Address
    mic: str
    rulebook: Rulebook
    #: Up to which number of `DECISIONS` the venue decides from here on.
    decisions: int = 0


class ClockShifted(_Entry, frozen=True):
    """The market's clock runs `offset_ns` ahead of UTC (demo and tests); chain deadlines stay in block time."""

    offset_ns: int


class ClockTicked(_Entry, frozen=True):
    """Time passed and something is due: a session boundary or the end of a day."""


class LedgerHealthChanged(_Entry, frozen=True):
    """The mirror is current, or no longer: without it no order is taken.

    `halted` are the tokens of which the mirror, or the verdict, differs from the chain: their orders are not taken
    either. `head` is the chain's last block that the mirror heard of, -1 for none. `broken` are the tokens of which
    a quantity invariant is broken (an empty one stands for all), `institutions` those whose book is concerned.
    """

    current: bool
    halted: tuple[Address, ...] = ()
    head: int = -1
    broken: tuple[Address, ...] = ()
    institutions: tuple[MemberId, ...] = ()


class InstrumentAdmitted(_Entry, frozen=True):
    """An instrument may trade. `reference_price` 0: none yet, so the first-day band of its NAV holds."""

    isin: str
    token: Address
    instrument_type: str
    lot: int
    net_asset_value: int
    reference_price: int = 0
    parties: tuple[str, ...] = ()


class InstrumentHalted(_Entry, frozen=True):
    """Trading in an instrument is suspended (True) or resumed (False)."""

    isin: str
    halted: bool


class AccountOpened(_Entry, frozen=True):
    """What the venue holds about an account; a later entry of the same account replaces it."""

    account: Address
    broker: MemberId
    pseudonym: bytes
    investor_class: int = InvestorClass.GENERAL
    owner_type: int = OwnerType.CUSTOMER
    closed: bool = False
    blocked: bool = False


class ClassChanged(_Entry, frozen=True):
    """An investor's class from an instant of market time on (seconds; zero for now), with the hash of its evidence."""

    account: Address
    broker: MemberId
    investor_class: int
    valid_from: int
    evidence: bytes


class CashAllocated(_Entry, frozen=True):
    """A broker credits an investor's sub-account out of its customer-cash account."""

    broker: MemberId
    account: Address
    cash_account: Address
    amount: int
    nonce: int
    deadline: int
    signature: bytes
    #: Recovered from the signature before the entry is journalled; empty where it recovers nobody.
    signer: Address


class NewOrder(_Entry, frozen=True):
    """A broker's order; `order` and `signature` go on chain unchanged if it trades."""

    client_order_id: str
    broker: MemberId
    isin: str
    order: SignedOrder
    signature: bytes
    #: Recovered from the signature before the entry is journalled; empty where it recovers nobody.
    signer: Address
    order_type: OrderType = OrderType.LIMIT
    short_sale: bool = False
    margin: bool = False


class CancelOrder(_Entry, frozen=True):
    """A broker withdraws what is left of its order, by OrderCancel(broker, nonce)."""

    broker: MemberId
    nonce: int
    signature: bytes
    #: Recovered from the signature before the entry is journalled; empty where it recovers nobody.
    signer: Address


class BlockApplied(_Entry, frozen=True):
    """A final block and what its events say; `failed` names trades whose whole transaction failed."""

    number: int
    hash: bytes
    time: int
    facts: tuple[Fact, ...] = ()
    failed: tuple[int, ...] = ()


Entry = (
    VenueOpened
    | ClockShifted
    | ClockTicked
    | LedgerHealthChanged
    | InstrumentAdmitted
    | InstrumentHalted
    | AccountOpened
    | ClassChanged
    | CashAllocated
    | NewOrder
    | CancelOrder
    | BlockApplied
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Return the bytes that the journal stores."""
    return _encoder.encode(entry)


def decode(data: bytes) -> Entry:
    """Read an entry back from the journal's bytes."""
    return _decoder.decode(data)
