# SPDX-License-Identifier: Apache-2.0
"""Trades settled: in batches against one a transaction, both signed before; by the write path against that; and CPU.

The write path is the worker's own: calldata, a signature and a row of the outbox for each transaction, a commit for as
many as one batch has, then broadcast, mirror and confirmation. CPU is what this process spends on it.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

from eth_utils.address import to_checksum_address
from msgspec.structs import astuple
from sqlalchemy import Engine
from web3 import Web3
from web3.types import Nonce, TxParams, Wei

from benchmarks.market import Market
from benchmarks.report import Row, expect
from stoken.chain import artifacts, capabilities
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import load_key
from stoken.chain.transactions import sign_legacy
from stoken.cli.demo import issuing
from stoken.db import open_engine, reading, schema, unit_of_work
from stoken.domain.codes import Side
from stoken.ledger.decode import topic_of
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import EVENTS
from stoken.mirror import MirrorStep
from stoken.orders.outcomes import Stamp, Trade
from stoken.settlement.encode import batch, calldata
from stoken.settlement.step import GAS_BASE, GAS_TRADE, PURPOSE, TRADES_MAX
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox, unfinished
from stoken.transactions.signer import KeystoreSigner

_PRICE: Final = 5_000
#: Above whatever the venue itself numbers its trades with.
_FIRST_TRADE: Final = 1_000_000
_STAMP: Final = Stamp(0, bytes(32), 0, bytes(32))
_SEND_SECONDS_MAX: Final = 60
#: Which fields of an order are addresses: account, cash account, token and cash.
_ADDRESSES: Final = range(1, 5)
#: web3.py is so slow that fewer trades give a figure as good.
_BY_WEB3: Final = 50


def measure(market: Market, trades: int, rounds: int) -> list[Row]:
    """Return the rows; gateway and worker end, and the node mines when told to."""
    market.stop_processes()
    rpc = market.rpc
    rpc.call("evm_setIntervalMining", 0)
    rpc.call("evm_mine")
    made = _trades(market, trades)
    together = _signed(market, [made[at : at + TRADES_MAX] for at in range(0, trades, TRADES_MAX)])
    alone = _signed(market, [[trade] for trade in made])
    batched, single, written, cpu, by_web3 = [], [], [], [], []
    for _ in range(rounds):
        single.append(trades / _settle(market, lambda: _send(market.rpc, alone), trades))
        batched.append(trades / _settle(market, lambda: _send(market.rpc, together), trades))
        with _open_writer(market) as writer:
            used = process_time()
            written.append(trades / _settle(market, lambda: writer.write(made), trades))
            cpu.append(trades / (process_time() - used))
        used = process_time()
        _settle(market, lambda: _write_by_web3(market, made[:_BY_WEB3]), _BY_WEB3)
        by_web3.append(_BY_WEB3 / (process_time() - used))
    note = f"{trades:,} trades of {2 * trades:,} signed orders, anvil; sending and mining, without encoding and signing"
    alone_too = "the same trades, one a transaction, signed before"
    path = "encoded, signed, committed to an outbox on SQLite, sent, mined, mirrored and confirmed"
    spent = f"trades by CPU time of this process, all of the above; web3.py on {_BY_WEB3} of them, each receipt awaited"
    return [
        Row(f"trades settled, {TRADES_MAX} a transaction", alone_too, batched, single, 1.4, note),
        Row("trades settled, one a transaction", alone_too, written, single, 0.8, path),
        Row("trades settled, one a transaction: a CPU second", "the plain path of web3.py", cpu, by_web3, 25, spent),
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


def _send(rpc: RpcClient, transactions: Sequence[str]) -> None:
    rpc.batch([("eth_sendRawTransaction", [raw]) for raw in transactions])


@dataclass(frozen=True, slots=True)
class _Writer:
    """The steps of a worker that send and confirm, on a database of their own."""

    engine: Engine
    rpc: RpcClient
    contract: bytes
    outbox: Outbox
    steps: Sequence[Callable[[], object]]

    def write(self, trades: Sequence[Trade]) -> None:
        """Send each trade in a transaction of its own until the mirror has seen them all."""
        for at in range(0, len(trades), TRADES_MAX):
            with unit_of_work(self.engine) as connection:
                for trade in trades[at : at + TRADES_MAX]:
                    data, key = calldata(batch([trade])), f"settle:{trade.trade_id}"
                    gas = GAS_BASE + GAS_TRADE
                    self.outbox.enqueue(connection, key=key, to=self.contract, data=data, gas=gas, purpose=PURPOSE)
        while self._left():
            for step in self.steps:
                step()

    def _left(self) -> int:
        with reading(self.engine) as connection:
            return unfinished(connection)


@contextmanager
def _open_writer(market: Market) -> Iterator[_Writer]:
    """Set up the write path of the venue's second sender, its mirror at the head."""
    signer = KeystoreSigner(market.play.institution("VENUE").senders[1].secret)
    suite, rpc = market.stage.suite, market.rpc
    with tempfile.TemporaryDirectory(prefix="stoken-bench-") as name:
        engine = open_engine(f"sqlite:///{Path(name, 'stoken.db')}")
        schema.upgrade(engine)
        mirror = MirrorStep(engine, rpc, [LedgerProjection(suite.contracts)])
        mirror.run_to_head()
        outbox = Outbox({signer.address: signer}, suite.chain_id)
        outbox.take_over(engine, rpc)
        broadcast, confirm = BroadcastStep(engine, rpc, capabilities.probe(rpc)), ConfirmStep(engine, rpc)
        steps = (broadcast.execute, lambda: rpc.call("evm_mine"), mirror.run_to_head, confirm.execute)
        yield _Writer(engine, rpc, suite["settlement"], outbox, steps)
        engine.dispose()


def _write_by_web3(market: Market, trades: Sequence[Trade]) -> None:
    """Build, sign, send and await each trade's transaction as web3.py documents it."""
    web3 = Web3(Web3.HTTPProvider(market.rpc.url))
    account = web3.eth.account.from_key(market.play.institution("VENUE").senders[1].secret)
    abi = artifacts.load("DvpSettlement").abi
    contract = web3.eth.contract(to_checksum_address(market.stage.suite["settlement"]), abi=abi)
    first, sent = web3.eth.get_transaction_count(account.address), []
    for nonce, trade in enumerate(trades, first):
        fields: TxParams = {
            "from": account.address,
            "nonce": Nonce(nonce),
            "gas": GAS_BASE + GAS_TRADE,
            "gasPrice": Wei(0),
        }
        built = contract.functions.settleBatch(*_arguments(trade)).build_transaction(fields)
        signed = account.sign_transaction(built)
        sent.append(web3.eth.send_raw_transaction(signed.raw_transaction))
    market.rpc.call("evm_mine")
    for digest in sent:
        expect("status by web3.py", web3.eth.wait_for_transaction_receipt(digest)["status"], 1)


def _arguments(trade: Trade) -> tuple[object, ...]:
    made = batch([trade])
    orders = [
        tuple(to_checksum_address(item) if at in _ADDRESSES else item for at, item in enumerate(astuple(order)))
        for order, _ in made.orders
    ]
    place = made.places
    fields = (
        trade.trade_id,
        place[trade.buyer_broker, trade.buy.nonce],
        place[trade.seller_broker, trade.sell.nonce],
        trade.quantity,
        trade.price,
        trade.matched_at,
    )
    return orders, [signature for _, signature in made.orders], [fields]


def _settle(market: Market, send: Callable[[], None], trades: int) -> float:
    """Return the seconds from the first transaction sent to the last one mined; the chain is put back afterwards."""
    rpc = market.rpc
    snapshot = rpc.call("evm_snapshot")
    before = int(rpc.call("eth_blockNumber"), 16)
    started = perf_counter()
    send()
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
