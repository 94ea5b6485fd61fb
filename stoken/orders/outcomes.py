# SPDX-License-Identifier: Apache-2.0
"""What the venue answers to an entry and what follows from it; stored beside the entry, byte for byte replayable.

An outcome is one answer to the caller and any number of events (trades, cancels, expiries, settlements),
also about other orders. Field order is a stored format: only ever append, with a default.
"""

import msgspec

from stoken.domain.facts import Address, MemberId
from stoken.domain.order_states import OrderStatus
from stoken.domain.refusals import Refusal
from stoken.domain.signed_order import SignedOrder

#: Addresses and other bytes are 0x-hex, members their LEI.
Value = int | str
#: Names and values that decided, in the order of the refusal's Solidity arguments where it has them.
Values = tuple[tuple[str, Value], ...]


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """What a verdict was given on: the last final block, the token's rule set, the venue's rulebook."""

    block_number: int
    block_hash: bytes
    rule_set: int
    rulebook: bytes


class _Answer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all answers."""


class Done(_Answer, frozen=True):
    """The entry took effect; it has nothing more to say."""


class Refused(_Answer, frozen=True):
    """The entry had no effect; `order_id` is 0 unless it concerns an order that exists."""

    code: Refusal
    values: Values
    stamp: Stamp
    order_id: int = 0


class Accepted(_Answer, frozen=True):
    """The order was taken; the figures are those after it met the book."""

    order_id: int
    status: OrderStatus
    leaves_quantity: int
    cumulative_quantity: int
    stamp: Stamp


class CancelAccepted(_Answer, frozen=True):
    """What was left of the order is withdrawn."""

    order_id: int
    cumulative_quantity: int
    stamp: Stamp


class Repeated(_Answer, frozen=True):
    """The same id with the same body came again: the answer first given holds, and nothing else happened."""

    sequence: int
    answer: Accepted | Refused


class _Event(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all events."""


class Trade(_Event, frozen=True):
    """Two orders met: all that settlement needs, both signed orders and signatures included."""

    trade_id: int
    isin: str
    token: Address
    price: int
    quantity: int
    #: Block time of the last final block: what the contract compares with `tradable_until`.
    matched_at: int
    matched_at_ns: int
    buy_order_id: int
    sell_order_id: int
    buyer_broker: MemberId
    seller_broker: MemberId
    buy: SignedOrder
    buy_signature: bytes
    sell: SignedOrder
    sell_signature: bytes
    mic: str
    #: Market date (YYYY-MM-DD) by which both legs are due.
    settlement_date: str
    stamp: Stamp


class OrderCanceled(_Event, frozen=True):
    """What was left of an order was withdrawn; a code says which rule did it, none that the broker or a replacement."""

    order_id: int
    leaves_quantity: int
    code: Refusal | None
    values: Values
    stamp: Stamp
    replaced_by: int = 0


class OrderExpired(_Event, frozen=True):
    """What was left of an order lapsed: its deadline passed or the session ended."""

    order_id: int
    leaves_quantity: int


class TradeSettled(_Event, frozen=True):
    """A final block shows both legs moved."""

    trade_id: int
    block_number: int


class TradeFailed(_Event, frozen=True):
    """A settlement attempt failed in a final block, with the revert data; the trade stays open."""

    trade_id: int
    block_number: int
    reason: bytes


class CoverEvaluated(_Event, frozen=True):
    """Q5 after a final block: of a broker's accounts that it touched, the one closest to its bound, promised <= held.

    `token` is the security, or the deposit token where the cash of buyers is meant; `accounts` says how many it were.
    """

    token: Address
    member: MemberId
    account: Address
    #: Reserved, in flight and locked.
    promised: int
    held: int
    accounts: int


Answer = Done | Refused | Accepted | CancelAccepted | Repeated
Event = Trade | OrderCanceled | OrderExpired | TradeSettled | TradeFailed | CoverEvaluated


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """The answer to one journal entry, and its events in the order in which they happened."""

    sequence: int
    market_time_ns: int
    answer: Answer
    events: tuple[Event, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Outcome] = msgspec.msgpack.Decoder(Outcome)


def encode(outcome: Outcome) -> bytes:
    """Return the bytes that the journal stores."""
    return _encoder.encode(outcome)


def decode(data: bytes) -> Outcome:
    """Read an outcome back from the journal's bytes."""
    return _decoder.decode(data)


def encode_trade(trade: Trade) -> bytes:
    """Return the bytes over which a replay hashes its trades."""
    return _encoder.encode(trade)
