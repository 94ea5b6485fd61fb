# SPDX-License-Identifier: Apache-2.0
"""Holders of two issues, one without rules and one with three that keep state, ready for a transaction to measure."""

from typing import Any, Final

from stoken.issuance.calldata import interface
from stoken.orders.outcomes import Stamp, Trade
from stoken.settlement import encode
from tests.consortium import BROKER_1, BROKER_2, ISSUER, REGISTRAR, Holder
from tests.deployed import START, Deployed, holder

HOLDERS: Final = 52
TRADES: Final = 20
PRICE: Final = 5_000
RULED: Final = {"capUnits": 5_000, "capBps": 5_000, "holderLimit": 100}
_UNITS: Final = 1_000
_STAMP: Final = Stamp(0, bytes(32), 0, bytes(32))
_SETTLED: Final = next(
    "0x" + topic.hex() for topic, event in interface("DvpSettlement").events.items() if event.name == "TradeSettled"
)


class Market:
    """Everybody holds units of both issues; both brokers have cash; each account has moved units before."""

    def __init__(self, chain: Deployed) -> None:
        """Take the deployed suite and set the market up on it."""
        self.chain = chain
        self._trades = 0
        self.holders = [holder(number, (BROKER_1, BROKER_2)[number % 2]) for number in range(HOLDERS)]
        for broker in (BROKER_1, BROKER_2):
            chain.relay(chain.onboarding(*(each for each in self.holders if each.broker == broker)))
            chain.fund(broker, 10**12)
        self.plain = self.issue()
        self.ruled = self.issue(**RULED)

    @property
    def accounts(self) -> list[bytes]:
        """Return everybody's account."""
        return [each.account for each in self.holders]

    def issue(self, **rules: Any) -> bytes:  # noqa: ANN401 - any ABI value
        """Return a token of which everybody holds units; the first two and the last have traded already."""
        token = self.chain.issue(10**6, **rules)
        self.chain.own(token, "SecurityToken", "batchMint", self.accounts, [_UNITS] * HOLDERS)
        seller, buyer = self.holders[:2]
        self.settle([self.trade(seller, buyer, token, 1)])
        return token

    def transfer(self, token: bytes) -> int:
        """Return the gas of a transfer between the first two holders."""
        sender, receiver = self.accounts[:2]
        return self.chain.must(sender, token, "SecurityToken", "transfer", receiver, 10).gas

    def trade(self, seller: Holder, buyer: Holder, token: bytes, units: int) -> Trade:
        """Return a trade of two orders that nothing else fills."""
        buy, buy_signature = self.chain.order(buyer, token, 1, PRICE, units)
        sell, sell_signature = self.chain.order(seller, token, 2, PRICE, units)
        self._trades += 1
        return Trade(
            trade_id=self._trades,
            isin="",
            token=token,
            price=PRICE,
            quantity=units,
            matched_at=START,
            matched_at_ns=0,
            buy_order_id=0,
            sell_order_id=0,
            buyer_broker=buyer.broker,
            seller_broker=seller.broker,
            buy=buy,
            buy_signature=buy_signature,
            sell=sell,
            sell_signature=sell_signature,
            mic="",
            settlement_date="",
            stamp=_STAMP,
        )

    def settle(self, trades: list[Trade]) -> int:
        """Return the gas of a batch, each trade of which must settle."""
        data = encode.calldata(encode.batch(trades))
        receipt = self.chain.send(self.chain.venue, self.chain.suite["settlement"], data)
        settled = sum(log["topics"][0] == _SETTLED for log in receipt.logs)
        if settled != len(trades):
            raise RuntimeError(f"{settled} of {len(trades)} trades settled")
        return receipt.gas

    def lock(self, token: bytes, account: bytes, *, by_act: bool) -> int:
        """Return the gas of a lock-up of a hundred units, by an act of issuer and registrar or the call alone."""
        number = self.chain.desk.number().to_bytes(32)
        data = interface("Encumbrances").encode("lock", number, token, account, 1, 100, 2 * START)
        target = self.chain.suite["encumbrances"]
        if by_act:
            return self.chain.relay(self.chain.desk.act(target, data, ISSUER, REGISTRAR)).gas
        return self.chain.send(self.chain.authority, target, data).gas
