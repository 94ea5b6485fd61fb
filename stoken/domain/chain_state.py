# SPDX-License-Identifier: Apache-2.0
"""The chain's state as the venue needs it, folded from the facts of final blocks.

Positions, rules and verification are kept as the contracts keep them, so that a verdict on this state
equals the contracts' own at the same block.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from stoken.domain import facts
from stoken.domain.chain_records import (
    NO_CLAIMS,
    Account,
    Attestation,
    CashAccount,
    Claims,
    Encumbrance,
    Hold,
    Key,
    Member,
    RuleSet,
    Token,
)
from stoken.domain.codes import KeyStatus, MemberStatus
from stoken.domain.facts import Address, Fact, MemberId

NOBODY: Address = bytes(20)
#: Where nothing is required, verification does not lapse: the largest uint40.
FOREVER = 2**40 - 1
#: Topics from here on have no bit in an attestation: what requires one, nobody mirrored can show.
_TOPIC_BITS = 64


class ChainState:
    """Everything the chain says that an order may depend on, as of one final block."""

    __slots__ = (
        "accounts",
        "block_hash",
        "block_number",
        "block_time",
        "canceled",
        "cash_accounts",
        "claims",
        "encumbrances",
        "first_identities",
        "holds",
        "issuers",
        "keys",
        "members",
        "rule_sets",
        "tokens",
        "topics",
        "topics_beyond",
        "verified",
    )

    def __init__(self) -> None:
        """Start before the first block."""
        self.block_number = -1
        self.block_hash = bytes(32)
        self.block_time = 0
        self.tokens: dict[Address, Token] = {}
        #: By compliance contract; a token refers to its contract's list.
        self.rule_sets: dict[Address, list[RuleSet]] = {}
        self.accounts: dict[Address, Account] = {}
        #: Of accounts whose identity was replaced or removed once.
        self.first_identities: dict[Address, Address] = {}
        self.claims: dict[Address, Claims] = {}
        self.topics = 0
        #: Required topics that have no bit.
        self.topics_beyond: dict[int, None] = {}
        self.issuers: dict[Address, int] = {}
        self.members: dict[MemberId, Member] = {}
        self.keys: dict[Address, Key] = {}
        self.cash_accounts: dict[Address, CashAccount] = {}
        self.encumbrances: dict[bytes, Encumbrance] = {}
        self.canceled: dict[tuple[MemberId, int], None] = {}
        self.holds: dict[tuple[MemberId, int], Hold] = {}
        self.verified: dict[Address, int] = {}

    def apply_block(self, number: int, block_hash: bytes, time: int, block_facts: Iterable[Fact]) -> None:
        """Fold one block; blocks come in ascending order, and those without facts may be left out."""
        if number <= self.block_number:
            raise ValueError(f"block {number} follows block {self.block_number}")
        self.block_number, self.block_hash, self.block_time = number, block_hash, time
        for fact in block_facts:
            handler = _HANDLERS.get(type(fact))
            if handler is not None:
                handler(self, fact)

    def token(self, address: Address) -> Token:
        """Return a token's state; one that was never heard of is paused and empty."""
        token = self.tokens.get(address)
        if token is None:
            token = self.tokens[address] = Token()
        return token

    def counted_as(self, account: Address) -> Address:
        """Return the identity under which an account's units count: its first, also after that was replaced."""
        first = self.first_identities.get(account)
        if first is not None:
            return first
        bound = self.accounts.get(account)
        return NOBODY if bound is None else bound.identity

    def verified_until(self, identity: Address) -> int:
        """Return the block time to which every required topic is attested by a trusted issuer; 0 for never."""
        until = self.verified.get(identity)
        if until is None:
            until = self.verified[identity] = self._walk(identity)
        return until

    def key_may(self, signer: Address, member: MemberId, scope: int) -> bool:
        """Tell whether a key signs for a member within a scope at this block's time."""
        key = self.keys.get(signer)
        return (
            key is not None
            and key.member == member
            and bool(key.scopes & scope)
            and key.status == KeyStatus.ACTIVE
            and key.since <= self.block_time <= key.until
        )

    def digest(self) -> str:
        """Return a hash over the whole state that does not depend on the order in which it was built."""
        tables: tuple[dict[Any, Any], ...] = (
            self.tokens,
            self.rule_sets,
            self.accounts,
            self.first_identities,
            self.claims,
            self.issuers,
            self.members,
            self.keys,
            self.cash_accounts,
            self.encumbrances,
            self.canceled,
            self.holds,
            self.topics_beyond,
        )
        head = (self.block_number, self.block_hash, self.block_time, self.topics)
        body = [sorted((key, _plain(value)) for key, value in table.items()) for table in tables]
        return hashlib.sha256(msgspec.msgpack.encode((head, body))).hexdigest()

    def _walk(self, identity: Address) -> int:
        claims = self.claims.get(identity, NO_CLAIMS)
        if claims.for_cause or self.topics_beyond:
            return 0
        attestations = claims.by_issuer
        until, topics, topic = FOREVER, self.topics, 0
        while topics >> topic:
            bit = 1 << topic
            topic += 1
            if topics & bit:
                best = max(
                    (held.until for issuer, held in attestations.items() if self._counts(issuer, held, bit)), default=0
                )
                until = min(until, best)
        return until

    def _counts(self, issuer: Address, attestation: Attestation, bit: int) -> bool:
        return bool(attestation.topics & bit and self.issuers.get(issuer, 0) & bit)


def _plain(value: object) -> object:
    """Write a record as plain, sorted data; the bitmap of countries has more bits than msgpack's integers."""
    if isinstance(value, int) and value >= 2**64:
        return value.to_bytes(128)
    if isinstance(value, dict):
        return sorted((key, _plain(held)) for key, held in value.items())
    if isinstance(value, list):
        return [_plain(held) for held in value]
    slots = getattr(type(value), "__slots__", ())
    return [_plain(getattr(value, name)) for name in slots] if slots else value


def _transferred(state: ChainState, fact: facts.Transferred) -> None:
    token = state.token(fact.token)
    if fact.sender != NOBODY:
        token.position(fact.sender).balance -= fact.units
        token.move(state.counted_as(fact.sender), -fact.units)
    else:
        token.minted += fact.units
    if fact.receiver != NOBODY:
        token.position(fact.receiver).balance += fact.units
        token.move(state.counted_as(fact.receiver), fact.units)
    else:
        token.burned += fact.units


def _issue_created(state: ChainState, fact: facts.IssueCreated) -> None:
    token = state.token(fact.token)
    token.isin, token.compliance = fact.isin, fact.compliance
    token.rules = state.rule_sets.setdefault(fact.compliance, [])


def _paused(state: ChainState, fact: facts.Paused) -> None:
    state.token(fact.token).paused = fact.paused


def _address_frozen(state: ChainState, fact: facts.AddressFrozen) -> None:
    state.token(fact.token).position(fact.account).frozen = fact.frozen


def _units_frozen(state: ChainState, fact: facts.UnitsFrozen) -> None:
    state.token(fact.token).position(fact.account).frozen_units += fact.units


def _quantity_registered(state: ChainState, fact: facts.QuantityRegistered) -> None:
    state.token(fact.token).registered = fact.quantity


def _encumbrance_set(state: ChainState, fact: facts.EncumbranceSet) -> None:
    encumbrance = Encumbrance(fact.token, fact.account, fact.kind, fact.units, fact.until)
    state.encumbrances[fact.id] = encumbrance
    state.token(fact.token).position(fact.account).encumber(fact.kind, fact.units)


def _encumbrance_released(state: ChainState, fact: facts.EncumbranceReleased) -> None:
    held = state.encumbrances.pop(fact.id)
    state.token(held.token).position(held.account).encumber(held.kind, -held.units)


def _encumbrances_moved(state: ChainState, fact: facts.EncumbrancesMoved) -> None:
    token = state.token(fact.token)
    for encumbrance in state.encumbrances.values():
        if encumbrance.token == fact.token and encumbrance.account == fact.lost:
            token.position(fact.lost).encumber(encumbrance.kind, -encumbrance.units)
            token.position(fact.successor).encumber(encumbrance.kind, encumbrance.units)
            encumbrance.account = fact.successor
    for hold in state.holds.values():
        if hold.token == fact.token and hold.account == fact.lost:
            token.position(fact.lost).held -= hold.units
            token.position(fact.successor).held += hold.units
            hold.account = fact.successor


def _rule_set_announced(state: ChainState, fact: facts.RuleSetAnnounced) -> None:
    allowed = sum(int.from_bytes(fact.countries[32 * word : 32 * word + 32]) << (256 * word) for word in range(4))
    state.rule_sets.setdefault(fact.compliance, []).append(
        RuleSet(
            fact.version,
            fact.effective_block,
            fact.cap_units,
            fact.cap_bps,
            fact.classes,
            fact.holder_limit,
            fact.lot,
            fact.countries_allowed,
            allowed,
        )
    )


def _account_bound(state: ChainState, fact: facts.AccountBound) -> None:
    former = state.accounts.get(fact.account)
    if former is not None and former.identity != fact.identity:
        state.first_identities.setdefault(fact.account, former.identity)
    state.accounts[fact.account] = Account(
        fact.manager, fact.identity, fact.country, fact.investor_class, fact.owner_type
    )


def _account_removed(state: ChainState, fact: facts.AccountRemoved) -> None:
    former = state.accounts.pop(fact.account, None)
    if former is not None:
        state.first_identities.setdefault(fact.account, former.identity)


def _claim_attested(state: ChainState, fact: facts.ClaimAttested) -> None:
    claims = state.claims.setdefault(fact.identity, Claims())
    claims.by_issuer[fact.issuer] = Attestation(fact.topics, fact.until)
    claims.for_cause.pop(fact.issuer, None)
    state.verified.pop(fact.identity, None)


def _claim_revoked(state: ChainState, fact: facts.ClaimRevoked) -> None:
    claims = state.claims.setdefault(fact.identity, Claims())
    claims.by_issuer.pop(fact.issuer, None)
    if fact.for_cause:
        claims.for_cause[fact.issuer] = None
    state.verified.pop(fact.identity, None)


def _topic_added(state: ChainState, fact: facts.TopicAdded) -> None:
    if fact.topic < _TOPIC_BITS:
        state.topics |= 1 << fact.topic
    else:
        state.topics_beyond[fact.topic] = None
    state.verified.clear()


def _topic_removed(state: ChainState, fact: facts.TopicRemoved) -> None:
    if fact.topic < _TOPIC_BITS:
        state.topics &= ~(1 << fact.topic)
    else:
        state.topics_beyond.pop(fact.topic, None)
    state.verified.clear()


def _issuer_trusted(state: ChainState, fact: facts.IssuerTrusted) -> None:
    state.issuers[fact.issuer] = sum(1 << topic for topic in fact.topics if topic < _TOPIC_BITS)
    state.verified.clear()


def _member_admitted(state: ChainState, fact: facts.MemberAdmitted) -> None:
    state.members[fact.member] = Member(fact.roles, MemberStatus.ACTIVE)


def _member_status_changed(state: ChainState, fact: facts.MemberStatusChanged) -> None:
    state.members[fact.member].status = fact.status


def _key_added(state: ChainState, fact: facts.KeyAdded) -> None:
    state.keys[fact.key] = Key(fact.member, fact.scopes, fact.since, fact.until)


def _key_retired(state: ChainState, fact: facts.KeyRetired) -> None:
    state.keys[fact.key].status = KeyStatus.RETIRED


def _key_revoked(state: ChainState, fact: facts.KeyRevoked) -> None:
    state.keys[fact.key].status = KeyStatus.REVOKED


def _cash_account_opened(state: ChainState, fact: facts.CashAccountOpened) -> None:
    state.cash_accounts[fact.account] = CashAccount(fact.member, fact.kind)


def _cash_moved(state: ChainState, fact: facts.CashMoved) -> None:
    # Neither nobody nor the settlement contract, through which nets pass, has an account.
    for account, amount in ((fact.sender, -fact.amount), (fact.receiver, fact.amount)):
        if account in state.cash_accounts:
            state.cash_accounts[account].balance += amount


def _customer_cash_moved(state: ChainState, fact: facts.CustomerCashMoved) -> None:
    for account in fact.accounts:
        state.cash_accounts[account].member = fact.successor


def _trade_held(state: ChainState, fact: facts.TradeHeld) -> None:
    hold = Hold(fact.token, fact.seller, fact.quantity, fact.buyer_cash, fact.price * fact.quantity)
    state.holds[fact.venue, fact.trade_id] = hold
    state.token(hold.token).position(hold.account).held += hold.units
    _hold_cash(state, hold, 1)


def _hold_ended(state: ChainState, fact: facts.HoldReleased | facts.TradeSettled) -> None:
    hold = state.holds.pop((fact.venue, fact.trade_id), None)
    if hold is not None:
        state.token(hold.token).position(hold.account).held -= hold.units
        _hold_cash(state, hold, -1)


def _hold_cash(state: ChainState, hold: Hold, times: int) -> None:
    if hold.cash_account in state.cash_accounts:
        state.cash_accounts[hold.cash_account].held += times * hold.amount


def _order_canceled(state: ChainState, fact: facts.OrderCanceled) -> None:
    state.canceled[fact.broker, fact.nonce] = None


_HANDLERS: dict[type, Callable[[ChainState, Any], None]] = {
    facts.Transferred: _transferred,
    facts.IssueCreated: _issue_created,
    facts.Paused: _paused,
    facts.AddressFrozen: _address_frozen,
    facts.UnitsFrozen: _units_frozen,
    facts.QuantityRegistered: _quantity_registered,
    facts.EncumbranceSet: _encumbrance_set,
    facts.EncumbranceReleased: _encumbrance_released,
    facts.EncumbrancesMoved: _encumbrances_moved,
    facts.RuleSetAnnounced: _rule_set_announced,
    facts.AccountBound: _account_bound,
    facts.AccountRemoved: _account_removed,
    facts.ClaimAttested: _claim_attested,
    facts.ClaimRevoked: _claim_revoked,
    facts.TopicAdded: _topic_added,
    facts.TopicRemoved: _topic_removed,
    facts.IssuerTrusted: _issuer_trusted,
    facts.MemberAdmitted: _member_admitted,
    facts.MemberStatusChanged: _member_status_changed,
    facts.KeyAdded: _key_added,
    facts.KeyRetired: _key_retired,
    facts.KeyRevoked: _key_revoked,
    facts.CashAccountOpened: _cash_account_opened,
    facts.CashMoved: _cash_moved,
    facts.OrderCanceled: _order_canceled,
    facts.TradeHeld: _trade_held,
    facts.HoldReleased: _hold_ended,
    facts.TradeSettled: _hold_ended,
    facts.CustomerCashMoved: _customer_cash_moved,
}
