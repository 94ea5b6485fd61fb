# SPDX-License-Identifier: Apache-2.0
"""Facts folded into the ledger's rows, one function a fact; arguments of events are all they look at."""

from collections.abc import Callable, Container, Iterable
from typing import Any, Final

import msgspec

from stoken.domain import facts
from stoken.domain.codes import EncumbranceKind
from stoken.domain.facts import Address, Fact
from stoken.ledger.control_folds import CONTROL
from stoken.ledger.rows import (
    Account,
    CashAccount,
    CashTotal,
    Claim,
    ClaimIssuer,
    ClaimTopic,
    Encumbrance,
    Fill,
    Instrument,
    Position,
    RecordDate,
    Relocation,
    RuleSet,
    Trade,
)
from stoken.ledger.state import State

NOBODY: Final[Address] = bytes(20)
_ADDRESS: Final = len(NOBODY)


def fold_all(state: State, facts_: Iterable[Fact]) -> None:
    """Change the state by the facts of the current block."""
    add_units = state.add_units
    for fact in facts_:
        # Nearly all facts of a dense history are transfers between accounts.
        if type(fact) is facts.Transferred and fact.sender != NOBODY != fact.receiver:
            add_units(fact.token, fact.sender, -fact.units)
            add_units(fact.token, fact.receiver, fact.units)
        else:
            _FOLDS[type(fact)](state, fact)


def keys_of(facts_: Iterable[Fact], known: Container[tuple[Any, ...]]) -> dict[str, set[tuple[Any, ...]]]:
    """Return by table the rows that folding facts of the frequent kinds will read, so that they can be read at once.

    Positions that are known are left out.
    """
    positions, accounts, claims, trades = (set[tuple[Any, ...]]() for _ in range(4))
    for fact in facts_:
        if type(fact) is facts.Transferred:
            sender, receiver = (fact.token, fact.sender), (fact.token, fact.receiver)
            if sender not in known:
                positions.add(sender)
            if receiver not in known:
                positions.add(receiver)
        elif isinstance(fact, facts.AccountBound | facts.AccountRemoved):
            accounts.add((fact.account,))
        elif isinstance(fact, facts.ClaimAttested | facts.ClaimRevoked):
            claims.add((fact.identity, fact.issuer))
        elif isinstance(fact, facts.TradeSettled):
            trades.add((fact.venue, fact.trade_id))
            accounts |= {(fact.seller,), (fact.buyer,)}
    return {"positions": positions, "accounts": accounts, "claims": claims, "trades": trades}


def _transferred(state: State, fact: facts.Transferred) -> None:
    token, units = fact.token, fact.units
    if fact.sender == NOBODY:
        held = _instrument(state, token)
        _put_instrument(state, held._replace(minted=held.minted + units, supply=held.supply + units))
    else:
        state.add_units(token, fact.sender, -units)
    if fact.receiver == NOBODY:
        held = _instrument(state, token)
        _put_instrument(state, held._replace(burned=held.burned + units, supply=held.supply - units))
    else:
        state.add_units(token, fact.receiver, units)


def _position(state: State, token: Address, account: Address) -> Position:
    return state.position(token, account)


def _put_position(state: State, row: Position) -> None:
    state.put_position(row)


def _instrument(state: State, token: Address) -> Instrument:
    return state.get(Instrument, "instruments", token) or Instrument(token)


def _put_instrument(state: State, row: Instrument) -> None:
    state.put("instruments", row[:1], row)


def _issue_created(state: State, fact: facts.IssueCreated) -> None:
    held = _instrument(state, fact.token)
    _put_instrument(state, held._replace(isin=fact.isin, compliance=fact.compliance))


def _paused(state: State, fact: facts.Paused) -> None:
    _put_instrument(state, _instrument(state, fact.token)._replace(paused=fact.paused))


def _record_date_set(state: State, fact: facts.RecordDateSet) -> None:
    row = RecordDate(fact.token, fact.id, fact.block_number, fact.time)
    state.put("record_dates", row[:2], row)


def _terminated(state: State, fact: facts.Terminated) -> None:
    ended = _instrument(state, fact.token)._replace(terminated=True, terminated_block=state.block_number)
    _put_instrument(state, ended)


def _address_frozen(state: State, fact: facts.AddressFrozen) -> None:
    _put_position(state, _position(state, fact.token, fact.account)._replace(frozen=fact.frozen))


def _units_frozen(state: State, fact: facts.UnitsFrozen) -> None:
    held = _position(state, fact.token, fact.account)
    _put_position(state, held._replace(frozen_units=held.frozen_units + fact.units))


def _quantity_registered(state: State, fact: facts.QuantityRegistered) -> None:
    _put_instrument(state, _instrument(state, fact.token)._replace(registered=fact.quantity))


def _encumbrance_set(state: State, fact: facts.EncumbranceSet) -> None:
    row = Encumbrance(
        fact.id, fact.token, fact.account, fact.kind, fact.units, fact.until, party=fact.party, reason=fact.reason
    )
    state.put("encumbrances", (fact.id,), row)
    _encumber(state, row, fact.units)


def _encumbrance_released(state: State, fact: facts.EncumbranceReleased) -> None:
    held = state.get(Encumbrance, "encumbrances", fact.id)
    if held is None or held.released:
        return
    state.put("encumbrances", (fact.id,), held._replace(released=True))
    _encumber(state, held._replace(account=_holder(state, held.token, held.account)), -held.units)


def _encumbrance_carried(state: State, fact: facts.EncumbranceCarried) -> None:
    held = state.get(Encumbrance, "encumbrances", fact.id)
    if held is None or held.released:
        return
    _encumber(state, held._replace(account=fact.sender), -held.units)
    carried = held._replace(account=fact.receiver)
    state.put("encumbrances", (fact.id,), carried)
    _encumber(state, carried, held.units)


def _encumbrance_rescaled(state: State, fact: facts.EncumbranceRescaled) -> None:
    held = state.get(Encumbrance, "encumbrances", fact.id)
    if held is None or held.released:
        return
    state.put("encumbrances", (fact.id,), held._replace(units=fact.units))
    _encumber(state, held._replace(account=_holder(state, held.token, held.account)), fact.units - held.units)


def _encumbrances_moved(state: State, fact: facts.EncumbrancesMoved) -> None:
    lost, successor = _position(state, fact.token, fact.lost), _position(state, fact.token, fact.successor)
    if fact.lost == fact.successor:
        return
    sums = (lost.lockup + successor.lockup, lost.pledged + successor.pledged, lost.restricted + successor.restricted)
    _put_position(state, lost._replace(lockup=0, pledged=0, restricted=0))
    _put_position(state, successor._replace(lockup=sums[0], pledged=sums[1], restricted=sums[2]))
    state.put("relocations", (fact.token, fact.lost), Relocation(fact.token, fact.lost, fact.successor))


def _holder(state: State, token: Address, account: Address) -> Address:
    """Follow an encumbered account to where its units went; as the contract does, but never in a circle."""
    seen = {account}
    while (moved := state.get(Relocation, "relocations", token, account)) is not None and moved.successor not in seen:
        account = moved.successor
        seen.add(account)
    return account


def _encumber(state: State, encumbrance: Encumbrance, units: int) -> None:
    held = _position(state, encumbrance.token, encumbrance.account)
    if encumbrance.kind == EncumbranceKind.LOCKUP:
        held = held._replace(lockup=held.lockup + units)
    elif encumbrance.kind == EncumbranceKind.PLEDGE:
        held = held._replace(pledged=held.pledged + units)
    else:
        held = held._replace(restricted=held.restricted + units)
    _put_position(state, held)


def _rule_set_announced(state: State, fact: facts.RuleSetAnnounced) -> None:
    last = state.get(RuleSet, "rule_sets", fact.compliance, fact.version - 1)
    row = RuleSet(
        fact.compliance,
        fact.version,
        fact.effective_block,
        fact.cap_units,
        fact.cap_bps,
        fact.classes,
        fact.holder_limit,
        fact.lot,
        fact.countries_allowed,
        fact.countries,
        fact.window_units,
        fact.window_seconds,
        fact.off_venue_barred,
        b"" if last is None else last.modules,
    )
    state.put("rule_sets", row[:2], row)


def _modules_changed(state: State, fact: facts.ModuleAdded | facts.ModuleRemoved) -> None:
    held = state.get(RuleSet, "rule_sets", fact.compliance, fact.version)
    if held is None:
        return
    modules = {held.modules[at : at + _ADDRESS] for at in range(0, len(held.modules), _ADDRESS)} - {fact.module}
    if isinstance(fact, facts.ModuleAdded):
        modules.add(fact.module)
    state.put("rule_sets", held[:2], held._replace(modules=b"".join(sorted(modules))))


def _kept_by_the_venue(_state: State, _fact: Fact) -> None:
    """Change nothing: only verdicts depend on it, and the venue folds it from the feed."""


def _account_bound(state: State, fact: facts.AccountBound) -> None:
    row = Account(fact.account, fact.manager, fact.identity, fact.country, fact.investor_class, fact.owner_type)
    state.put("accounts", (fact.account,), row)


def _account_removed(state: State, fact: facts.AccountRemoved) -> None:
    if state.get(Account, "accounts", fact.account) is not None:
        state.put("accounts", (fact.account,), None)


def _claim_attested(state: State, fact: facts.ClaimAttested) -> None:
    row = Claim(fact.identity, fact.issuer, fact.topics, fact.until)
    state.put("claims", row[:2], row)


def _claim_revoked(state: State, fact: facts.ClaimRevoked) -> None:
    held = state.get(Claim, "claims", fact.identity, fact.issuer) or Claim(fact.identity, fact.issuer)
    row = held._replace(revoked=True, for_cause=held.for_cause or fact.for_cause)
    state.put("claims", row[:2], row)


def _topic_added(state: State, fact: facts.TopicAdded) -> None:
    state.put("claim_topics", (fact.topic,), ClaimTopic(fact.topic))


def _topic_removed(state: State, fact: facts.TopicRemoved) -> None:
    if state.get(ClaimTopic, "claim_topics", fact.topic) is not None:
        state.put("claim_topics", (fact.topic,), None)


def _issuer_trusted(state: State, fact: facts.IssuerTrusted) -> None:
    known = state.get(ClaimIssuer, "claim_issuers", fact.issuer)
    if fact.topics:
        row = ClaimIssuer(fact.issuer, msgspec.msgpack.encode(fact.topics))
        state.put("claim_issuers", (fact.issuer,), row)
    elif known is not None:
        state.put("claim_issuers", (fact.issuer,), None)


def _cash_account(state: State, account: Address) -> CashAccount:
    return state.get(CashAccount, "cash_accounts", account) or CashAccount(account)


def _cash_account_opened(state: State, fact: facts.CashAccountOpened) -> None:
    held = _cash_account(state, fact.account)
    state.put("cash_accounts", (fact.account,), held._replace(member=fact.member, kind=fact.kind))


def _cash_moved(state: State, fact: facts.CashMoved) -> None:
    if NOBODY in {fact.sender, fact.receiver}:
        _count_cash(state, fact)
    for account, amount in ((fact.sender, -fact.amount), (fact.receiver, fact.amount)):
        if account != NOBODY:
            held = _cash_account(state, account)
            state.put("cash_accounts", (account,), held._replace(balance=held.balance + amount))


def _customer_cash_moved(state: State, fact: facts.CustomerCashMoved) -> None:
    for account in fact.accounts:
        held = _cash_account(state, account)
        state.put("cash_accounts", (account,), held._replace(member=fact.successor))


def _count_cash(state: State, fact: facts.CashMoved) -> None:
    total = state.get(CashTotal, "cash_totals", fact.token) or CashTotal(fact.token)
    if fact.sender == NOBODY:
        total = total._replace(credited=total.credited + fact.amount)
    if fact.receiver == NOBODY:
        total = total._replace(debited=total.debited + fact.amount)
    state.put("cash_totals", (fact.token,), total)


def _trade_settled(state: State, fact: facts.TradeSettled) -> None:
    row = Trade(
        fact.venue,
        fact.trade_id,
        settled=True,
        token=fact.token,
        seller=fact.seller,
        buyer=fact.buyer,
        quantity=fact.quantity,
        price=fact.price,
        sell_nonce=fact.sell_nonce,
        buy_nonce=fact.buy_nonce,
        block_number=state.block_number,
    )
    state.put("trades", row[:2], row)
    _fill(state, fact.seller, fact.sell_nonce, fact.quantity)
    _fill(state, fact.buyer, fact.buy_nonce, fact.quantity)


def _fill(state: State, account: Address, nonce: int, quantity: int) -> None:
    bound = state.get(Account, "accounts", account)
    broker = NOBODY if bound is None else bound.manager
    held = state.get(Fill, "fills", broker, nonce) or Fill(broker, nonce)
    state.put("fills", held[:2], held._replace(filled=held.filled + quantity))


def _trade_failed(state: State, fact: facts.TradeFailed) -> None:
    held = state.get(Trade, "trades", fact.venue, fact.trade_id) or Trade(fact.venue, fact.trade_id)
    if not held.settled:
        row = held._replace(reason=fact.reason, block_number=state.block_number)
        state.put("trades", row[:2], row)


def _order_canceled(state: State, fact: facts.OrderCanceled) -> None:
    held = state.get(Fill, "fills", fact.broker, fact.nonce) or Fill(fact.broker, fact.nonce)
    state.put("fills", held[:2], held._replace(canceled=True))


_FOLDS: Final[dict[type, Callable[[State, Any], None]]] = {
    **CONTROL,
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
    facts.ModuleAdded: _modules_changed,
    facts.ModuleRemoved: _modules_changed,
    facts.UnitsRelocated: _kept_by_the_venue,
    facts.AccountRecounted: _kept_by_the_venue,
    facts.TransferApproved: _kept_by_the_venue,
    facts.ApprovalUsed: _kept_by_the_venue,
    facts.BlackoutSet: _kept_by_the_venue,
    facts.AccountBound: _account_bound,
    facts.AccountRemoved: _account_removed,
    facts.ClaimAttested: _claim_attested,
    facts.ClaimRevoked: _claim_revoked,
    facts.TopicAdded: _topic_added,
    facts.TopicRemoved: _topic_removed,
    facts.IssuerTrusted: _issuer_trusted,
    facts.CashAccountOpened: _cash_account_opened,
    facts.CashMoved: _cash_moved,
    facts.TradeSettled: _trade_settled,
    facts.TradeFailed: _trade_failed,
    facts.OrderCanceled: _order_canceled,
    facts.AccountHeld: _kept_by_the_venue,
    facts.InstitutionRestricted: _kept_by_the_venue,
    facts.NetworkSuspended: _kept_by_the_venue,
    facts.CodeAdmitted: _kept_by_the_venue,
    facts.ClaimNoted: _kept_by_the_venue,
    facts.IssuerNotesVoided: _kept_by_the_venue,
    facts.RecordDateSet: _record_date_set,
    facts.Terminated: _terminated,
    facts.TradeHeld: _kept_by_the_venue,
    facts.HoldReleased: _kept_by_the_venue,
    facts.CustomerCashMoved: _customer_cash_moved,
}
