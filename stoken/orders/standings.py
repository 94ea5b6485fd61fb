# SPDX-License-Identifier: Apache-2.0
"""Both sides of Q5 for what open orders promise: reserved, in flight and locked beside what the chain holds."""

from typing import Final, NamedTuple

from stoken.domain.chain_records import CashAccount
from stoken.domain.codes import HoldEffect, OwnerType, Side
from stoken.domain.facts import Address, MemberId
from stoken.orders.outcomes import CoverEvaluated
from stoken.orders.records import OrderRecord
from stoken.orders.state import VenueState

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


def sides(state: VenueState, held: Held, reserved: int, in_flight: int) -> Standing:
    """Add up both sides of Q5; a frozen account, or one that may not sell, is locked as a whole."""
    chain = state.chain
    if held.token == state.cash:
        cash = chain.cash_accounts.get(held.account, NO_CASH)
        return Standing(reserved + max(in_flight, cash.held), cash.balance)
    position = chain.token(held.token).held_by(held.account)
    locked = position.lockup + position.pledged + position.restricted + position.frozen_units
    if position.frozen or chain.holds.get(held.account, 0) & HoldEffect.NO_SALE:
        locked = position.balance
    # What is held for a later day is in flight as well.
    return Standing(reserved + max(in_flight, position.held) + locked, position.balance)


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
