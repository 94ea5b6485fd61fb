# SPDX-License-Identifier: Apache-2.0
"""Counts what a venue's journal says of orders and trades, for whoever compares it with what was sent and settled."""

from collections import Counter
from collections.abc import Iterable, Sequence

from stoken.domain.facts import Address, MemberId
from stoken.orders import entries, outcomes
from stoken.orders.entries import NewOrder
from stoken.orders.outcomes import Accepted, Event, Trade
from stoken.orders.replay import JournalRow, replay
from stoken.orders.venue import Venue


def replayed(rows: Sequence[JournalRow]) -> Venue:
    """Return the venue that a journal leads to; it has no gap, and every outcome is the one it holds."""
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1)), "I5: the journal has gaps"
    found = replay(rows)
    assert found.mismatch is None, f"I5: entry {found.mismatch} replays to another outcome"
    return found.venue


def accepted(rows: Iterable[JournalRow]) -> dict[tuple[MemberId, str], Accepted]:
    """Return the answers to accepted orders by broker and client order id.

    Sent until answered, an order may stand in the journal more than once; it is accepted once.
    """
    found: dict[tuple[MemberId, str], Accepted] = {}
    for row in rows:
        entry, answer = entries.decode(row.entry), outcomes.decode(row.outcome).answer
        if isinstance(entry, NewOrder) and isinstance(answer, Accepted):
            key = entry.broker, entry.client_order_id
            assert key not in found, f"I1: {key} was accepted twice"
            found[key] = answer
    return found


def events_of(rows: Iterable[JournalRow]) -> list[Event]:
    """Return everything that a journal says happened, in its order."""
    return [event for row in rows for event in outcomes.decode(row.outcome).events]


def filled(trades: Iterable[Trade]) -> Counter[int]:
    """Return how many units of each order were matched."""
    units: Counter[int] = Counter()
    for trade in trades:
        units.update({trade.buy_order_id: trade.quantity, trade.sell_order_id: trade.quantity})
    return units


def direction(account: Address, trade: Trade) -> int:
    """Return 1 where an account gets a trade's units, -1 where it gives them, 0 where it does neither or both."""
    return (trade.buy.account == account) - (trade.sell.account == account)
