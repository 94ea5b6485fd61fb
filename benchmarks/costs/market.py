# SPDX-License-Identifier: Apache-2.0
"""Holders of two issues, one without rules and one with three that keep state, ready for a transaction to measure."""

from typing import Any, Final

from eth_hash.auto import keccak

from stoken.chain import artifacts
from stoken.chain.signatures import sign
from stoken.issuance.calldata import interface
from stoken.orders.outcomes import Stamp, Trade
from stoken.settlement import encode
from tests.consortium import BROKER_1, BROKER_2, FOREVER, ISSUER, REGISTRAR, Holder, key_of
from tests.deployed import START, Deployed, holder

HOLDERS: Final = 52
TRADES: Final = 20
PRICE: Final = 5_000
RULED: Final = {"capUnits": 5_000, "capBps": 5_000, "holderLimit": 100}
_UNITS: Final = 1_000
_MOVED: Final = 10
_PLEDGE: Final = 2
_NOTICE: Final = 3
_ENCUMBER: Final = keccak(
    b"Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,"
    b"bytes32 reason,uint40 deadline)"
)
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
        return self.chain.must(sender, token, "SecurityToken", "transfer", receiver, _MOVED).gas

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

    def bind_modules(self, token: bytes) -> None:
        """Bind three module contracts to the token's rules, and move units once, so that they are in force."""
        compliance = self.chain.ask(token, "SecurityToken", "compliance")
        approvals, *others = (self._module(name) for name in ("ConditionalApproval", "Blackout", "Blackout"))
        for module in (approvals, *others):
            head = int(self.chain.rpc.call("eth_blockNumber"), 16)
            self.chain.own(compliance, "ModularCompliance", "addModule", module, head + _NOTICE)
        sender, receiver = self.accounts[:2]
        for _ in range(2):
            self.chain.own(
                approvals, "ConditionalApproval", "approve", compliance, sender, receiver, _MOVED + 1, 2 * START
            )
        self.chain.must(sender, token, "SecurityToken", "transfer", receiver, _MOVED + 1)
        self.chain.own(approvals, "ConditionalApproval", "approve", compliance, sender, receiver, _MOVED, 2 * START)

    def _module(self, name: str) -> bytes:
        return self.chain.send(self.chain.venue, b"", artifacts.load(name).bytecode).contract

    def settle(self, trades: list[Trade], mode: str = "settleBatch") -> int:
        """Return the gas of a batch, each trade of which must settle; all modes have the arguments of one."""
        contract = "DvpSettlement" if mode == "settleBatch" else "SettlementModes"
        data = interface(contract).functions[mode].selector + encode.calldata(encode.batch(trades))[4:]
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

    def pledge(self, token: bytes, account: Holder, party: Holder) -> int:
        """Return the gas of a pledge of a hundred units, signed by both managers."""
        key = self.chain.desk.number().to_bytes(32)
        record = (token, 100, account.account, 0, _PLEDGE, party.account, bytes(32))
        words = (each if isinstance(each, bytes) else each.to_bytes(32) for each in (key, *record, FOREVER))
        stated = keccak(_ENCUMBER + b"".join(word.rjust(32, b"\0") for word in words))
        domain = self.chain.desk.domain("stoken Encumbrances", "encumbrances")
        digest = keccak(b"\x19\x01" + domain + stated)
        signed = (sign(key_of(each.broker), digest) for each in (account, party))
        data = interface("Encumbrances").encode("encumber", key, record, FOREVER, *signed)
        receipt = self.chain.send(self.chain.venue, self.chain.suite["encumbrances"], data)
        if not receipt.success:
            raise RuntimeError("the pledge was refused")
        return receipt.gas
