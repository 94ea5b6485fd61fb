# SPDX-License-Identifier: Apache-2.0
"""Rows of the ledger's state tables, column for column, with the defaults of an object first heard of."""

from typing import NamedTuple

from stoken.domain.codes import KeyStatus, MemberStatus
from stoken.domain.facts import Address, MemberId


class Position(NamedTuple):
    """Units of one account in one token; `number` is that of the row, -1 before it has one."""

    token: Address
    account: Address
    number: int = -1
    changed_block: int = -1
    balance: int = 0
    frozen_units: int = 0
    lockup: int = 0
    pledged: int = 0
    restricted: int = 0
    frozen: bool = False

    @property
    def held_back(self) -> int:
        """Return the units that may not move, though the account owns them."""
        return self.frozen_units + self.lockup + self.pledged + self.restricted

    @property
    def available(self) -> int:
        """Return what the chain lets the account move: never below zero."""
        return max(0, self.balance - self.held_back)


class Account(NamedTuple):
    """What the identity registry binds to an account."""

    account: Address
    manager: MemberId
    identity: Address
    country: int
    investor_class: int
    owner_type: int


class Claim(NamedTuple):
    """What one issuer attests of one identity."""

    identity: Address
    issuer: Address
    topics: int = 0
    until: int = 0
    revoked: bool = False
    for_cause: bool = False


class ClaimIssuer(NamedTuple):
    """A trusted issuer; `topics` is a msgpack list."""

    issuer: Address
    topics: bytes


class ClaimTopic(NamedTuple):
    """A topic that a receiver must have attested."""

    topic: int


class Instrument(NamedTuple):
    """A token and its quantities; it starts paused."""

    token: Address
    isin: str = ""
    compliance: Address = b""
    supply: int = 0
    minted: int = 0
    burned: int = 0
    registered: int = 0
    paused: bool = True
    terminated: bool = False
    terminated_block: int = 0


class RecordDate(NamedTuple):
    """A record date of a token: the place in the chain at which holdings count."""

    token: Address
    id: int
    block_number: int
    time: int


class RuleSet(NamedTuple):
    """One version of a token's rules; zero turns a rule off. `modules` are addresses in ascending order, end to end."""

    compliance: Address
    version: int
    effective_block: int
    cap_units: int
    cap_bps: int
    classes: int
    holder_limit: int
    lot: int
    countries_allowed: bool
    countries: bytes
    window_units: int = 0
    window_seconds: int = 0
    off_venue_barred: bool = False
    modules: bytes = b""


class Encumbrance(NamedTuple):
    """Units of an account that may not move until released."""

    id: bytes
    token: Address
    account: Address
    kind: int
    units: int
    until: int
    released: bool = False
    party: Address = bytes(20)
    reason: bytes = bytes(32)


class Relocation(NamedTuple):
    """Where the encumbrances of a lost account went."""

    token: Address
    account: Address
    successor: Address


class CashAccount(NamedTuple):
    """A member's account in the deposit token."""

    account: Address
    member: MemberId = b""
    kind: int = 0
    balance: int = 0


class CashTotal(NamedTuple):
    """What the cash agent credited and debited in one deposit token."""

    token: Address
    credited: int = 0
    debited: int = 0


class Member(NamedTuple):
    """An institution."""

    member: MemberId
    roles: int = 0
    status: int = int(MemberStatus.ACTIVE)


class Key(NamedTuple):
    """A signing key of a member."""

    key: Address
    member: MemberId = b""
    scopes: int = 0
    since: int = 0
    until: int = 0
    status: int = int(KeyStatus.ACTIVE)


class Trade(NamedTuple):
    """A trade that settled, or whose settlement failed so far."""

    venue: MemberId
    trade_id: int
    settled: bool = False
    token: Address = b""
    seller: Address = b""
    buyer: Address = b""
    quantity: int = 0
    price: int = 0
    sell_nonce: int = 0
    buy_nonce: int = 0
    reason: bytes = b""
    block_number: int = 0


class Fill(NamedTuple):
    """What settled of a broker's signed order."""

    broker: MemberId
    nonce: int
    filled: int = 0
    canceled: bool = False


class Measure(NamedTuple):
    """A measure on a subject; `until` zero is without end."""

    id: int
    scope: int
    token: Address
    subject: bytes
    effect: int
    units: int
    until: int
    provisional: bool
    author: MemberId
    approver: MemberId
    basis: bytes
    document: bytes
    lifted: bool = False


class Correction(NamedTuple):
    """A forced move that corrects an original entry."""

    id: int
    original: bytes
    cause: bytes
    author: MemberId
    approver: MemberId
    basis: bytes
    document: bytes
    block_number: int


class Node(NamedTuple):
    """A node of a member."""

    id: bytes
    member: MemberId
    public_key: bytes
    role: int
    since: int
    until: int


class Anchor(NamedTuple):
    """An institution's root of a kind and period."""

    member: MemberId
    kind: int
    period: int
    root: bytes
    block_number: int


#: Row type and length of the key, by the name of the table.
ROWS: dict[str, tuple[type[tuple], int]] = {  # type: ignore[type-arg]  # each is a NamedTuple of its own
    "positions": (Position, 2),
    "accounts": (Account, 1),
    "claims": (Claim, 2),
    "claim_issuers": (ClaimIssuer, 1),
    "claim_topics": (ClaimTopic, 1),
    "instruments": (Instrument, 1),
    "rule_sets": (RuleSet, 2),
    "encumbrances": (Encumbrance, 1),
    "record_dates": (RecordDate, 2),
    "relocations": (Relocation, 2),
    "cash_accounts": (CashAccount, 1),
    "cash_totals": (CashTotal, 1),
    "members": (Member, 1),
    "keys": (Key, 1),
    "trades": (Trade, 2),
    "fills": (Fill, 2),
    "measures": (Measure, 1),
    "corrections": (Correction, 1),
    "nodes": (Node, 1),
    "anchors": (Anchor, 3),
}
