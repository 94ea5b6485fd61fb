# SPDX-License-Identifier: Apache-2.0
"""The life of an order and of a trade: one table each; a pair that is not listed raises."""

from enum import StrEnum
from typing import TypeVar

_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)


class OrderStatus(StrEnum):
    """Where an order stands, in FIX's words."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


class OrderEvent(StrEnum):
    """What happens to an order."""

    PARTIAL_FILL = "PARTIAL_FILL"
    FILL = "FILL"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"


class TradeStatus(StrEnum):
    """Where a trade stands; `settled` is said only of a final block."""

    MATCHED = "matched"
    SETTLED = "settled"
    FAILED = "failed"


class TradeEvent(StrEnum):
    """What a final block says of a trade."""

    SETTLE = "SETTLE"
    FAIL = "FAIL"


_S, _E = OrderStatus, OrderEvent
ORDER_TRANSITIONS: dict[tuple[OrderStatus, OrderEvent], OrderStatus] = {
    (_S.NEW, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.NEW, _E.FILL): _S.FILLED,
    (_S.NEW, _E.CANCEL): _S.CANCELED,
    (_S.NEW, _E.EXPIRE): _S.EXPIRED,
    (_S.PARTIALLY_FILLED, _E.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _E.FILL): _S.FILLED,
    (_S.PARTIALLY_FILLED, _E.CANCEL): _S.CANCELED,
    (_S.PARTIALLY_FILLED, _E.EXPIRE): _S.EXPIRED,
}

_T, _F = TradeStatus, TradeEvent
TRADE_TRANSITIONS: dict[tuple[TradeStatus, TradeEvent], TradeStatus] = {
    (_T.MATCHED, _F.SETTLE): _T.SETTLED,
    (_T.MATCHED, _F.FAIL): _T.FAILED,
    (_T.FAILED, _F.FAIL): _T.FAILED,
    (_T.FAILED, _F.SETTLE): _T.SETTLED,
}

OPEN_STATUSES = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


def next_order_status(status: OrderStatus, event: OrderEvent) -> OrderStatus:
    """Return where the event leads; raises ValueError where the state does not allow it."""
    return _lookup(ORDER_TRANSITIONS, status, event)


def next_trade_status(status: TradeStatus, event: TradeEvent) -> TradeStatus:
    """Return where the event leads; raises ValueError where the state does not allow it."""
    return _lookup(TRADE_TRANSITIONS, status, event)


def _lookup(table: dict[tuple[_State, _Event], _State], status: _State, event: _Event) -> _State:
    try:
        return table[status, event]
    except KeyError:
        raise ValueError(f"{event} is not possible in state {status}") from None
