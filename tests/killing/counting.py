# SPDX-License-Identifier: Apache-2.0
"""Counts again after a kill: the journal, the chain and the database say the same, and each word acted once."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from stoken.db import reading
from stoken.issuance.queries import RequestStatus, outcome
from stoken.ledger import queries
from stoken.orders.outcomes import Event, OrderCanceled, Trade, TradeSettled
from stoken.orders.replay import JournalRow
from stoken.settlement.tables import instructions
from tests.consortium import CASH, Holder
from tests.e2e.playing import read_journal
from tests.killing.site import HOLDERS, ISIN, Site
from tests.order_flow import accepted, direction, events_of, filled, replayed
from tests.recount import recount


def count(site: Site) -> None:
    """Count mirror, outbox and nonces against the node, then the journal, then who holds what and why."""
    recount(site.engine, site.rpc)
    _each_request_ended(site)
    rows = read_journal(site.market_url)
    replayed(rows)
    _each_order_is_taken_once(site, rows)
    events = events_of(rows)
    _each_cancel_acts_once(site, events)
    trades = [event for event in events if isinstance(event, Trade)]
    _no_order_is_overfilled(site, trades)
    _each_trade_settles_once(site, trades, events)
    _each_holds_what_follows(site, trades)


def _each_request_ended(site: Site) -> None:
    with reading(site.engine) as connection:
        for (caller, name), good in site.requests.items():
            status = outcome(connection, caller.decode(), name).status
            wanted = RequestStatus.DONE if good else RequestStatus.FAILED
            assert status is wanted, f"I1: request {name} is {status}"


def _each_order_is_taken_once(site: Site, rows: Iterable[JournalRow]) -> None:
    """What the journal accepted is what was answered, order by order."""
    taken = {key: answer.order_id for key, answer in accepted(rows).items()}
    answered = {key: order.order_id for key, order in site.orders.items()}
    wrong = [key for key in taken.keys() | answered.keys() if taken.get(key) != answered.get(key)]
    told = {name: (taken.get((broker, name)), answered.get((broker, name))) for broker, name in wrong}
    assert not wrong, f"I1: orders in the journal and as answered: {told}"


def _each_cancel_acts_once(site: Site, events: Iterable[Event]) -> None:
    withdrawn = Counter(event.order_id for event in events if isinstance(event, OrderCanceled))
    assert all(number == 1 for number in withdrawn.values()), f"I1: cancelled twice: {withdrawn}"
    assert site.canceled <= withdrawn.keys(), f"I1: not cancelled: {site.canceled - withdrawn.keys()}"


def _no_order_is_overfilled(site: Site, trades: Iterable[Trade]) -> None:
    units = filled(trades)
    over = [order for order in site.orders.values() if units[order.order_id] > order.units]
    assert not over, f"I1: filled beyond their units: {over}"


def _each_trade_settles_once(site: Site, trades: Sequence[Trade], events: Iterable[Event]) -> None:
    """Every order was covered, so every trade settles: on the chain, by the worker's record and by the venue's."""
    ids = sorted(trade.trade_id for trade in trades)
    assert ids == list(range(1, len(ids) + 1)), f"I1: trades {ids}"
    matched = sorted((trade.trade_id, trade.quantity) for trade in trades)
    with reading(site.engine) as connection:
        final = queries.register(connection, ISIN.decode()).block.number
        known = [(row.trade_id, row.status) for row in connection.execute(select(instructions))]
    settled = sorted(site.node.settled_trades(f"0x{site.suite['settlement'].hex()}", final))
    assert settled == matched, f"I1: settled {_differing(settled, matched)}"
    assert sorted(known) == [(trade_id, "settled") for trade_id in ids], f"I1: instructions {sorted(known)}"
    heard = sorted(event.trade_id for event in events if isinstance(event, TradeSettled))
    assert heard == ids, f"I1: the venue heard of {_differing(heard, ids)}"


def _each_holds_what_follows(site: Site, trades: Sequence[Trade]) -> None:
    """Units and cash on the chain are what requests and trades make of them, and the register says the same."""
    with reading(site.engine) as connection:
        register = queries.register(connection, ISIN.decode())
    final = register.block.number
    held = {f"0x{holder.hex()}": units for holder, units in register.holdings}
    units = site.node.balances(f"0x{site.token.hex()}", final)
    assert held == units, "I2, I4: units"
    wanted = {f"0x{holder.account.hex()}": _units(site, holder, trades) for holder in HOLDERS}
    assert units == wanted, f"I1: units are {units}, not {wanted}"
    cash = site.node.balances(f"0x{site.suite['deposit'].hex()}", final)
    wanted = {f"0x{CASH[holder.broker].hex()}": _cash(site, holder, trades) for holder in HOLDERS}
    assert cash == wanted, f"I1: cash is {cash}, not {wanted}"


def _units(site: Site, holder: Holder, trades: Iterable[Trade]) -> int:
    return site.minted[holder] + sum(direction(holder.account, trade) * trade.quantity for trade in trades)


def _cash(site: Site, holder: Holder, trades: Iterable[Trade]) -> int:
    paid = sum(direction(holder.account, trade) * trade.quantity * trade.price for trade in trades)
    return site.credited[holder.broker] - paid


def _differing(found: Sequence[object], wanted: Sequence[object]) -> str:
    left, right = Counter(found), Counter(wanted)
    return f"too much {list((left - right).elements())}, too little {list((right - left).elements())}"
