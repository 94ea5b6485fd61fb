# SPDX-License-Identifier: Apache-2.0
"""Calldata of `settleBatch`, packed by hand: each signed order once, however often it was filled."""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from stoken.domain.facts import MemberId
from stoken.domain.signed_order import SignedOrder
from stoken.orders.outcomes import Trade

SIGNATURE: Final = (
    "settleBatch((bytes20,address,address,address,address,uint8,uint64,uint64,uint64,uint40,uint40,uint64)[],bytes[],"
    "(uint64,uint16,uint16,uint64,uint64,uint40)[])"
)
_SELECTOR: Final = keccak(SIGNATURE.encode())[:4]
# One word is 32 bytes: the venue fills it from the left, addresses and integers from the right.
_ORDER: Final = Struct(">20s12x 12x20s 12x20s 12x20s 12x20s 31xB 24xQ 24xQ 24xQ 24xQ 24xQ 24xQ")
_TRADE: Final = Struct(">24xQ 30xH 30xH 24xQ 24xQ 24xQ")
_WORD: Final = 32
_SIGNATURE_BYTES: Final = 65
_SIGNATURE_TAIL: Final = 4 * _WORD  # length, and 65 bytes in three words
_HEAD_BYTES: Final = 4 + 6 * _WORD  # selector, three offsets, three lengths
_ORDER_BYTES: Final = _ORDER.size + _WORD + _SIGNATURE_TAIL

#: An order is known by its broker and nonce; the venue takes no nonce twice.
_OrderKey = tuple[MemberId, int]


class Batch(NamedTuple):
    """Trades that settle in one transaction, and the orders that they fill."""

    trades: tuple[Trade, ...]
    orders: tuple[tuple[SignedOrder, bytes], ...]
    places: dict[_OrderKey, int]


def batches(trades: Sequence[Trade], trades_max: int, bytes_max: int) -> list[Batch]:
    """Cut trades, in their order, into batches within both limits."""
    cut: list[Batch] = []
    chosen: list[Trade] = []
    keys: set[_OrderKey] = set()
    for trade in trades:
        wanted = keys | {_buy(trade), _sell(trade)}
        size = _HEAD_BYTES + len(wanted) * _ORDER_BYTES + (len(chosen) + 1) * _TRADE.size
        if chosen and (len(chosen) == trades_max or size > bytes_max):
            cut.append(batch(chosen))
            chosen, wanted = [], {_buy(trade), _sell(trade)}
        chosen.append(trade)
        keys = wanted
    return [*cut, batch(chosen)] if chosen else cut


def batch(trades: Sequence[Trade]) -> Batch:
    """Collect the orders of trades, sorted by broker and nonce so that the contract stores a word of fills once."""
    orders: dict[_OrderKey, tuple[SignedOrder, bytes]] = {}
    for trade in trades:
        orders[_buy(trade)] = (trade.buy, trade.buy_signature)
        orders[_sell(trade)] = (trade.sell, trade.sell_signature)
    keys = sorted(orders)
    return Batch(tuple(trades), tuple(orders[key] for key in keys), {key: at for at, key in enumerate(keys)})


def calldata(of: Batch) -> bytes:
    """Return the calldata that settles a batch."""
    orders = b"".join([_packed(order) for order, _ in of.orders])
    signatures = _signatures([signature for _, signature in of.orders])
    trades = b"".join([_trade(trade, of.places) for trade in of.trades])
    after_orders = 4 * _WORD + len(orders)
    offsets = _words(3 * _WORD, after_orders, after_orders + len(signatures))
    return b"".join((_SELECTOR, offsets, _words(len(of.orders)), orders, signatures, _words(len(of.trades)), trades))


def trade_ids(data: bytes) -> list[int]:
    """Return the trades that such calldata settles, in their order; none for any other call."""
    if data[:4] != _SELECTOR:
        return []
    at = 4 + int.from_bytes(data[4 + 2 * _WORD : 4 + 3 * _WORD])
    first, count = at + _WORD, int.from_bytes(data[at : at + _WORD])
    return [_TRADE.unpack_from(data, first + each * _TRADE.size)[0] for each in range(count)]


def _packed(order: SignedOrder) -> bytes:
    return _ORDER.pack(
        order.venue,
        order.account,
        order.cash_account,
        order.token,
        order.cash,
        order.side,
        order.price,
        order.quantity,
        order.nonce,
        order.tradable_until,
        order.settle_by,
        order.replaces,
    )


def _signatures(signatures: Sequence[bytes]) -> bytes:
    head = _WORD * len(signatures)
    offsets = _words(*(head + at * _SIGNATURE_TAIL for at in range(len(signatures))))
    length, padding = _words(_SIGNATURE_BYTES), bytes(-_SIGNATURE_BYTES % _WORD)
    return _words(len(signatures)) + offsets + b"".join([length + each + padding for each in signatures])


def _trade(trade: Trade, index: dict[_OrderKey, int]) -> bytes:
    return _TRADE.pack(
        trade.trade_id, index[_buy(trade)], index[_sell(trade)], trade.quantity, trade.price, trade.matched_at
    )


def _buy(trade: Trade) -> _OrderKey:
    return trade.buyer_broker, trade.buy.nonce


def _sell(trade: Trade) -> _OrderKey:
    return trade.seller_broker, trade.sell.nonce


def _words(*values: int) -> bytes:
    return b"".join([value.to_bytes(_WORD) for value in values])
