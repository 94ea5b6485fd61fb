# SPDX-License-Identifier: Apache-2.0
"""I1, I4 and I5 of orders and trades, over the market of a world at rest: journal, chain and records say the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from stoken.domain.codes import Side
from stoken.domain.order_states import TradeStatus
from stoken.orders.journal import Journal
from stoken.orders.outcomes import Accepted, Trade
from stoken.orders.replay import JournalRow
from stoken.orders.state import VenueState
from stoken.settlement.tables import instructions
from tests.ledger_events import TOKEN
from tests.order_flow import accepted, direction, events_of, filled, replayed
from tests.simulation.faults.chain import DEPOSIT
from tests.simulation.faults.founding import ACCOUNTS, CASH, UNITS
from tests.simulation.faults.market import Market

_INSTRUCTIONS: Final = select(instructions.c.trade_id, instructions.c.status, instructions.c.failure)
Settled = Counter[int]
Balances = Counter[tuple[bytes, bytes]]


def count(connection: Connection, market: Market, settled: Settled, balances: Balances) -> None:
    """Count the journal, the venue's memory and the worker's records against what the chain settled and holds."""
    assert market.venue is not None, "I1: no venue"
    state = market.venue.venue.state
    rows = list(Journal(connection.engine).rows())
    assert _memory(replayed(rows).state) == _memory(state), "I5: a replay leads to another venue"
    _each_order_is_taken_once(market, rows)
    trades = [event for event in events_of(rows) if isinstance(event, Trade)]
    _no_order_is_overfilled(state, trades)
    _each_trade_settles_once_or_says_why_not(connection, state, trades, settled)
    _each_holds_what_follows([trade for trade in trades if settled[trade.trade_id]], balances)
    _what_is_promised_is_held(state, trades, balances)


def _memory(state: VenueState) -> list[Any]:
    orders = [(each.order_id, each.status, each.leaves_quantity, each.in_flight) for each in state.orders.values()]
    trades = [(each.trade, each.status, each.block_number, each.reason) for each in state.trades.values()]
    return [state.sequence, list(state.open_orders), orders, trades, _promises(state)]


def _promises(state: VenueState) -> dict[bytes, tuple[int, ...]]:
    """Return what each account promised: units reserved and in flight, its cash account's cash likewise."""
    found = state.reservations
    both = {each: (found.units(TOKEN, each.address), found.pool(each.cash)) for each in ACCOUNTS}
    return {
        each.address: (units.reserved, units.in_flight, cash.reserved, cash.in_flight)
        for each, (units, cash) in both.items()
    }


def _each_order_is_taken_once(market: Market, rows: Iterable[JournalRow]) -> None:
    taken = {name: answer for (_, name), answer in accepted(rows).items()}
    assert taken.keys() <= market.orders.keys(), "I1: an order that nobody sent"
    told = {name: answer for name, answer in market.answers.items() if isinstance(answer, Accepted)}
    assert told.items() <= taken.items(), "I5: an order was accepted, and is not in the journal"
    refused = market.answers.keys() - told.keys()
    assert not refused & taken.keys(), "I5: an order was refused, and accepted"


def _no_order_is_overfilled(state: VenueState, trades: Iterable[Trade]) -> None:
    for order_id, quantity in filled(trades).items():
        record = state.orders[order_id]
        assert quantity == record.cumulative_quantity <= record.entry.order.quantity, f"I4: fills of {order_id}"


def _each_trade_settles_once_or_says_why_not(
    connection: Connection, state: VenueState, trades: Sequence[Trade], settled: Settled
) -> None:
    ids = [trade.trade_id for trade in trades]
    assert ids == list(range(1, len(ids) + 1)), f"I1: trades {ids}"
    assert settled.keys() <= set(ids), "I1: the chain settled a trade that nobody matched"
    known = {row.trade_id: row for row in connection.execute(_INSTRUCTIONS)}
    assert sorted(known) == ids, f"I1: of the trades {ids} only {sorted(known)} have instructions"
    for trade_id, row in known.items():
        assert settled[trade_id] == (row.status == TradeStatus.SETTLED), f"I1: {row}, settled {settled[trade_id]} times"
        assert state.trades[trade_id].status == row.status, f"I1: {row}, the venue heard otherwise"
        if row.status != TradeStatus.SETTLED:
            assert row.status == TradeStatus.FAILED, f"I1: {row} has no end"
            assert row.failure, f"I1: {row} says no reason"


def _each_holds_what_follows(settled: Sequence[Trade], balances: Balances) -> None:
    for each in ACCOUNTS:
        signed = [(direction(each.address, trade), trade) for trade in settled]
        units = UNITS + sum(sign * trade.quantity for sign, trade in signed)
        cash = CASH - sum(sign * trade.quantity * trade.price for sign, trade in signed)
        assert (balances[TOKEN, each.address], balances[DEPOSIT, each.cash]) == (units, cash), "I4: not conserved"


def _what_is_promised_is_held(state: VenueState, trades: Sequence[Trade], balances: Balances) -> None:
    """Q5, counted anew from orders and trades: reserved is what is open, in flight what has not settled."""
    due = [trade for trade in trades if state.trades[trade.trade_id].status != TradeStatus.SETTLED]
    for each in ACCOUNTS:
        mine = [record for record in state.open_orders.values() if record.account.account == each.address]
        selling = sum(record.leaves_quantity for record in mine if record.side == Side.SELL)
        buying = sum(record.leaves_quantity * record.entry.order.price for record in mine if record.side == Side.BUY)
        units = sum(trade.quantity for trade in due if trade.sell.account == each.address)
        cash = sum(trade.quantity * trade.price for trade in due if trade.buy.account == each.address)
        assert _promises(state)[each.address] == (selling, units, buying, cash), "I4: promises and orders differ"
        assert selling + units <= balances[TOKEN, each.address], "I4: units are not covered"
        assert buying + cash <= balances[DEPOSIT, each.cash], "I4: cash is not covered"
