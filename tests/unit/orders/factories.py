# SPDX-License-Identifier: Apache-2.0
"""A small market built from facts and entries alone: two brokers, investors with units and cash, two instruments."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from stoken.domain import facts
from stoken.domain.codes import InvestorClass, OrderType, OwnerType, Role, Scope, Side
from stoken.domain.facts import Fact
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.domain.signed_order import SignedOrder
from stoken.orders import entries as journal
from stoken.orders.entries import DECISIONS, Entry
from stoken.orders.outcomes import Accepted, Answer, Outcome, Refused, Trade
from stoken.orders.venue import Venue

SECOND = 1_000_000_000
#: 2026-12-01 10:00 in Seoul, a Tuesday.
OPEN_AT = int(datetime(2026, 12, 1, 1, 0, tzinfo=UTC).timestamp())
BLOCK_TIME = OPEN_AT - 5
VENUE = b"ZZZZ0000000000000113"
BROKERS = (b"ZZZZ0000000000001665", b"ZZZZ0000000000001762")
BPL1, SHP1B = "ZZBUSANPL019", "ZZSHIPFIN016"
KR, US, KP = 410, 840, 408
KYC = 1


def address(label: str) -> bytes:
    return label.encode().rjust(20, b"\0")


BUYING = BROKERS[1]
CASH_TOKEN, SETTLEMENT, ISSUER = address("krw"), address("dvp"), address("kyc")
TOKENS = {BPL1: address("bpl1"), SHP1B: address("shp1b")}


def order_key(broker: bytes) -> bytes:
    return address("okey" + broker[-4:].decode())


def cash_account(broker: bytes, kind: int = OwnerType.CUSTOMER) -> bytes:
    return address(f"cash{kind}" + broker[-4:].decode())


def rules(isin: str, version: int, effective_block: int, **changed: object) -> facts.RuleSetAnnounced:
    fields: dict[str, object] = {
        "cap_units": 0,
        "cap_bps": 0,
        "classes": 0,
        "holder_limit": 0,
        "lot": 0,
        "countries_allowed": False,
        "countries": bytes(128),
    }
    return facts.RuleSetAnnounced(
        compliance=address("rules" + isin[:8]),
        version=version,
        effective_block=effective_block,
        **(fields | changed),  # type: ignore[arg-type]
    )


def countries(*codes: int) -> bytes:
    words = [0, 0, 0, 0]
    for code in codes:
        words[code // 256] |= 1 << (code % 256)
    return b"".join(word.to_bytes(32) for word in words)


def member_facts() -> list[Fact]:
    found: list[Fact] = []
    for broker in BROKERS:
        found += [
            facts.MemberAdmitted(broker, Role.ACCOUNT_MANAGER),
            facts.KeyAdded(order_key(broker), broker, Scope.ORDER | Scope.CASH, 0, 2**40 - 1),
            facts.CashAccountOpened(cash_account(broker), broker, OwnerType.CUSTOMER),
            facts.CashAccountOpened(cash_account(broker, OwnerType.OWN), broker, OwnerType.OWN),
            facts.CashMoved(CASH_TOKEN, bytes(20), cash_account(broker), 10**12),
            facts.CashMoved(CASH_TOKEN, bytes(20), cash_account(broker, OwnerType.OWN), 10**9),
        ]
    return found


def token_facts() -> list[Fact]:
    found: list[Fact] = []
    for isin, token in TOKENS.items():
        found += [
            facts.IssueCreated(token, isin, address("rules" + isin[:8])),
            facts.QuantityRegistered(token, 3_400_000),
            facts.Paused(token, paused=False),
        ]
    return [*found, facts.TopicAdded(KYC), facts.IssuerTrusted(ISSUER, (KYC,))]


def account_facts(
    name: str,
    broker: bytes,
    units: int = 0,
    country: int = KR,
    investor_class: int = InvestorClass.GENERAL,
    owner_type: int = OwnerType.CUSTOMER,
    until: int = 2**40 - 1,
) -> list[Fact]:
    identity = address("id" + name)
    found: list[Fact] = [
        facts.AccountBound(address(name), broker, identity, country, investor_class, owner_type),
        facts.ClaimAttested(identity, ISSUER, 1 << KYC, until),
    ]
    if units:
        found.append(facts.Transferred(TOKENS[BPL1], bytes(20), address(name), units))
    return found


class Market:
    """Feeds a venue and keeps every entry and outcome, as its journal would."""

    def __init__(self, rulebook: Rulebook | None = None, at: int = OPEN_AT) -> None:
        self.venue = Venue()
        self.rows: list[tuple[Entry, Outcome]] = []
        self.now_ns = at * SECOND
        self.nonces = dict.fromkeys(BROKERS, 0)
        self.block = 0
        self.clients = 0
        self.do(journal.VenueOpened(0, VENUE, 31337, SETTLEMENT, CASH_TOKEN, "STKN", rulebook or Rulebook(), DECISIONS))

    def do(self, entry: Entry) -> Outcome:
        self.now_ns += 1
        stamped = type(entry)(
            **({name: getattr(entry, name) for name in entry.__struct_fields__} | {"received_at_ns": self.now_ns})
        )
        outcome = self.venue.apply(stamped)
        self.rows.append((stamped, outcome))
        return outcome

    def decide_as(self, decisions: int) -> Outcome:
        """Decide what follows as an older version did."""
        opened = self.venue.state.opened
        assert opened is not None
        return self.do(msgspec.structs.replace(opened, decisions=decisions))

    def apply(self, block_facts: Iterable[Fact] = (), time: int | None = None, failed: tuple[int, ...] = ()) -> Outcome:
        self.block += 1
        when = BLOCK_TIME + self.block if time is None else time
        return self.do(journal.BlockApplied(0, self.block, self.block.to_bytes(32), when, tuple(block_facts), failed))

    def admit(self, isin: str = BPL1, lot: int = 1, nav: int = 5_000, reference_price: int = 5_000) -> Outcome:
        return self.do(
            journal.InstrumentAdmitted(0, isin, TOKENS[isin], "BENEFICIARY_CERTIFICATE", lot, nav, reference_price)
        )

    def account(
        self,
        name: str,
        broker: bytes = BROKERS[0],
        *,
        pseudonym: str = "",
        investor_class: int = InvestorClass.GENERAL,
        owner_type: int = OwnerType.CUSTOMER,
        closed: bool = False,
        blocked: bool = False,
    ) -> Outcome:
        person = (pseudonym or name).encode()
        return self.do(
            journal.AccountOpened(0, address(name), broker, person, investor_class, owner_type, closed, blocked)
        )

    def allocate(self, name: str, amount: int, broker: bytes = BROKERS[0], **changed: object) -> Outcome:
        self.nonces[broker] += 1
        fields: dict[str, object] = {
            "received_at_ns": 0,
            "broker": broker,
            "account": address(name),
            "cash_account": cash_account(broker),
            "amount": amount,
            "nonce": self.nonces[broker],
            "deadline": BLOCK_TIME + 3600,
            "signature": b"s",
            "signer": order_key(broker),
        }
        return self.do(journal.CashAllocated(**(fields | changed)))  # type: ignore[arg-type]

    def order(
        self,
        name: str,
        side: Side,
        quantity: int,
        price: int = 5_000,
        broker: bytes = BROKERS[0],
        isin: str = BPL1,
        **changed: object,
    ) -> journal.NewOrder:
        """An order that would be taken; `changed` replaces fields of the entry or of what is signed."""
        self.nonces[broker] += 1
        self.clients += 1
        signed: dict[str, object] = {
            "venue": VENUE,
            "account": address(name),
            "cash_account": cash_account(broker),
            "token": TOKENS[isin],
            "cash": CASH_TOKEN,
            "side": int(side),
            "price": price,
            "quantity": quantity,
            "nonce": self.nonces[broker],
            "tradable_until": BLOCK_TIME + 7200,
            "settle_by": BLOCK_TIME + 7200 + 3600,
            "replaces": 0,
        }
        entry: dict[str, object] = {
            "client_order_id": f"c{self.clients}",
            "broker": broker,
            "isin": isin,
            "signature": b"s" * 65,
            "signer": order_key(broker),
            "order_type": OrderType.LIMIT,
            "short_sale": False,
            "margin": False,
        }
        for field, value in changed.items():
            (signed if field in signed else entry)[field] = value
        return journal.NewOrder(received_at_ns=0, order=SignedOrder(**signed), **entry)  # type: ignore[arg-type]

    def send(self, *args: object, **changed: object) -> Answer:
        return self.do(self.order(*args, **changed)).answer  # type: ignore[arg-type]

    def cancel(self, entry: journal.NewOrder, signer: bytes | None = None) -> Outcome:
        key = order_key(entry.broker) if signer is None else signer
        return self.do(journal.CancelOrder(0, entry.broker, entry.order.nonce, b"s" * 65, key))

    def settled(self, trade_id: int) -> list[Fact]:
        """The facts of a block in which a trade settled."""
        trade = self.venue.state.trades[trade_id].trade
        return [
            facts.Transferred(trade.token, trade.sell.account, trade.buy.account, trade.quantity),
            facts.CashMoved(CASH_TOKEN, trade.buy.cash_account, trade.sell.cash_account, trade.price * trade.quantity),
            facts.TradeSettled(
                VENUE,
                trade_id,
                trade.token,
                trade.sell.account,
                trade.buy.account,
                trade.quantity,
                trade.price,
                trade.sell.nonce,
                trade.buy.nonce,
            ),
        ]


def open_market(rulebook: Rulebook | None = None) -> Market:
    """A market in session: `seller` holds 1,000 units at broker 1, `buyer` has KRW 50,000,000 at broker 2."""
    market = Market(rulebook)
    market.admit()
    market.apply(
        [
            *member_facts(),
            *token_facts(),
            *account_facts("seller", BROKERS[0], units=1_000),
            *account_facts("buyer", BROKERS[1]),
        ]
    )
    market.account("seller", BROKERS[0])
    market.account("buyer", BROKERS[1])
    market.allocate("buyer", 50_000_000, BROKERS[1])
    return market


def accepted(answer: Answer) -> Accepted:
    assert isinstance(answer, Accepted), answer
    return answer


def refused(answer: Answer) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


def trades(outcome: Outcome) -> list[Trade]:
    return [event for event in outcome.events if isinstance(event, Trade)]


def values(answer: object) -> dict[str, Any]:
    assert isinstance(answer, Refused)
    return dict(answer.values)


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


def buy(market: Market, quantity: int = 10, price: int = 5_000, **changed: object) -> Answer:
    return market.send("buyer", Side.BUY, quantity, price, BUYING, **changed)


def sell(market: Market, quantity: int = 10, price: int = 5_000, **changed: object) -> Answer:
    return market.send("seller", Side.SELL, quantity, price, **changed)
