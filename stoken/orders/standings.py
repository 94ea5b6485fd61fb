# SPDX-License-Identifier: Apache-2.0
"""Both sides of Q5 for what open orders promise: reserved, in flight and locked beside what the chain holds."""

from collections import Counter
from typing import Final, NamedTuple

from stoken.domain.chain_records import CashAccount
from stoken.domain.codes import HoldEffect, OwnerType, Side
from stoken.domain.facts import Address, MemberId
from stoken.orders.outcomes import CoverEvaluated
from stoken.orders.records import OrderRecord
from stoken.orders.state import VenueState

#: The number of `DECISIONS` from which on blocks cancel what they uncover, and what is held counts once.
COVER_FOLLOWED: Final = 1
#: What an account of the deposit token holds that was never opened; never changed.
NO_CASH: Final = CashAccount(bytes(20), OwnerType.CUSTOMER)


class Held(NamedTuple):
    """What orders promise: units of a security on an account, or what an account of the deposit token holds."""

    token: Address
    account: Address


class Standing(NamedTuple):
    """What is promised of it or locked, and what there is."""

    promised: int
    held: int

    @property
    def is_covered(self) -> bool:
        """Tell whether Q5 holds."""
        return self.promised <= self.held


def held_for(state: VenueState, record: OrderRecord) -> Held:
    """Return what an order promises."""
    order = record.entry.order
    return Held(order.token, order.account) if record.side == Side.SELL else Held(state.cash, order.cash_account)


def standing(state: VenueState, held: Held) -> Standing:
    """Add up both sides of Q5 by what the venue has noted as reserved and in flight."""
    reservations = state.reservations
    promise = reservations.pool(held.account) if held.token == state.cash else reservations.units(*held)
    return sides(state, held, promise.reserved, promise.in_flight)


def not_held(state: VenueState, held: Held) -> int:
    """Return what is in flight of it and not held on chain: what is held is no part of the available any more."""
    reservations = state.reservations
    promise = reservations.pool(held.account) if held.token == state.cash else reservations.units(*held)
    if state.decisions < COVER_FOLLOWED:
        return promise.in_flight
    return max(0, promise.in_flight - _held_in_flight(state, held))


def _held_in_flight(state: VenueState, held: Held) -> int:
    """Return what the chain holds of an account for trades of this venue that the venue counts as its own."""
    found = state.held_in_flight
    if found is None:
        found = state.held_in_flight = Counter()
        for (venue, trade_id), hold in state.chain.trade_holds.items():
            record = state.trades.get(trade_id) if venue == state.venue else None
            # After a recovery units are held on another account than the one they are in flight from.
            if record is not None and record.trade.sell.account == hold.account:
                found[hold.token, hold.account] += hold.units
            if record is not None and record.trade.buy.cash_account == hold.cash_account:
                found[state.cash, hold.cash_account] += hold.amount
    return found.get(held, 0)


def sides(state: VenueState, held: Held, reserved: int, in_flight: int) -> Standing:
    """Add up both sides of Q5; a frozen account, or one that may not sell, is locked as a whole."""
    chain = state.chain
    if held.token == state.cash:
        cash = chain.cash_accounts.get(held.account, NO_CASH)
        return Standing(reserved + _with_held(state, held, in_flight, cash.held), cash.balance)
    position = chain.token(held.token).held_by(held.account)
    locked = position.lockup + position.pledged + position.restricted + position.frozen_units
    if position.frozen or chain.holds.get(held.account, 0) & HoldEffect.NO_SALE:
        locked = position.balance
    return Standing(reserved + _with_held(state, held, in_flight, position.held) + locked, position.balance)


def _with_held(state: VenueState, held: Held, in_flight: int, on_chain: int) -> int:
    """Add what the chain holds to what is in flight; what it holds for trades of this venue is in flight already."""
    own = _held_in_flight(state, held)
    return max(in_flight, own) + on_chain - own


def reserved(state: VenueState, held: Held) -> int:
    """Return what open orders promise of it."""
    reservations = state.reservations
    return reservations.reserved_cash(held.account) if held.token == state.cash else reservations.reserved_units(*held)


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


def _member(state: VenueState, held: Held) -> MemberId:
    if held.token == state.cash:
        return state.chain.cash_accounts.get(held.account, NO_CASH).member
    bound = state.chain.accounts.get(held.account)
    return state.accounts[held.account].broker if bound is None else bound.manager
