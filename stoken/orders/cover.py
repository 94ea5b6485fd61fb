# SPDX-License-Identifier: Apache-2.0
"""Q5 of what the venue promised: what a final block leaves uncovered of open orders it cancels, the youngest first."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from stoken.compliance.verdict import Commitments, cover_verdict
from stoken.domain import facts
from stoken.domain.chain_records import CashAccount
from stoken.domain.codes import HoldEffect, OwnerType, Side
from stoken.domain.facts import Address, Fact, MemberId
from stoken.domain.refusals import Refusal
from stoken.orders.checks import cash_on_chain
from stoken.orders.lifecycle import cancel
from stoken.orders.outcomes import CoverEvaluated
from stoken.orders.records import OrderRecord
from stoken.orders.state import Decline, VenueState, decline, declined_by

#: The number of `DECISIONS` from which on blocks cancel what they uncover.
COVER_FOLLOWED: Final = 1
#: What an account of the deposit token holds that was never opened; never changed.
_NO_CASH: Final = CashAccount(bytes(20), OwnerType.CUSTOMER)


class Held(NamedTuple):
    """What orders promise: units of a security on an account, or what an account of the deposit token holds."""

    token: Address
    account: Address


class Standing(NamedTuple):
    """What is promised of it or locked, and what there is."""

    promised: int
    held: int


def follow_cover(state: VenueState, block_facts: Iterable[Fact]) -> None:
    """Cancel what the block left uncovered of the accounts that it touched, then say how each broker's stand."""
    touched = [held for held in _touched(state, block_facts) if _reserved(state, held)]
    short: dict[Held, list[OrderRecord]] = {held: [] for held in touched if not _is_covered(standing(state, held))}
    if short:
        for record in state.open_orders.values():
            if (held := held_for(state, record)) in short:
                short[held].append(record)
    for records in short.values():
        _cancel_uncovered(state, records)
    state.events += evaluate(state, {held: standing(state, held) for held in touched if _reserved(state, held)})


def evaluate(state: VenueState, found: dict[Held, Standing]) -> list[CoverEvaluated]:
    """Say of each broker which of these accounts is closest to its bound, or furthest beyond it."""
    groups: dict[tuple[Address, MemberId], list[tuple[Held, Standing]]] = {}
    for held, each in found.items():
        groups.setdefault((held.token, _member(state, held)), []).append((held, each))
    return [
        CoverEvaluated(token, member, worst[0].account, *worst[1], len(group))
        for (token, member), group in groups.items()
        for worst in [max(group, key=lambda item: item[1].promised - item[1].held)]
    ]


def held_for(state: VenueState, record: OrderRecord) -> Held:
    """Return what an order promises."""
    order = record.entry.order
    return Held(order.token, order.account) if record.side == Side.SELL else Held(state.cash, order.cash_account)


def standing(state: VenueState, held: Held) -> Standing:
    """Add up both sides of Q5 by what the venue has noted as reserved and in flight."""
    reservations = state.reservations
    promise = reservations.pool(held.account) if held.token == state.cash else reservations.units(*held)
    return sides(state, held, promise.reserved, promise.in_flight)


def sides(state: VenueState, held: Held, reserved: int, in_flight: int) -> Standing:
    """Add up both sides of Q5; a frozen account, or one that may not sell, is locked as a whole."""
    chain = state.chain
    if held.token == state.cash:
        cash = chain.cash_accounts.get(held.account, _NO_CASH)
        return Standing(reserved + max(in_flight, cash.held), cash.balance)
    position = chain.token(held.token).held_by(held.account)
    locked = position.lockup + position.pledged + position.restricted + position.frozen_units
    if position.frozen or chain.holds.get(held.account, 0) & HoldEffect.NO_SALE:
        locked = position.balance
    # What is held for a later day is in flight as well.
    return Standing(reserved + max(in_flight, position.held) + locked, position.balance)


def _is_covered(each: Standing) -> bool:
    return each.promised <= each.held


def _reserved(state: VenueState, held: Held) -> int:
    reservations = state.reservations
    return reservations.reserved_cash(held.account) if held.token == state.cash else reservations.reserved_units(*held)


def _cancel_uncovered(state: VenueState, records: list[OrderRecord]) -> None:
    for record in reversed(records):
        because = _uncovered(state, record)
        if because is None:
            return
        cancel(state, record, because)


def _uncovered(state: VenueState, record: OrderRecord) -> Decline | None:
    """Say why an order is not covered beside the older ones, with what is in flight."""
    order, chain = record.entry.order, state.chain
    if record.side == Side.SELL:
        promise = state.reservations.units(order.token, order.account)
        later = chain.token(order.token).held_by(order.account).held
        beside = promise.reserved - record.leaves_quantity + max(0, promise.in_flight - later)
        verdict = cover_verdict(chain, order.token, order.account, record.leaves_quantity, Commitments(beside))
        return None if verdict is None else declined_by(verdict)
    pool, cash = state.reservations.pool(order.cash_account), chain.cash_accounts.get(order.cash_account, _NO_CASH)
    needed = order.price * record.leaves_quantity
    beside = pool.reserved - needed + max(0, pool.in_flight - cash.held)
    available = cash_on_chain(chain, order.cash_account) - beside
    if available >= needed:
        return None
    return decline(Refusal.INSUFFICIENT_CASH, account=order.cash_account, available=max(0, available), needed=needed)


def _member(state: VenueState, held: Held) -> MemberId:
    if held.token == state.cash:
        return state.chain.cash_accounts.get(held.account, _NO_CASH).member
    bound = state.chain.accounts.get(held.account)
    return state.accounts[held.account].broker if bound is None else bound.manager


def _touched(state: VenueState, block_facts: Iterable[Fact]) -> dict[Held, None]:
    """Return of what a block may have left less free, in the order in which it did."""
    found: dict[Held, None] = {}
    for fact in block_facts:
        look = _TOUCHING.get(type(fact))
        if look is not None:
            found.update(dict.fromkeys(look(state, fact)))
    return found


def _of_account(
    _state: VenueState, fact: facts.AddressFrozen | facts.UnitsFrozen | facts.EncumbranceSet
) -> Iterable[Held]:
    return (Held(fact.token, fact.account),)


def _of_sender(_state: VenueState, fact: facts.Transferred) -> Iterable[Held]:
    return (Held(fact.token, fact.sender),)


def _of_successor(_state: VenueState, fact: facts.EncumbrancesMoved) -> Iterable[Held]:
    return (Held(fact.token, fact.successor),)


def _of_encumbered(state: VenueState, fact: facts.EncumbranceRescaled) -> Iterable[Held]:
    rescaled = state.chain.encumbrances.get(fact.id)
    return () if rescaled is None else (Held(rescaled.token, rescaled.account),)


def _of_every_issue(state: VenueState, fact: facts.AccountHeld) -> Iterable[Held]:
    return (Held(token, fact.account) for token in state.instruments_by_token)


def _of_both_legs(_state: VenueState, fact: facts.TradeHeld) -> Iterable[Held]:
    return Held(fact.token, fact.seller), Held(fact.cash, fact.buyer_cash)


def _of_payer(state: VenueState, fact: facts.CashMoved) -> Iterable[Held]:
    return (Held(state.cash, fact.sender),)


_TOUCHING: Final[dict[type, Callable[[VenueState, Any], Iterable[Held]]]] = {
    facts.AddressFrozen: _of_account,
    facts.UnitsFrozen: _of_account,
    facts.EncumbranceSet: _of_account,
    facts.Transferred: _of_sender,
    facts.EncumbrancesMoved: _of_successor,
    facts.EncumbranceRescaled: _of_encumbered,
    facts.AccountHeld: _of_every_issue,
    facts.TradeHeld: _of_both_legs,
    facts.CashMoved: _of_payer,
}
