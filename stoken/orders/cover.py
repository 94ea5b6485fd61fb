# SPDX-License-Identifier: Apache-2.0
"""Q5 of what the venue promised: what a final block leaves uncovered of open orders it cancels, the youngest first."""

from collections.abc import Iterable

from stoken.compliance.verdict import Commitments, cover_verdict
from stoken.domain.codes import Side
from stoken.domain.facts import Fact
from stoken.domain.refusals import Refusal
from stoken.orders.checks import cash_on_chain
from stoken.orders.lifecycle import cancel
from stoken.orders.records import OrderRecord
from stoken.orders.standings import Held, evaluate, held_for, not_held, reserved, standing
from stoken.orders.state import Decline, VenueState, decline, declined_by
from stoken.orders.touching import touched


def follow_cover(state: VenueState, block_facts: Iterable[Fact]) -> None:
    """Cancel what the block left uncovered of the accounts that it touched, then say how each broker's stand."""
    _follow(state, touched(state, block_facts))


def follow_all(state: VenueState) -> None:
    """Do so of every account that has open orders: an older version let blocks uncover them."""
    _follow(state, dict.fromkeys(held_for(state, record) for record in state.open_orders.values()))


def _follow(state: VenueState, looked_at: Iterable[Held]) -> None:
    promised = [held for held in looked_at if reserved(state, held)]
    short: dict[Held, list[OrderRecord]] = {held: [] for held in promised if not standing(state, held).is_covered}
    if short:
        for record in state.open_orders.values():
            if (held := held_for(state, record)) in short:
                short[held].append(record)
    for records in short.values():
        _cancel_uncovered(state, records)
    state.events += evaluate(state, {held: standing(state, held) for held in promised if reserved(state, held)})


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
        beside = promise.reserved - record.leaves_quantity + not_held(state, held_for(state, record))
        verdict = cover_verdict(chain, order.token, order.account, record.leaves_quantity, Commitments(beside))
        return None if verdict is None else declined_by(verdict)
    pool = state.reservations.pool(order.cash_account)
    needed = order.price * record.leaves_quantity
    beside = pool.reserved - needed + not_held(state, held_for(state, record))
    available = cash_on_chain(chain, order.cash_account) - beside
    if available >= needed:
        return None
    return decline(Refusal.INSUFFICIENT_CASH, account=order.cash_account, available=max(0, available), needed=needed)
