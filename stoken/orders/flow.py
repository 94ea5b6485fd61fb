# SPDX-License-Identifier: Apache-2.0
"""Counts order flow by its outcomes: taken, refused by which code, cancelled, traded."""

from stoken.orders.outcomes import Accepted, OrderCanceled, Outcome, Refused, Trade
from stoken.telemetry.metrics import Counts


def count(counts: Counts, outcome: Outcome, *, is_order: bool) -> None:
    """Count one outcome; `is_order` tells a refused order from whatever else was refused."""
    if is_order:
        _count_order(counts, outcome)
    for event in outcome.events:
        if isinstance(event, Trade):
            counts.add("stoken_orders_trades_total")
        elif isinstance(event, OrderCanceled):
            counts.add("stoken_orders_canceled_total", 1, "none" if event.code is None else event.code.value)


def _count_order(counts: Counts, outcome: Outcome) -> None:
    answer = outcome.answer
    if isinstance(answer, Accepted):
        counts.add("stoken_orders_accepted_total")
    elif isinstance(answer, Refused):
        counts.add("stoken_orders_refused_total", 1, answer.code.value)
    else:
        counts.add("stoken_orders_repeated_total")
