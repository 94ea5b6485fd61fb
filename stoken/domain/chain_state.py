# SPDX-License-Identifier: Apache-2.0
"""The chain's state as the venue needs it, folded from the facts of final blocks.

Positions, rules and verification are kept as the contracts keep them, so that a verdict on this state
equals the contracts' own at the same block.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

import msgspec

from stoken.domain import facts
from stoken.domain.chain_records import CashAccount, Encumbrance, Hold, RuleSet, Table, Token
from stoken.domain.codes import KeyStatus
from stoken.domain.facts import Address, Fact, MemberId
from stoken.domain.registrations import NOBODY, REGISTRATIONS, Registrations


class Approval(NamedTuple):
    """What one approval allows: a module's, under a compliance contract, of exactly these accounts and units."""

    module: Address
    compliance: Address
    sender: Address
    receiver: Address
    units: int


class ChainState(Registrations):
    """Everything the chain says that an order may depend on, as of one final block."""

    __slots__ = (
        "approval_ids",
        "approvals",
        "blackouts",
        "block_hash",
        "block_number",
        "block_time",
        "canceled",
        "cash_accounts",
        "encumbrances",
        "modules",
        "rule_sets",
        "served",
        "table",
        "tokens",
        "trade_holds",
    )

    def __init__(self, table: Table = dict) -> None:
        """Start before the first block; `table` makes what grows with the holders."""
        super().__init__(table)
        self.table = table
        self.block_number = -1
        self.block_hash = bytes(32)
        self.block_time = 0
        self.tokens: dict[Address, Token] = {}
        #: By compliance contract; a token refers to its contract's list.
        self.rule_sets: dict[Address, list[RuleSet]] = {}
        #: Compliance contracts by the token that they serve.
        self.served: dict[Address, Address] = {}
        #: Module contracts by the hash of their code.
        self.modules: dict[Address, bytes] = {}
        #: Until when a move may happen, by module and what it approves.
        self.approvals: dict[Approval, int] = {}
        self.approval_ids: dict[tuple[Address, bytes], Approval] = {}
        #: Sides and last second, by module, compliance contract and identity.
        self.blackouts: dict[tuple[Address, Address, Address], tuple[int, int]] = {}
        self.cash_accounts: dict[Address, CashAccount] = {}
        self.encumbrances: MutableMapping[bytes, Encumbrance] = table()
        self.canceled: dict[tuple[MemberId, int], None] = {}
        #: Trades held until a later day, by venue and trade id.
        self.trade_holds: dict[tuple[MemberId, int], Hold] = {}

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
            token = self.tokens[address] = Token(self.table)
        return token

    def counted_as(self, account: Address, token: Address) -> Address:
        """Return the identity under which an account's units of a token count.

        That is its first, also after that was replaced, until the units are counted anew.
        """
        held = self.tokens.get(token)
        if held is not None and account in held.counted:
            return held.counted[account]
        first = self.first_identities.get(account)
        if first is not None:
            return first
        bound = self.accounts.get(account)
        return NOBODY if bound is None else bound.identity

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
        tables: tuple[Mapping[Any, Any], ...] = (
            self.tokens,
            self.rule_sets,
            self.modules,
            self.approvals,
            self.blackouts,
            self.accounts,
            self.first_identities,
            self.claims,
            self.issuers,
            self.members,
            self.keys,
            self.cash_accounts,
            self.encumbrances,
            self.canceled,
            self.trade_holds,
            self.topics_beyond,
            self.holds,
            self.restrictions,
            self.codes,
            self.notes,
        )
        head = (self.block_number, self.block_hash, self.block_time, self.topics, self.suspended)
        body = [sorted((key, _plain(value)) for key, value in table.items()) for table in tables]
        return hashlib.sha256(msgspec.msgpack.encode((head, body))).hexdigest()


def _plain(value: object) -> object:
    """Write a record as plain, sorted data; the bitmap of countries has more bits than msgpack's integers."""
    if isinstance(value, int) and value >= 2**64:
        return value.to_bytes(128)
    if isinstance(value, Mapping):
        return sorted((key, _plain(held)) for key, held in value.items())
    if isinstance(value, list):
        return [_plain(held) for held in value]
    slots = getattr(type(value), "__slots__", ())
    return [_plain(getattr(value, name)) for name in slots] if slots else value


def _transferred(state: ChainState, fact: facts.Transferred) -> None:
    token = state.token(fact.token)
    sender = receiver = NOBODY
    if fact.sender != NOBODY:
        sender = state.counted_as(fact.sender, fact.token)
        token.position(fact.sender).balance -= fact.units
        token.move(sender, -fact.units)
    else:
        token.minted += fact.units
    if fact.receiver != NOBODY:
        receiver = state.counted_as(fact.receiver, fact.token)
        token.position(fact.receiver).balance += fact.units
        token.move(receiver, fact.units)
    else:
        token.burned += fact.units
    _count_window(state, token, sender, receiver, fact.units)


def _count_window(state: ChainState, token: Token, sender: Address, receiver: Address, units: int) -> None:
    token.unjudged = None
    if not units or receiver in {NOBODY, sender}:
        return
    rules = token.rules_at(state.block_number)
    if rules.window_units:
        token.receive(receiver, units, rules, state.block_time)


def _units_relocated(state: ChainState, fact: facts.UnitsRelocated) -> None:
    token = state.served.get(fact.compliance)
    if token is not None:
        state.token(token).excuse(fact.receiver)


def _account_recounted(state: ChainState, fact: facts.AccountRecounted) -> None:
    served = state.served.get(fact.compliance)
    if served is None:
        return
    token, units = state.token(served), state.token(served).held_by(fact.account).balance
    token.move(state.counted_as(fact.account, served), -units)
    token.counted[fact.account] = fact.identity
    token.move(fact.identity, units)


def _issue_created(state: ChainState, fact: facts.IssueCreated) -> None:
    token = state.token(fact.token)
    token.isin, token.compliance = fact.isin, fact.compliance
    token.rules = state.rule_sets.setdefault(fact.compliance, [])
    state.served[fact.compliance] = fact.token


def _paused(state: ChainState, fact: facts.Paused) -> None:
    state.token(fact.token).paused = fact.paused


def _terminated(state: ChainState, fact: facts.Terminated) -> None:
    state.token(fact.token).terminated = True


def _address_frozen(state: ChainState, fact: facts.AddressFrozen) -> None:
    state.token(fact.token).position(fact.account).frozen = fact.frozen


def _units_frozen(state: ChainState, fact: facts.UnitsFrozen) -> None:
    state.token(fact.token).position(fact.account).frozen_units += fact.units


def _quantity_registered(state: ChainState, fact: facts.QuantityRegistered) -> None:
    state.token(fact.token).registered = fact.quantity


def _encumbrance_set(state: ChainState, fact: facts.EncumbranceSet) -> None:
    encumbrance = Encumbrance(fact.token, fact.account, fact.kind, fact.units, fact.until, fact.party, fact.reason)
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
    for hold in state.trade_holds.values():
        if hold.token == fact.token and hold.account == fact.lost:
            token.position(fact.lost).held -= hold.units
            token.position(fact.successor).held += hold.units
            hold.account = fact.successor


def _encumbrance_carried(state: ChainState, fact: facts.EncumbranceCarried) -> None:
    held = state.encumbrances[fact.id]
    token = state.token(held.token)
    token.position(held.account).encumber(held.kind, -held.units)
    held.account = fact.receiver
    token.position(held.account).encumber(held.kind, held.units)


def _encumbrance_rescaled(state: ChainState, fact: facts.EncumbranceRescaled) -> None:
    held = state.encumbrances[fact.id]
    state.token(held.token).position(held.account).encumber(held.kind, fact.units - held.units)
    held.units = fact.units


def _rule_set_announced(state: ChainState, fact: facts.RuleSetAnnounced) -> None:
    allowed = sum(int.from_bytes(fact.countries[32 * word : 32 * word + 32]) << (256 * word) for word in range(4))
    versions = state.rule_sets.setdefault(fact.compliance, [])
    versions.append(
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
            fact.window_units,
            fact.window_seconds,
            fact.off_venue_barred,
            versions[-1].modules if versions else (),
        )
    )


def _module_added(state: ChainState, fact: facts.ModuleAdded) -> None:
    state.modules[fact.module] = fact.code_hash
    for rules in state.rule_sets.get(fact.compliance, []):
        if rules.version == fact.version:
            rules.modules = tuple(sorted({*rules.modules, fact.module}))


def _module_removed(state: ChainState, fact: facts.ModuleRemoved) -> None:
    for rules in state.rule_sets.get(fact.compliance, []):
        if rules.version == fact.version:
            rules.modules = tuple(module for module in rules.modules if module != fact.module)


def _transfer_approved(state: ChainState, fact: facts.TransferApproved) -> None:
    approval = Approval(fact.module, fact.compliance, fact.sender, fact.receiver, fact.units)
    state.approvals[approval] = fact.until
    state.approval_ids[fact.module, fact.id] = approval


def _approval_used(state: ChainState, fact: facts.ApprovalUsed) -> None:
    approval = state.approval_ids.pop((fact.module, fact.id), None)
    if approval is not None:
        del state.approvals[approval]


def _blackout_set(state: ChainState, fact: facts.BlackoutSet) -> None:
    state.blackouts[fact.module, fact.compliance, fact.identity] = fact.sides, fact.until


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
    state.trade_holds[fact.venue, fact.trade_id] = hold
    state.token(hold.token).position(hold.account).held += hold.units
    _hold_cash(state, hold, 1)


def _hold_ended(state: ChainState, fact: facts.HoldReleased | facts.TradeSettled) -> None:
    hold = state.trade_holds.pop((fact.venue, fact.trade_id), None)
    if hold is not None:
        state.token(hold.token).position(hold.account).held -= hold.units
        _hold_cash(state, hold, -1)


def _hold_cash(state: ChainState, hold: Hold, times: int) -> None:
    if hold.cash_account in state.cash_accounts:
        state.cash_accounts[hold.cash_account].held += times * hold.amount


def _order_canceled(state: ChainState, fact: facts.OrderCanceled) -> None:
    state.canceled[fact.broker, fact.nonce] = None


_HANDLERS: dict[type, Callable[[ChainState, Any], None]] = {
    **REGISTRATIONS,
    facts.Transferred: _transferred,
    facts.IssueCreated: _issue_created,
    facts.Paused: _paused,
    facts.AddressFrozen: _address_frozen,
    facts.UnitsFrozen: _units_frozen,
    facts.QuantityRegistered: _quantity_registered,
    facts.EncumbranceSet: _encumbrance_set,
    facts.EncumbranceReleased: _encumbrance_released,
    facts.EncumbrancesMoved: _encumbrances_moved,
    facts.EncumbranceCarried: _encumbrance_carried,
    facts.EncumbranceRescaled: _encumbrance_rescaled,
    facts.RuleSetAnnounced: _rule_set_announced,
    facts.ModuleAdded: _module_added,
    facts.ModuleRemoved: _module_removed,
    facts.UnitsRelocated: _units_relocated,
    facts.AccountRecounted: _account_recounted,
    facts.TransferApproved: _transfer_approved,
    facts.ApprovalUsed: _approval_used,
    facts.BlackoutSet: _blackout_set,
    facts.CashAccountOpened: _cash_account_opened,
    facts.CashMoved: _cash_moved,
    facts.OrderCanceled: _order_canceled,
    facts.Terminated: _terminated,
    facts.TradeHeld: _trade_held,
    facts.HoldReleased: _hold_ended,
    facts.TradeSettled: _hold_ended,
    facts.CustomerCashMoved: _customer_cash_moved,
}
