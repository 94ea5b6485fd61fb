# SPDX-License-Identifier: Apache-2.0
"""Facts: what the events of the contracts say, one struct an event, as ledger and venue fold them.

Addresses and member ids are 20 bytes, ids 32; `token` names the contract that emitted the event.
A block's facts travel as one msgpack list, so field order is a stored format: only ever append.
"""

import msgspec

Address = bytes
MemberId = bytes


class _Fact(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all facts: immutable, stored as a tagged array."""


class Transferred(_Fact, frozen=True):
    """Units of a security moved; a zero sender is a mint, a zero receiver a burn."""

    token: Address
    sender: Address
    receiver: Address
    units: int


class IssueCreated(_Fact, frozen=True):
    """A security came into being; it starts paused."""

    token: Address
    isin: str
    compliance: Address


class Paused(_Fact, frozen=True):
    """A token was paused (True) or released (False)."""

    token: Address
    paused: bool


class AddressFrozen(_Fact, frozen=True):
    """An account was frozen (True) or released (False) for one token."""

    token: Address
    account: Address
    frozen: bool


class UnitsFrozen(_Fact, frozen=True):
    """Units of an account were frozen, or released where `units` is negative."""

    token: Address
    account: Address
    units: int


class QuantityRegistered(_Fact, frozen=True):
    """The registrar set the quantity that may exist."""

    token: Address
    quantity: int


class EncumbranceSet(_Fact, frozen=True):
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


class EncumbranceReleased(_Fact, frozen=True):
    """An encumbrance ended."""

    id: bytes


class RuleSetAnnounced(_Fact, frozen=True):
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


class AccountBound(_Fact, frozen=True):
    """An account belongs to a manager and an identity."""

    account: Address
    manager: MemberId
    identity: Address
    country: int
    investor_class: int
    owner_type: int


class AccountRemoved(_Fact, frozen=True):
    """An account left the identity registry."""

    account: Address


class ClaimAttested(_Fact, frozen=True):
    """An issuer attests topics (bit 1 << topic) of an identity until a block time."""

    identity: Address
    issuer: Address
    topics: int
    until: int


class ClaimRevoked(_Fact, frozen=True):
    """An issuer withdrew its attestation; for cause, the identity may not even sell."""

    identity: Address
    issuer: Address
    for_cause: bool


class TopicAdded(_Fact, frozen=True):
    """A claim topic became required."""

    topic: int


class TopicRemoved(_Fact, frozen=True):
    """A claim topic is no longer required."""

    topic: int


class IssuerTrusted(_Fact, frozen=True):
    """A claim issuer is trusted for exactly these topics; none means no longer trusted."""

    issuer: Address
    topics: tuple[int, ...]


class MemberAdmitted(_Fact, frozen=True):
    """An institution became a member with roles (bits)."""

    member: MemberId
    roles: int


class MemberStatusChanged(_Fact, frozen=True):
    """A member became active (1), suspended (2) or revoked (3)."""

    member: MemberId
    status: int


class KeyAdded(_Fact, frozen=True):
    """A key of a member may sign within its scopes (bits) and validity (block time)."""

    key: Address
    member: MemberId
    scopes: int
    since: int
    until: int


class KeyRetired(_Fact, frozen=True):
    """A key signs nothing new; what it signed still settles."""

    key: Address


class KeyRevoked(_Fact, frozen=True):
    """A key's signatures no longer count."""

    key: Address


class CashAccountOpened(_Fact, frozen=True):
    """A member's cash account; kind 1 holds customers' cash, 2 its own."""

    account: Address
    member: MemberId
    kind: int


class CashMoved(_Fact, frozen=True):
    """Tokenised deposits moved; a zero sender is a credit, a zero receiver a debit."""

    token: Address
    sender: Address
    receiver: Address
    amount: int


class TradeSettled(_Fact, frozen=True):
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


class TradeFailed(_Fact, frozen=True):
    """A trade did not settle, with the revert data that says why; its id stays open."""

    venue: MemberId
    trade_id: int
    reason: bytes


class OrderCanceled(_Fact, frozen=True):
    """A broker's order is void: cancelled on chain, or replaced."""

    broker: MemberId
    nonce: int


class EncumbrancesMoved(_Fact, frozen=True):
    """The encumbrances of a lost account went, all of them, with its units."""

    token: Address
    lost: Address
    successor: Address


class ModuleAdded(_Fact, frozen=True):
    """A module contract is part of a rule set from this version on; its code hash says what it does."""

    compliance: Address
    version: int
    module: Address
    capabilities: int
    code_hash: bytes


class ModuleRemoved(_Fact, frozen=True):
    """A module contract is no longer part of the rule set from this version on."""

    compliance: Address
    version: int
    module: Address


class UnitsRelocated(_Fact, frozen=True):
    """The move that its token told last was an act of force or a burn: it used up no window."""

    compliance: Address
    sender: Address
    receiver: Address
    units: int


class AccountRecounted(_Fact, frozen=True):
    """An account's units count under another identity from now on."""

    compliance: Address
    account: Address
    identity: Address


class TransferApproved(_Fact, frozen=True):
    """A move under conditional approval may happen once, until a block time; zero withdraws the approval."""

    module: Address
    compliance: Address
    id: bytes
    sender: Address
    receiver: Address
    units: int
    until: int


class ApprovalUsed(_Fact, frozen=True):
    """An approved move happened."""

    module: Address
    id: bytes


class BlackoutSet(_Fact, frozen=True):
    """An identity is barred from sides (1 selling, 2 buying) through the second `until`; no sides end it."""

    module: Address
    compliance: Address
    identity: Address
    sides: int
    until: int


class MeasureImposed(_Fact, frozen=True):
    """A measure bars a subject (`scope` as in the contracts) until a block time, zero for without end.

    `author` imposed it, `approver` agreed, empty where one institution may act alone.
    """

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


class MeasureConfirmed(_Fact, frozen=True):
    """A provisional measure holds until another block time."""

    id: int
    until: int


class MeasureLifted(_Fact, frozen=True):
    """A measure ended."""

    id: int


class CorrectionEntered(_Fact, frozen=True):
    """The forced move `id` corrects an original entry, which stays as it is."""

    id: int
    original: bytes
    cause: bytes
    author: MemberId
    approver: MemberId
    basis: bytes
    document: bytes


class NodeAdded(_Fact, frozen=True):
    """A node (64 bytes of public key) may take part for a member within its validity."""

    id: bytes
    member: MemberId
    public_key: bytes
    role: int
    since: int
    until: int


class NodeRemoved(_Fact, frozen=True):
    """A node may no longer take part."""

    id: bytes


class Anchored(_Fact, frozen=True):
    """An institution's root of a kind and period."""

    member: MemberId
    kind: int
    period: int
    root: bytes


class AccountHeld(_Fact, frozen=True):
    """A legal hold of an account: no sale 1, no purchase 2, both 3, none 0."""

    account: Address
    effect: int


class InstitutionRestricted(_Fact, frozen=True):
    """The accounts of a manager may not move a token, or none where `token` is zero; False ends that."""

    manager: MemberId
    token: Address
    restricted: bool


class NetworkSuspended(_Fact, frozen=True):
    """Nothing moves on the whole network (True), or it was released (False)."""

    suspended: bool


class CodeAdmitted(_Fact, frozen=True):
    """Code of identities or claim issuers is trusted to tell the registry of changes, or (False) no longer."""

    code_hash: bytes
    admitted: bool


class ClaimNoted(_Fact, frozen=True):
    """A claim of an identity that is a contract holds to a block time, says its issuer; zero if none holds."""

    identity: Address
    issuer: Address
    topic: int
    until: int
    identity_code: bytes
    issuer_code: bytes


class IssuerNotesVoided(_Fact, frozen=True):
    """An issuer's keys changed: what was noted of it does not count until noted anew."""

    issuer: Address


class EncumbranceCarried(_Fact, frozen=True):
    """Trust-marked units went to another account, and the mark with them."""

    id: bytes
    sender: Address
    receiver: Address


class EncumbranceRescaled(_Fact, frozen=True):
    """A conversion changed the units of an encumbrance."""

    id: bytes
    units: int


class RecordDateSet(_Fact, frozen=True):
    """Whoever held units when this happened held them at the record date."""

    token: Address
    id: int
    block_number: int
    time: int


class Terminated(_Fact, frozen=True):
    """A security ended for ever."""

    token: Address


class TradeHeld(_Fact, frozen=True):
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


class HoldReleased(_Fact, frozen=True):
    """Both legs of a held trade are free again."""

    venue: MemberId
    trade_id: int


class CustomerCashMoved(_Fact, frozen=True):
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
    | AccountBound
    | AccountRemoved
    | ClaimAttested
    | ClaimRevoked
    | TopicAdded
    | TopicRemoved
    | IssuerTrusted
    | MemberAdmitted
    | MemberStatusChanged
    | KeyAdded
    | KeyRetired
    | KeyRevoked
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
    | MeasureImposed
    | MeasureConfirmed
    | MeasureLifted
    | CorrectionEntered
    | NodeAdded
    | NodeRemoved
    | Anchored
    | AccountHeld
    | InstitutionRestricted
    | NetworkSuspended
    | CodeAdmitted
    | ClaimNoted
    | IssuerNotesVoided
    | EncumbranceCarried
    | EncumbranceRescaled
    | RecordDateSet
    | Terminated
    | TradeHeld
    | HoldReleased
    | CustomerCashMoved
)
