# SPDX-License-Identifier: Apache-2.0
"""The whole write path on a deployed suite, turned block by block; run as a program, one settlement step of it."""

import sys

from sqlalchemy import Engine

from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, unit_of_work
from stoken.issuance.calldata import interface
from stoken.issuance.deploy import Charter, Deployment
from stoken.issuance.queries import RequestOutcome, outcome
from stoken.issuance.step import IssuanceStep
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MirrorStep
from stoken.orders import entries, outcomes
from stoken.orders.journal import Journal
from stoken.orders.outcomes import Done, Outcome, Stamp, Trade
from stoken.orders.replay import JournalRow
from stoken.parties import inbox
from stoken.parties.requests import Body
from stoken.settlement import instructions
from stoken.settlement.instructions import Instruction
from stoken.settlement.step import SettlementStep
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from tests.consortium import BROKER_1, BROKER_2, BUYER, SELLER, SENDER, VENUE, Desk, Holder, charter

ISIN = b"ZZ0000000016"
TENANT = "ZZZZ0000000000000113"
STAMP = Stamp(1, bytes(32), 1, bytes(32))
_TURNS_MAX = 20


class WriteWorld:
    """Every step of the worker over one database and one node that mines when told to."""

    def __init__(
        self, engine: Engine, rpc: RpcClient, founded: Charter | None = None, market: Engine | None = None
    ) -> None:
        """Work over a database, and over another one of the market if it has its own."""
        self.engine, self.rpc, self.market = engine, rpc, market or engine
        capabilities = probe(rpc)
        signer = KeystoreSigner(SENDER)
        self.outbox = Outbox({signer.address: signer}, capabilities.chain_id)
        self.outbox.take_over(engine, rpc)
        self.suite = Deployment(engine, rpc, self.outbox, capabilities).sign(founded or charter())
        self.desk = Desk(self.suite.contracts, capabilities.chain_id)
        self.mirror = MirrorStep(engine, rpc, [LedgerProjection(self.suite.contracts)])
        self.issuance = IssuanceStep(engine, self.market, self.outbox, self.suite, capabilities.gas_limit)
        self.settlement = SettlementStep(engine, self.market, self.outbox, self.suite, VENUE)
        self.broadcast = BroadcastStep(engine, rpc, capabilities, resend_seconds=0)
        self.confirm = ConfirmStep(engine, rpc)
        self.token = b""
        self._trades = 0
        self._sequence = 0

    def turn(self) -> None:
        """Decide, send, mine a block, follow."""
        self.issuance.execute()
        self.settlement.execute()
        self.broadcast.execute()
        self.rpc.call("evm_mine")
        self.mirror.run_to_head()
        self.confirm.execute()

    def request(self, request_id: str, body: Body) -> None:
        """Store a request as the gateway does."""
        with unit_of_work(self.market) as connection:
            inbox.receive(connection, TENANT, request_id, body, 0)

    def carry(self, request_id: str, body: Body) -> RequestOutcome:
        """Store a request and turn until it is done or failed."""
        self.request(request_id, body)
        self.turn()
        self.turn()
        return self.outcome(request_id)

    def outcome(self, request_id: str) -> RequestOutcome:
        with reading(self.engine) as connection:
            return outcome(connection, TENANT, request_id)

    def found_market(self) -> None:
        """Deploy, issue 1,000 units of which the seller holds 500, and give both brokers cash accounts."""
        desk = self.desk
        self.turn()
        self.request("issue", desk.issue(ISIN))
        self.request("onboard-1", desk.onboard(SELLER))
        self.request("onboard-2", desk.onboard(BUYER))
        for broker in (BROKER_1, BROKER_2):
            self.request(f"cash-{broker.decode()}", desk.open_cash(broker))
        self.request("credit", desk.credit(BROKER_2, 10_000_000))
        self.turn()
        self.token = self._token()
        self.request("register", desk.register(self.token, 1_000))
        self.request("mint", desk.mint(self.token, SELLER, 500))
        self.request("unpause", desk.unpause(self.token))
        self.turn()
        self.turn()

    def trade(self, quantity: int, buyer: Holder = BUYER, price: int = 5_000) -> Trade:
        """Return a trade of two fresh signed orders."""
        self._trades += 1
        buy, buy_signature = self.desk.order(buyer, self.token, 1, price, quantity)
        sell, sell_signature = self.desk.order(SELLER, self.token, 2, price, quantity)
        return Trade(
            trade_id=self._trades,
            isin=ISIN.decode(),
            token=self.token,
            price=price,
            quantity=quantity,
            matched_at=int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16),  # noqa: FBT003
            matched_at_ns=0,
            buy_order_id=buy.nonce,
            sell_order_id=sell.nonce,
            buyer_broker=buyer.broker,
            seller_broker=SELLER.broker,
            buy=buy,
            buy_signature=buy_signature,
            sell=sell,
            sell_signature=sell_signature,
            mic="STKN",
            settlement_date="2027-02-04",
            stamp=STAMP,
        )

    def journal(self, *trades: Trade) -> None:
        """Append an entry whose outcome holds these trades."""
        self._sequence += 1
        entry = entries.encode(entries.ClockTicked(received_at_ns=0))
        done = outcomes.encode(Outcome(self._sequence, 0, Done(), trades))
        journal = Journal(self.market)
        journal.take_over()
        journal.append([JournalRow(self._sequence, entry, done)])

    def settle(self, *trades: Trade) -> list[Instruction]:
        """Journal trades and turn until each has an end."""
        self.journal(*trades)
        for _ in range(_TURNS_MAX):
            self.turn()
            found = [self.instruction(trade) for trade in trades]
            if all(each is not None and each.status != "matched" for each in found):
                break
        return [each for each in found if each is not None]

    def instruction(self, trade: Trade) -> Instruction | None:
        return self.instruction_of(trade.trade_id)

    def instruction_of(self, trade_id: int) -> Instruction | None:
        with reading(self.engine) as connection:
            return instructions.read(connection, trade_id)

    def units(self, holder: Holder) -> int:
        """The balance that the contract answers."""
        data = interface("SecurityToken").encode("balanceOf", holder.account)
        return self._call(self.token, data)

    def _token(self) -> bytes:
        data = interface("SuiteFactory").encode("tokenOf", ISIN)
        return self._call(self.suite["factory"], data).to_bytes(20)

    def _call(self, to: bytes, data: bytes) -> int:
        return int(self.rpc.call("eth_call", {"to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}, "latest"), 16)


def main() -> None:
    """Take over and run one settlement step and one broadcast: failpoints end it early."""
    database_url, rpc_url = sys.argv[1:]
    world = WriteWorld(open_engine(database_url), RpcClient(rpc_url))
    world.settlement.execute()
    world.broadcast.execute()


if __name__ == "__main__":
    main()
