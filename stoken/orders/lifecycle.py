# SPDX-License-Identifier: Apache-2.0
"""How an open order moves on: it rests and reserves, it is cancelled or expires, it meets another one."""

from collections.abc import Callable
from heapq import heappop, heappush

from stoken.compliance.verdict import Commitments, buyer_verdict, seller_verdict
from stoken.domain.book import Judgement, Resting
from stoken.domain.chain_state import ChainState
from stoken.domain.codes import KeyStatus, MemberStatus, OwnerType, Scope, Side
from stoken.domain.order_states import OrderEvent
from stoken.domain.refusals import Refusal
from stoken.orders.checks import cash_on_chain, new_holders
from stoken.orders.entries import NewOrder
from stoken.orders.outcomes import OrderCanceled, OrderExpired, Trade
from stoken.orders.records import OrderRecord, TradeRecord
from stoken.orders.standings import held_for, not_held
from stoken.orders.state import Decline, VenueState, decline, declined_by


def reserve(state: VenueState, record: OrderRecord, quantity: int) -> None:
    """Set aside what `quantity` of an order needs; a negative quantity gives it back."""
    order, reservations = record.entry.order, state.reservations
    if record.side == Side.SELL:
        reservations.units(order.token, order.account).reserve(quantity)
        return
    value = order.price * quantity
    reservations.buying(order.token, record.identity).reserve(quantity)
    state.limits.reserve(record.account.pseudonym, record.year, value)
    reservations.pool(order.cash_account).reserve(value)
    if record.account.owner_type == OwnerType.CUSTOMER:
        reservations.cash(order.account).reserve(value)


def enter(state: VenueState, record: OrderRecord) -> None:
    """Make an accepted order known and let it meet the book."""
    order = record.entry.order
    state.orders[record.order_id] = state.open_orders[record.order_id] = record
    state.orders_by_nonce[record.entry.broker, order.nonce] = record
    heappush(state.deadlines, (order.tradable_until, record.order_id))
    reserve(state, record, order.quantity)
    refused: list[Decline] = []
    if not record.instrument.book.match(record.resting, _judge(state, record, refused)):
        cancel(state, record, refused[0])
    elif not record.resting.leaves:
        del state.open_orders[record.order_id]


def cancel(state: VenueState, record: OrderRecord, because: Decline | None = None, replaced_by: int = 0) -> None:
    """Withdraw what is left of an open order, for a reason or because the broker said so."""
    leaves = _close(state, record, OrderEvent.CANCEL)
    record.code = None if because is None else because.code
    stamp = state.stamp(record.entry.order.token)
    values = () if because is None else because.values
    state.events.append(OrderCanceled(record.order_id, leaves, record.code, values, stamp, replaced_by))


def expire(state: VenueState, record: OrderRecord) -> None:
    """Let what is left of an open order lapse."""
    leaves = _close(state, record, OrderEvent.EXPIRE)
    state.events.append(OrderExpired(record.order_id, leaves))


def expire_all(state: VenueState) -> None:
    """Let every open order lapse: the session ended."""
    for record in list(state.open_orders.values()):
        expire(state, record)
    state.deadlines.clear()


def expire_due(state: VenueState) -> None:
    """Let orders lapse whose deadline lies before the last final block."""
    while state.deadlines and state.deadlines[0][0] < state.chain.block_time:
        record = state.open_orders.get(heappop(state.deadlines)[1])
        if record is not None:
            expire(state, record)


def recheck(state: VenueState, record: OrderRecord, quantity: int) -> Decline | None:
    """Say which of the chain's conditions an open order no longer meets for a quantity, in flight included."""
    order, chain = record.entry.order, state.chain
    standing = _standing(chain, record.entry)
    if standing is not None:
        return standing
    if record.side == Side.SELL:
        committed = Commitments(selling=not_held(state, held_for(state, record)))
        verdict = seller_verdict(chain, order.token, order.account, quantity, committed)
        return None if verdict is None else declined_by(verdict)
    committed = Commitments(
        buying=state.reservations.buying(order.token, record.identity).in_flight,
        new_holders=new_holders(state, order.token, record.identity),
    )
    verdict = buyer_verdict(chain, order.token, order.account, quantity, committed)
    if verdict is not None:
        return declined_by(verdict)
    available = cash_on_chain(chain, order.cash_account) - not_held(state, held_for(state, record))
    needed = order.price * quantity
    if available < needed:
        return decline(
            Refusal.INSUFFICIENT_CASH, account=order.cash_account, available=max(0, available), needed=needed
        )
    return None


def _standing(chain: ChainState, entry: NewOrder) -> Decline | None:
    """Say what the settlement contract would find wrong with the signer, its institution or its mandate."""
    key = chain.keys[entry.signer]
    lapsed = key.status == KeyStatus.ACTIVE and key.until < chain.block_time
    if lapsed or key.status == KeyStatus.REVOKED or not key.scopes & Scope.ORDER:
        return decline(Refusal.SIGNATURE_INVALID, signer=entry.signer)
    if chain.members[entry.broker].status != MemberStatus.ACTIVE:
        return decline(Refusal.BROKER_SUSPENDED, member=entry.broker)
    bound = chain.accounts.get(entry.order.account)
    if bound is not None and bound.manager != entry.broker:
        return decline(Refusal.NOT_ACCOUNT_MANAGER, account=entry.order.account, member=entry.broker)
    return None


def _close(state: VenueState, record: OrderRecord, event: OrderEvent) -> int:
    leaves = record.resting.leaves
    record.move(event)
    reserve(state, record, -leaves)
    record.instrument.book.remove(record.order_id)
    state.open_orders.pop(record.order_id, None)
    return leaves


def _judge(state: VenueState, incoming: OrderRecord, refused: list[Decline]) -> Callable[[Resting, int], Judgement]:
    """Return the judge of one incoming order; where it stops that order it leaves the reason in `refused`."""

    def judge(resting: Resting, quantity: int) -> Judgement:
        other = state.open_orders[resting.order_id]
        # Its broker may have named another person since: the account is still one, and the contract says so.
        same_account = other.entry.order.account == incoming.entry.order.account
        if same_account or other.account.pseudonym == incoming.account.pseudonym:
            refused.append(decline(Refusal.SELF_TRADE_PREVENTED, order_id=other.order_id))
            return Judgement.STOP_INCOMING
        because = _recheck_at_match(state, other, quantity)
        if because is not None:
            cancel(state, other, because)
            return Judgement.DROP_RESTING
        # The incoming order's own conditions were checked in this very entry, at this very block.
        _trade(state, incoming, other, quantity)
        return Judgement.TRADE

    return judge


def _recheck_at_match(state: VenueState, record: OrderRecord, quantity: int) -> Decline | None:
    # Between two blocks nothing that the chain decides can change, and promises were counted at acceptance.
    if record.checked_block == state.chain.block_number:
        return None
    because = recheck(state, record, quantity)
    if because is None and quantity == record.resting.leaves:
        record.checked_block = state.chain.block_number
    return because


def _trade(state: VenueState, incoming: OrderRecord, resting: OrderRecord, quantity: int) -> None:
    buy, sell = (incoming, resting) if incoming.side == Side.BUY else (resting, incoming)
    price = resting.resting.price
    trade = Trade(
        trade_id=len(state.trades) + 1,
        isin=incoming.entry.isin,
        token=incoming.entry.order.token,
        price=price,
        quantity=quantity,
        matched_at=state.chain.block_time,
        matched_at_ns=state.now_ns,
        buy_order_id=buy.order_id,
        sell_order_id=sell.order_id,
        buyer_broker=buy.entry.broker,
        seller_broker=sell.entry.broker,
        buy=buy.entry.order,
        buy_signature=buy.entry.signature,
        sell=sell.entry.order,
        sell_signature=sell.entry.signature,
        mic=state.mic,
        settlement_date=state.settlement_date,
        stamp=state.stamp(incoming.entry.order.token),
    )
    state.trades[trade.trade_id] = TradeRecord(trade)
    state.events.append(trade)
    _promise(state, buy, sell, price, quantity)
    incoming.instrument.day_value += price * quantity
    incoming.instrument.day_quantity += quantity
    for record in (buy, sell):
        record.fill(quantity)
        if not record.is_open and record is resting:
            del state.open_orders[record.order_id]


def _promise(state: VenueState, buy: OrderRecord, sell: OrderRecord, price: int, quantity: int) -> None:
    """Move what a match takes from reserved to in flight; a better price than the limit frees the difference."""
    reservations, order = state.reservations, buy.entry.order
    reserved, due = order.price * quantity, price * quantity
    reservations.units(order.token, sell.entry.order.account).match(quantity, quantity)
    reservations.buying(order.token, buy.identity).match(quantity, quantity)
    reservations.pool(order.cash_account).match(reserved, due)
    if buy.account.owner_type == OwnerType.CUSTOMER:
        reservations.cash(order.account).match(reserved, due)
    state.limits.reserve(buy.account.pseudonym, buy.year, -reserved)
    state.limits.buy(buy.account.pseudonym, buy.year, due)
    state.limits.sell(sell.account.pseudonym, sell.year, due)
