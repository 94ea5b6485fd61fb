# SPDX-License-Identifier: Apache-2.0
"""Facts: what the events of the contracts say, one struct an event, as ledger and venue fold them.

Addresses and member ids are 20 bytes, ids 32; `token` names the contract that emitted the event.
A block's facts travel as one msgpack list, so field order is a stored format: only ever append.
"""

from stoken.domain.party_facts import (
    AccountBound,
    AccountHeld,
    AccountRemoved,
    Address,
    Anchored,
    BlockFact,
    ClaimAttested,
    ClaimNoted,
    ClaimRevoked,
    CodeAdmitted,
    CorrectionEntered,
    InstitutionRestricted,
    IssuerNotesVoided,
    IssuerTrusted,
    KeyAdded,
    KeyRetired,
    KeyRevoked,
    MeasureConfirmed,
    MeasureImposed,
    MeasureLifted,
    MemberAdmitted,
    MemberId,
    MemberStatusChanged,
    NetworkSuspended,
    NodeAdded,
    NodeRemoved,
    PartyFact,
    TopicAdded,
    TopicRemoved,
)

__all__ = [
    "AccountBound",
    "AccountHeld",
    "AccountRemoved",
    "Address",
    "Anchored",
    "ClaimAttested",
    "ClaimNoted",
    "ClaimRevoked",
    "CodeAdmitted",
    "CorrectionEntered",
    "InstitutionRestricted",
    "IssuerNotesVoided",
    "IssuerTrusted",
    "KeyAdded",
    "KeyRetired",
    "KeyRevoked",
    "MeasureConfirmed",
    "MeasureImposed",
    "MeasureLifted",
    "MemberAdmitted",
    "MemberId",
    "MemberStatusChanged",
    "NetworkSuspended",
    "NodeAdded",
    "NodeRemoved",
    "PartyFact",
    "TopicAdded",
    "TopicRemoved",
]


class Transferred(BlockFact, frozen=True):
    """Units of a security moved; a zero sender is a mint, a zero receiver a burn."""

    token: Address
    sender: Address
    receiver: Address
    units: int


class IssueCreated(BlockFact, frozen=True):
    """A security came into being; it starts paused."""

    token: Address
    isin: str
    compliance: Address


class Paused(BlockFact, frozen=True):
    """A token was paused (True) or released (False)."""

    token: Address
    paused: bool


class AddressFrozen(BlockFact, frozen=True):
    """An account was frozen (True) or released (False) for one token."""

    token: Address
    account: Address
    frozen: bool


class UnitsFrozen(BlockFact, frozen=True):
    """Units of an account were frozen, or released where `units` is negative."""

    token: Address
    account: Address
    units: int


class QuantityRegistered(BlockFact, frozen=True):
    """The registrar set the quantity that may exist."""

    token: Address
    quantity: int


class EncumbranceSet(BlockFact, frozen=True):
    """Units of an account were encumbered; `kind` as in the contracts, `until` in block time, zero for without end.

    `party` is the account of the pledgee or trustee; `reason` the hash of the deed, purpose or document.
    """

    id: bytes
    token: Address
    account: Address
    kind: int
    units: int
    until: int
    party: Address = bytes(20)
    reason: bytes = bytes(32)


class EncumbranceReleased(BlockFact, frozen=True):
    """An encumbrance ended."""

    id: bytes


class RuleSetAnnounced(BlockFact, frozen=True):
    """A rule set of a compliance contract takes effect at `effective_block`; zero turns a rule off.

    `countries` is the contract's bitmap: its four words, lowest countries first, 128 bytes. The modules are those of
    the version before, unless `ModuleAdded` or `ModuleRemoved` of the same version follows.
    """

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


class CashAccountOpened(BlockFact, frozen=True):
    """A member's cash account; kind 1 holds customers' cash, 2 its own."""

    account: Address
    member: MemberId
    kind: int


class CashMoved(BlockFact, frozen=True):
    """Tokenised deposits moved; a zero sender is a credit, a zero receiver a debit."""

    token: Address
    sender: Address
    receiver: Address
    amount: int


class TradeSettled(BlockFact, frozen=True):
    """Both legs of a trade moved."""

    venue: MemberId
    trade_id: int
    token: Address
    seller: Address
    buyer: Address
    quantity: int
    price: int
    sell_nonce: int
    buy_nonce: int


class TradeFailed(BlockFact, frozen=True):
    """A trade did not settle, with the revert data that says why; its id stays open."""

    venue: MemberId
    trade_id: int
    reason: bytes


class OrderCanceled(BlockFact, frozen=True):
    """A broker's order is void: cancelled on chain, or replaced."""

    broker: MemberId
    nonce: int


class EncumbrancesMoved(BlockFact, frozen=True):
    """The encumbrances of a lost account went, all of them, with its units."""

    token: Address
    lost: Address
    successor: Address


class ModuleAdded(BlockFact, frozen=True):
    """A module contract is part of a rule set from this version on; its code hash says what it does."""

    compliance: Address
    version: int
    module: Address
    capabilities: int
    code_hash: bytes


class ModuleRemoved(BlockFact, frozen=True):
    """A module contract is no longer part of the rule set from this version on."""

    compliance: Address
    version: int
    module: Address


class UnitsRelocated(BlockFact, frozen=True):
    """The move that its token told last was an act of force or a burn: it used up no window."""

    compliance: Address
    sender: Address
    receiver: Address
    units: int


class AccountRecounted(BlockFact, frozen=True):
    """An account's units count under another identity from now on."""

    compliance: Address
    account: Address
    identity: Address


class TransferApproved(BlockFact, frozen=True):
    """A move under conditional approval may happen once, until a block time; zero withdraws the approval."""

    module: Address
    compliance: Address
    id: bytes
    sender: Address
    receiver: Address
    units: int
    until: int


class ApprovalUsed(BlockFact, frozen=True):
    """An approved move happened."""

    module: Address
    id: bytes


class BlackoutSet(BlockFact, frozen=True):
    """An identity is barred from sides (1 selling, 2 buying) through the second `until`; no sides end it."""

    module: Address
    compliance: Address
    identity: Address
    sides: int
    until: int


class EncumbranceCarried(BlockFact, frozen=True):
    """Trust-marked units went to another account, and the mark with them."""

    id: bytes
    sender: Address
    receiver: Address


class EncumbranceRescaled(BlockFact, frozen=True):
    """A conversion changed the units of an encumbrance."""

    id: bytes
    units: int


class RecordDateSet(BlockFact, frozen=True):
    """Whoever held units when this happened held them at the record date."""

    token: Address
    id: int
    block_number: int
    time: int


class Terminated(BlockFact, frozen=True):
    """A security ended for ever."""

    token: Address


class TradeHeld(BlockFact, frozen=True):
    """Both legs of a trade are held until a later day."""

    venue: MemberId
    trade_id: int
    token: Address
    cash: Address
    seller: Address
    buyer: Address
    seller_cash: Address
    buyer_cash: Address
    sell_nonce: int
    buy_nonce: int
    quantity: int
    price: int
    expires_at: int


class HoldReleased(BlockFact, frozen=True):
    """Both legs of a held trade are free again."""

    venue: MemberId
    trade_id: int


class CustomerCashMoved(BlockFact, frozen=True):
    """A failed member's customer-cash accounts are another member's."""

    member: MemberId
    successor: MemberId
    accounts: tuple[Address, ...]


Fact = (
    Transferred
    | IssueCreated
    | Paused
    | AddressFrozen
    | UnitsFrozen
    | QuantityRegistered
    | EncumbranceSet
    | EncumbranceReleased
    | RuleSetAnnounced
    | CashAccountOpened
    | CashMoved
    | TradeSettled
    | TradeFailed
    | OrderCanceled
    | EncumbrancesMoved
    | ModuleAdded
    | ModuleRemoved
    | UnitsRelocated
    | AccountRecounted
    | TransferApproved
    | ApprovalUsed
    | BlackoutSet
    | EncumbranceCarried
    | EncumbranceRescaled
    | RecordDateSet
    | Terminated
    | TradeHeld
    | HoldReleased
    | CustomerCashMoved
    | PartyFact
)
