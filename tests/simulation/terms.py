# SPDX-License-Identifier: Apache-2.0
"""What the model speaks of: blocks, rules, accounts, claims, moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Refusal = tuple[str, tuple[object, ...]]


class Block(NamedTuple):
    """The block that an operation is mined in."""

    number: int
    time: int


class Rules(NamedTuple):
    """A rule set as announced; zero turns a rule off."""

    effective: int
    cap_units: int = 0
    cap_bps: int = 0
    classes: int = 0
    holder_limit: int = 0
    lot: int = 0
    countries_allowed: bool = False
    countries: frozenset[int] = frozenset()
    window_units: int = 0
    window_seconds: int = 0
    off_venue_barred: bool = False


class Window(NamedTuple):
    """Since when units were counted that an identity received, and how many."""

    since: int
    units: int


@dataclass(slots=True)
class Account:
    """An account: whose it is, what it holds, and how much of that is held back."""

    identity: bytes = b""
    broker: bytes = b""
    country: int = 0
    investor_class: int = 0
    balance: int = 0
    frozen: int = 0
    encumbered: int = 0
    held: int = 0
    legal_hold: bool = False
    no_sale: bool = False
    no_purchase: bool = False
    successor: bytes = b""


class Claim(NamedTuple):
    """What an issuer says of an identity."""

    topics: int
    until: int
    for_cause: bool = False


class Lockup(NamedTuple):
    """Units of an account, or of whoever it was recovered to since, that stay until a time."""

    account: bytes
    units: int
    until: int


class Deal(NamedTuple):
    """A trade of two orders, in the fields of the contract's record of one that waits for a later day."""

    venue: bytes
    trade_id: int
    token: bytes
    cash: bytes
    seller: bytes
    buyer: bytes
    seller_cash: bytes
    buyer_cash: bytes
    seller_broker: bytes
    buyer_broker: bytes
    sell_nonce: int
    buy_nonce: int
    quantity: int
    price: int
    expires_at: int

    @property
    def cost(self) -> int:
        """Return what the buyer pays."""
        return self.quantity * self.price


class Move(NamedTuple):
    """Units on their way; a mint comes from nobody. `plain` is a move by neither venue nor mint."""

    sender: bytes
    receiver: bytes
    units: int
    plain: bool = True


class RecordDate(NamedTuple):
    """Balances and supply as they were."""

    balances: Mapping[bytes, int]
    supply: int
