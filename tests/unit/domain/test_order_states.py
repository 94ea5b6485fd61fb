# SPDX-License-Identifier: Apache-2.0
"""The tables of states: what is listed happens, what is not raises."""

from itertools import product

import pytest

from stoken.domain.order_states import (
    OPEN_STATUSES,
    ORDER_TRANSITIONS,
    TRADE_TRANSITIONS,
    OrderEvent,
    OrderStatus,
    TradeEvent,
    TradeStatus,
    next_order_status,
    next_trade_status,
)


class TestOrders:
    @pytest.mark.parametrize(("status", "event"), list(product(OrderStatus, OrderEvent)))
    def test_each_pair_is_listed_or_raises(self, status: OrderStatus, event: OrderEvent) -> None:
        if (status, event) in ORDER_TRANSITIONS:
            assert next_order_status(status, event) is ORDER_TRANSITIONS[status, event]
        else:
            with pytest.raises(ValueError, match="is not possible"):
                next_order_status(status, event)

    def test_only_open_orders_change(self) -> None:
        assert {status for status, _ in ORDER_TRANSITIONS} == OPEN_STATUSES


class TestTrades:
    @pytest.mark.parametrize(("status", "event"), list(product(TradeStatus, TradeEvent)))
    def test_each_pair_is_listed_or_raises(self, status: TradeStatus, event: TradeEvent) -> None:
        if (status, event) in TRADE_TRANSITIONS:
            assert next_trade_status(status, event) is TRADE_TRANSITIONS[status, event]
        else:
            with pytest.raises(ValueError, match="is not possible"):
                next_trade_status(status, event)
