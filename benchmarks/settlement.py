# SPDX-License-Identifier: Apache-2.0
"""Trades settled in batches, against the same signed trades settled one a transaction; all signed before."""

from collections.abc import Sequence
from time import perf_counter
from typing import Final

from benchmarks.market import Market
from benchmarks.report import Row, expect
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import load_key
from stoken.chain.transactions import sign_legacy
from stoken.cli.demo import issuing
from stoken.domain.codes import Side
from stoken.ledger.decode import topic_of
from stoken.ledger.signatures import EVENTS
from stoken.orders.outcomes import Stamp, Trade
from stoken.settlement.encode import batch, calldata
from stoken.settlement.step import GAS_BASE, GAS_TRADE, TRADES_MAX

_PRICE: Final = 5_000
#: Above whatever the venue itself numbers its trades with.
_FIRST_TRADE: Final = 1_000_000
_STAMP: Final = Stamp(0, bytes(32), 0, bytes(32))
_SEND_SECONDS_MAX: Final = 60


def measure(market: Market, trades: int, rounds: int) -> list[Row]:
    """Return the row; gateway and worker end, and the node mines when told to."""
    market.stop_processes()
    rpc = market.rpc
    rpc.call("evm_setIntervalMining", 0)
    rpc.call("evm_mine")
    made = _trades(market, trades)
    together = _signed(market, [made[at : at + TRADES_MAX] for at in range(0, trades, TRADES_MAX)])
    alone = _signed(market, [[trade] for trade in made])
    batched, single = [], []
    for _ in range(rounds):
        single.append(trades / _settle(market, alone, trades))
        batched.append(trades / _settle(market, together, trades))
    note = f"{trades:,} trades of {2 * trades:,} signed orders, anvil; sending and mining, without encoding and signing"
    return [
        Row(f"trades settled, {TRADES_MAX} a transaction", "the same, one a transaction", batched, single, 1.4, note)
    ]


def _trades(market: Market, count: int) -> list[Trade]:
    sellers, buyers = issuing.holders(market.play), issuing.buyers(market.play)
    at = int(market.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)  # noqa: FBT003 - JSON-RPC
    made = []
    for number in range(count):
        seller, buyer = sellers[number % len(sellers)], buyers[number % len(buyers)]
        sell = market.ticket(seller, Side.SELL, _PRICE)
        buy = market.ticket(buyer, Side.BUY, _PRICE)
        made.append(
            Trade(
                trade_id=_FIRST_TRADE + number,
                isin=market.isin,
                token=market.token,
                price=_PRICE,
                quantity=1,
                matched_at=at,
                matched_at_ns=0,
                buy_order_id=0,
                sell_order_id=0,
                buyer_broker=buyer.broker.institution.member,
                seller_broker=seller.broker.institution.member,
                buy=buy.order,
                buy_signature=buy.signature,
                sell=sell.order,
                sell_signature=sell.signature,
                mic="",
                settlement_date="",
                stamp=_STAMP,
            )
        )
    return made


def _signed(market: Market, groups: Sequence[Sequence[Trade]]) -> list[str]:
    """Return raw transactions of the venue's second sender, which the worker does not use."""
    sender = market.play.institution("VENUE").senders[1]
    key, suite = load_key(sender.secret), market.stage.suite
    first = int(market.rpc.call("eth_getTransactionCount", "0x" + sender.address.hex(), "latest"), 16)
    raw = []
    for nonce, group in enumerate(groups, first):
        data, gas = calldata(batch(group)), GAS_BASE + GAS_TRADE * len(group)
        signed, _ = sign_legacy(key, nonce, gas, suite["settlement"], data, suite.chain_id)
        raw.append("0x" + signed.hex())
    return raw


def _settle(market: Market, transactions: Sequence[str], trades: int) -> float:
    """Return the seconds from the first transaction sent to the last one mined; the chain is put back afterwards."""
    rpc = market.rpc
    snapshot = rpc.call("evm_snapshot")
    before = int(rpc.call("eth_blockNumber"), 16)
    started = perf_counter()
    rpc.batch([("eth_sendRawTransaction", [raw]) for raw in transactions])
    while (left := _pending(rpc)) > 0:
        rpc.call("evm_mine")
        if perf_counter() - started > _SEND_SECONDS_MAX:
            raise TimeoutError(f"{left} transactions are not mined")
    seconds = perf_counter() - started
    settled = {"address": "0x" + market.stage.suite["settlement"].hex(), "fromBlock": hex(before + 1)}
    (topic,) = ("0x" + topic_of(event).hex() for event in EVENTS if event.name == "TradeSettled")
    expect("trades settled", len(rpc.call("eth_getLogs", settled | {"topics": [topic]})), trades)
    expect("the chain is put back", rpc.call("evm_revert", snapshot), True)  # noqa: FBT003 - what is expected
    return seconds


def _pending(rpc: RpcClient) -> int:
    status = rpc.call("txpool_status")
    return int(status["pending"], 16) + int(status["queued"], 16)
