# SPDX-License-Identifier: Apache-2.0
"""What the model speaks of: blocks, rules, accounts, claims, moves, decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

Refusal = tuple[str, tuple[object, ...]]

#: Who comes and goes among the members.
NEWCOMERS: Final = tuple(b"ZZZZ00000000000077%02d" % number for number in range(4))


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


@dataclass(slots=True)
class Conversion:
    """A split or merge, and how far it went: units at its start and converted since, parts of units cut."""

    token: bytes
    numerator: int
    denominator: int
    residue: bytes
    document: bytes
    supply: int = 0
    converted: int = 0
    cut: int = 0
    done: set[bytes] = field(default_factory=set)
    finished: bool = False

    def of(self, units: int) -> int:
        """Return what whole units become of units."""
        return units * self.numerator // self.denominator


class Vote(NamedTuple):
    """An account's vote, in the order of the contract's answer; sequence zero is none."""

    option: int = 0
    weight: int = 0
    sequence: int = 0


@dataclass(slots=True)
class Ballot:
    """A question, whom it is put to, and what they say."""

    record: int
    options: int
    opens: int
    closes: int
    barred: dict[bytes, int] = field(default_factory=dict)
    votes: dict[bytes, Vote] = field(default_factory=dict)


class Line(NamedTuple):
    """What an account is paid, or everybody together; in the order of the contract's record."""

    account: bytes = b""
    units: int = 0
    amount: int = 0
    withheld: int = 0

    def plus(self, other: Self) -> Self:
        """Return the sum, which is nobody's."""
        return type(self)(b"", self.units + other.units, self.amount + other.amount, self.withheld + other.withheld)


@dataclass(slots=True)
class Payout:
    """A payout as announced, its lines, and what of it was paid."""

    token: bytes
    record: int
    payer: bytes
    pool: Line
    root: bytes
    document: bytes
    lines: dict[bytes, Line]
    paid: dict[bytes, Line] = field(default_factory=dict)
    paid_total: Line = field(default_factory=Line)
    ended: bool = False


class Member(NamedTuple):
    """Roles and status of a member: active 1, suspended 2, revoked 3."""

    roles: int = 0
    status: int = 0


@dataclass(slots=True)
class Seat:
    """A proposal to admit 1, suspend 2, expel 3 or reinstate 4 a member, who votes on it, and what they say."""

    key: bytes
    kind: int
    member: bytes
    roles: int
    salt: int
    deadline: int
    electors: frozenset[bytes] = frozenset()
    votes: dict[bytes, bool] = field(default_factory=dict)
    decided: bool = False

    def tally(self) -> tuple[int, int]:
        """Return the votes for it, and how many could be given."""
        return sum(self.votes.values()), len(self.electors)
