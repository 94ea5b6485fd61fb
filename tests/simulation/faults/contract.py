# SPDX-License-Identifier: Apache-2.0
"""The settlement contract of the chain in memory: reads calldata by the ABI alone, settles what the balances allow.

It refuses no trade that settled before: what is sent twice settles twice, and shows.
"""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from stoken.domain.codes import Side
from stoken.domain.signed_order import SignedOrder
from stoken.ledger.signatures import ContractKind
from stoken.mirror import Log
from tests.ledger_events import SUITE, Emitted, emitted, encode_log

SETTLEMENT: Final = SUITE["settlement"]
TRADE_SETTLED: Final = keccak(b"TradeSettled(bytes20,uint64,address,address,address,uint64,uint64,uint64,uint64)")
#: A trade of a multiple of so many units fails alone, always; reverts its whole batch; or has the node refuse it.
FAILS: Final = 11
REVERTS: Final = 13
UNACCEPTABLE: Final = 17
_SELECTOR: Final = keccak(
    b"settleBatch((bytes20,address,address,address,address,uint8,uint64,uint64,uint64,uint40,uint40,uint64)[],"
    b"bytes[],(uint64,uint16,uint16,uint64,uint64,uint40)[])"
)[:4]
#: Fields of the structs Order and Trade, of a word each.
_ORDER_WORDS: Final = 12
_TRADE_WORDS: Final = 6
_WORD: Final = 32

Balances = Counter[tuple[bytes, bytes]]


class Settlement(NamedTuple):
    """A trade of a batch, its two orders, and whether both were signed as they are."""

    trade_id: int
    buy: SignedOrder
    sell: SignedOrder
    quantity: int
    price: int
    matched_at: int
    are_signed: bool


@lru_cache(maxsize=256)
def settlements(data: bytes) -> tuple[Settlement, ...]:
    """Return the trades of such calldata; none for any other call."""
    if data[:4] != _SELECTOR:
        return ()
    words = data[4:]
    orders_at, signatures_at, trades_at = (_number(words, at * _WORD) for at in range(3))
    orders = [_order(words, orders_at + _WORD * (1 + at * _ORDER_WORDS)) for at in range(_number(words, orders_at))]
    signatures = [_bytes(words, signatures_at + _WORD, at) for at in range(_number(words, signatures_at))]
    valid = [signature_of(order) == each for order, each in zip(orders, signatures, strict=True)]
    found = []
    for at in range(_number(words, trades_at)):
        start = trades_at + _WORD * (1 + at * _TRADE_WORDS)
        trade_id, buy, sell, *terms = (_number(words, start + _WORD * field) for field in range(_TRADE_WORDS))
        quantity, price, matched_at = terms
        signed = valid[buy] and valid[sell]
        found.append(Settlement(trade_id, orders[buy], orders[sell], quantity, price, matched_at, signed))
    return tuple(found)


def signature_of(order: SignedOrder) -> bytes:
    """Return what stands for a broker's signature: it covers every field."""
    return sha256(repr(order).encode()).digest() * 2 + b"\x1b"


def reverts(batch: tuple[Settlement, ...]) -> bool:
    """Tell whether this batch reverts as a whole, whenever it comes."""
    return any(each.quantity % REVERTS == 0 for each in batch)


def is_unacceptable(batch: tuple[Settlement, ...]) -> bool:
    """Tell whether a node refuses this batch, whenever it comes."""
    return any(each.quantity % UNACCEPTABLE == 0 for each in batch)


def settle(batch: tuple[Settlement, ...], balances: Balances, time: int, fails: Callable[[], bool]) -> list[Log]:
    """Return what a batch logs at these balances, and move them; `fails` tells of each trade whether it does so."""
    logs = []
    for each in batch:
        reason = _refusal(each, balances, time) or (b"\xfa\x11\xed\x01" if fails() else b"")
        if reason:
            failed = emitted(ContractKind.SETTLEMENT, "TradeFailed", each.buy.venue, each.trade_id, reason)
            logs.append(encode_log(failed, 0, 0))
            continue
        logs += [encode_log(event, 0, 0) for event in _moves(each)]
        for contract, sender, receiver, amount in _legs(each):
            balances[contract, sender] -= amount
            balances[contract, receiver] += amount
    return logs


def settled_trade(log: Log) -> int | None:
    """Return which trade a log says has settled, if it says so."""
    is_one = log.address == SETTLEMENT and log.topics[:_WORD] == TRADE_SETTLED
    return int.from_bytes(log.topics[2 * _WORD : 3 * _WORD]) if is_one else None


def _legs(of: Settlement) -> tuple[tuple[bytes, bytes, bytes, int], ...]:
    return (
        (of.sell.token, of.sell.account, of.buy.account, of.quantity),
        (of.buy.cash, of.buy.cash_account, of.sell.cash_account, of.quantity * of.price),
    )


def _moves(of: Settlement) -> list[Emitted]:
    units, cash = (leg[1:] for leg in _legs(of))
    return [
        emitted(ContractKind.TOKEN, "Transfer", *units),
        emitted(ContractKind.DEPOSIT, "Transfer", *cash),
        emitted(
            ContractKind.SETTLEMENT, "TradeSettled", of.buy.venue, of.trade_id, of.buy.token, of.sell.account,
            of.buy.account, of.quantity, of.price, of.sell.nonce, of.buy.nonce,
        ),
    ]  # fmt: skip


def _refusal(of: Settlement, balances: Balances, time: int) -> bytes:
    """Return why a trade does not settle, as four bytes; nothing where it does."""
    buy, sell = of.buy, of.sell
    matches = (
        of.are_signed
        and (buy.side, sell.side) == (Side.BUY, Side.SELL)
        and (buy.venue, buy.token, buy.cash) == (sell.venue, sell.token, sell.cash)
        and buy.price >= of.price >= sell.price
        and of.quantity <= min(buy.quantity, sell.quantity)
        and of.matched_at <= min(buy.tradable_until, sell.tradable_until)
    )
    if not matches:
        return b"\0\0\0\1"
    if time > min(buy.settle_by, sell.settle_by):
        return b"\0\0\0\2"
    if of.quantity % FAILS == 0:
        return b"\0\0\0\3"
    return b"\0\0\0\4" if any(balances[contract, sender] < amount for contract, sender, _, amount in _legs(of)) else b""


def _order(words: bytes, start: int) -> SignedOrder:
    field = [words[start + _WORD * at : start + _WORD * (at + 1)] for at in range(_ORDER_WORDS)]
    account, cash_account, token, cash = (each[12:] for each in field[1:5])
    return SignedOrder(field[0][:20], account, cash_account, token, cash, *map(int.from_bytes, field[5:]))


def _bytes(words: bytes, start: int, index: int) -> bytes:
    at = start + _number(words, start + _WORD * index)
    return words[at + _WORD : at + _WORD + _number(words, at)]


def _number(words: bytes, start: int) -> int:
    return int.from_bytes(words[start : start + _WORD])
