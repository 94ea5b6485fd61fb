# SPDX-License-Identifier: Apache-2.0
"""Trades settled: in batches against one a transaction, both signed before; by the write path against that; and CPU.

The write path is the worker's own steps, from trades in the journal to instructions that have settled: calldata, a
signature and a row of the outbox for each transaction, then broadcast, mirror, confirmation and the ledger's facts. The
node mines whenever something waits, for both sides alike. CPU is what this process spends, without mining.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, process_time, sleep, thread_time
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
from stoken.db import open_engine, reading, schema
from stoken.domain.codes import Side
from stoken.domain.order_states import TradeStatus
from stoken.ledger.decode import topic_of
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import RootsStep
from stoken.ledger.signatures import EVENTS
from stoken.mirror import MirrorStep
from stoken.mirror.reader import ChainReader
from stoken.orders import entries, outcomes
from stoken.orders.journal import Journal
from stoken.orders.outcomes import Done, Outcome, Stamp, Trade
from stoken.orders.replay import JournalRow
from stoken.settlement import instructions
from stoken.settlement.encode import batch, calldata
from stoken.settlement.step import GAS_BASE, GAS_TRADE, TRADES_MAX, SettlementStep
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner

_PRICE: Final = 5_000
#: Above whatever the venue itself numbers its trades with.
_FIRST_TRADE: Final = 1_000_000
_STAMP: Final = Stamp(0, bytes(32), 0, bytes(32))
_SEND_SECONDS_MAX: Final = 60
#: Between two blocks: a node that is asked to mine all the time takes nothing in.
_BLOCK_SECONDS: Final = 0.01
_POLL_SECONDS: Final = 0.005
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
        single.append(trades / _settle(market, lambda: _send(market.rpc, alone), trades).seconds)
        batched.append(trades / _settle(market, lambda: _send(market.rpc, together), trades).seconds)
        with _open_writer(market, made) as writer:
            spent = _settle(market, writer.write, trades)
        written.append(trades / spent.seconds)
        cpu.append(trades / spent.cpu)
        plain = _settle(market, lambda: _write_by_web3(market, made[:_BY_WEB3]), _BY_WEB3)
        by_web3.append(_BY_WEB3 / plain.cpu)
    note = f"{trades:,} trades of {2 * trades:,} signed orders, anvil; sending and mining, without encoding and signing"
    alone_too = "the same trades, one a transaction, signed before"
    path = "read from the journal, encoded, signed, committed on SQLite, sent, mined, mirrored, confirmed and settled"
    used = f"trades by CPU time of this process, all of the above; web3.py on {_BY_WEB3} of them, each receipt awaited"
    return [
        Row(f"trades settled, {TRADES_MAX} a transaction", alone_too, batched, single, 1.4, note),
        Row("trades settled, one a transaction", alone_too, written, single, 0.8, path),
        Row("trades settled, one a transaction: a CPU second", "the plain path of web3.py", cpu, by_web3, 25, used),
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
    """The steps of a worker that settle, in its order, on a database of their own."""

    engine: Engine
    last: int
    steps: Sequence[Callable[[], object]]

    def write(self) -> None:
        """Settle the journal's trades, each in a transaction of its own, until the ledger has spoken of all."""
        while self._left():
            for step in self.steps:
                step()

    def _left(self) -> bool:
        with reading(self.engine) as connection:
            instruction = instructions.read(connection, self.last)
        return instruction is None or instruction.status is TradeStatus.MATCHED


@contextmanager
def _open_writer(market: Market, trades: Sequence[Trade]) -> Iterator[_Writer]:
    """Set up the write path of the venue's second sender, the trades in its journal, its mirror at the head."""
    venue = market.play.institution("VENUE")
    signer = KeystoreSigner(venue.senders[1].secret)
    suite, rpc = market.stage.suite, market.rpc
    with tempfile.TemporaryDirectory(prefix="stoken-bench-") as name:
        engine = open_engine(f"sqlite:///{Path(name, 'stoken.db')}")
        schema.upgrade(engine)
        _journal(engine, trades)
        mirror = MirrorStep(engine, rpc, [LedgerProjection(suite.contracts)])
        mirror.run_to_head()
        roots = RootsStep(engine, ChainReader(rpc), time.time_ns)
        while roots.execute():
            pass
        outbox = Outbox({signer.address: signer}, suite.chain_id)
        outbox.take_over(engine, rpc)
        settlement = SettlementStep(engine, engine, outbox, suite, venue.member, trades_max=1)
        broadcast, confirm = BroadcastStep(engine, rpc, capabilities.probe(rpc)), ConfirmStep(engine, rpc)
        yield _Writer(
            engine,
            trades[-1].trade_id,
            (settlement.execute, broadcast.execute, mirror.execute, roots.execute, confirm.execute),
        )
        engine.dispose()


def _journal(engine: Engine, trades: Sequence[Trade]) -> None:
    """Write trades as the venue does, the outcome of an entry each."""
    entry = entries.encode(entries.ClockTicked(received_at_ns=0))
    journal = Journal(engine)
    journal.take_over()
    numbered = enumerate(trades, 1)
    journal.append([JournalRow(at, entry, outcomes.encode(Outcome(at, 0, Done(), (each,)))) for at, each in numbered])


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


@dataclass(frozen=True, slots=True)
class _Spent:
    """What settling took: seconds until all was mined, and where it is awaited confirmed; CPU without the miner's."""

    seconds: float
    cpu: float


def _settle(market: Market, send: Callable[[], None], trades: int) -> _Spent:
    """Settle while the node mines, and return what it took; the chain is put back afterwards."""
    rpc = market.rpc
    snapshot = rpc.call("evm_snapshot")
    before = int(rpc.call("eth_blockNumber"), 16)
    with _mining(rpc.url) as miner:
        started, used = perf_counter(), process_time()
        send()
        while (left := _pending(rpc)) > 0:
            sleep(_POLL_SECONDS)
            if perf_counter() - started > _SEND_SECONDS_MAX:
                raise TimeoutError(f"{left} transactions are not mined")
        seconds, used = perf_counter() - started, process_time() - used
    settled = {"address": "0x" + market.stage.suite["settlement"].hex(), "fromBlock": hex(before + 1)}
    (topic,) = ("0x" + topic_of(event).hex() for event in EVENTS if event.name == "TradeSettled")
    expect("trades settled", len(rpc.call("eth_getLogs", settled | {"topics": [topic]})), trades)
    expect("the chain is put back", rpc.call("evm_revert", snapshot), True)  # noqa: FBT003 - what is expected
    return _Spent(seconds, used - miner.cpu)


class _Miner:
    """Makes a block whenever something waits; what that takes of this process is not the writer's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = Event()
        self.cpu = 0.0
        self._thread = Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """End with the block under way."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with RpcClient(self._url, timeout=_SEND_SECONDS_MAX) as rpc:
            while not self._over.wait(_BLOCK_SECONDS):
                if _pending(rpc):
                    rpc.call("evm_mine")
                self.cpu = thread_time()


@contextmanager
def _mining(url: str) -> Iterator[_Miner]:
    miner = _Miner(url)
    try:
        yield miner
    finally:
        miner.end()


def _pending(rpc: RpcClient) -> int:
    status = rpc.call("txpool_status")
    return int(status["pending"], 16) + int(status["queued"], 16)
