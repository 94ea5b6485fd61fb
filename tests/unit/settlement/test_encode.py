# SPDX-License-Identifier: Apache-2.0
"""Hand-packed calldata equals eth_abi's, and batches keep their limits."""

from eth_abi import encode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from stoken.domain.signed_order import SignedOrder
from stoken.orders.outcomes import Stamp, Trade
from stoken.settlement.encode import SIGNATURE, batch, batches, calldata, trade_ids

ORDER_TYPE = "(bytes20,address,address,address,address,uint8,uint64,uint64,uint64,uint40,uint40,uint64)"
TRADE_TYPE = "(uint64,uint16,uint16,uint64,uint64,uint40)"
STAMP = Stamp(1, b"\x01" * 32, 1, b"\x02" * 32)


def order(side: int, nonce: int) -> SignedOrder:
    return SignedOrder(
        venue=b"V" * 20,
        account=bytes([side]) * 20,
        cash_account=b"c" * 20,
        token=b"t" * 20,
        cash=b"k" * 20,
        side=side,
        price=5_000,
        quantity=100,
        nonce=nonce,
        tradable_until=1_800_000_000,
        settle_by=1_800_100_000,
    )


def trade(trade_id: int, buy_nonce: int, sell_nonce: int) -> Trade:
    return Trade(
        trade_id=trade_id,
        isin="ZZ0000000000",
        token=b"t" * 20,
        price=5_000,
        quantity=10,
        matched_at=1_799_999_999,
        matched_at_ns=0,
        buy_order_id=buy_nonce,
        sell_order_id=sell_nonce,
        buyer_broker=b"B" * 20,
        seller_broker=b"S" * 20,
        buy=order(1, buy_nonce),
        buy_signature=bytes([buy_nonce % 256]) * 65,
        sell=order(2, sell_nonce),
        sell_signature=bytes([sell_nonce % 256]) * 65,
        mic="STKN",
        settlement_date="2027-02-04",
        stamp=STAMP,
    )


TRADES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12).map(
    lambda pairs: [trade(number, buy, sell) for number, (buy, sell) in enumerate(pairs, 1)]
)


class TestCalldata:
    @settings(deadline=None)
    @given(TRADES)
    def test_it_equals_the_encoding_of_eth_abi(self, trades: list[Trade]) -> None:
        made = batch(trades)
        orders = [astuple(each) for each, _ in made.orders]
        signatures = [signature for _, signature in made.orders]
        items = [
            (
                each.trade_id,
                made.places[each.buyer_broker, each.buy.nonce],
                made.places[each.seller_broker, each.sell.nonce],
                each.quantity,
                each.price,
                each.matched_at,
            )
            for each in trades
        ]
        arguments = encode([f"{ORDER_TYPE}[]", "bytes[]", f"{TRADE_TYPE}[]"], [orders, signatures, items])
        assert calldata(made) == keccak(SIGNATURE.encode())[:4] + arguments

    def test_an_order_filled_three_times_is_sent_once(self) -> None:
        made = batch([trade(1, 1, 1), trade(2, 1, 2), trade(3, 1, 3)])
        assert len(made.orders) == 4

    def test_orders_are_sorted_by_broker_and_nonce(self) -> None:
        made = batch([trade(1, 5, 9), trade(2, 3, 7)])
        assert [each.nonce for each, _ in made.orders] == [3, 5, 7, 9]


class TestTradeIds:
    @given(TRADES)
    def test_they_are_those_of_the_calldata(self, trades: list[Trade]) -> None:
        assert trade_ids(calldata(batch(trades))) == [each.trade_id for each in trades]


class TestBatches:
    @given(TRADES, st.integers(1, 5), st.integers(1_300, 6_000))
    def test_every_trade_is_in_one_batch_within_the_limits(self, trades: list[Trade], count: int, size: int) -> None:
        cut = batches(trades, count, size)
        assert [each for made in cut for each in made.trades] == trades
        for made in cut:
            assert len(made.trades) <= count
            assert len(calldata(made)) <= size or len(made.trades) == 1

    def test_no_trades_make_no_batch(self) -> None:
        assert batches([], 50, 60_000) == []
