# SPDX-License-Identifier: Apache-2.0
"""The gateway in process: a real venue, its journal on a real database, and the application over ASGI."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import httpx
from sqlalchemy import Engine

from stoken.bootstrap import GatewayServices, VenueIdentity
from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.chain.statements import CashAllocation, OrderCancel
from stoken.domain import facts
from stoken.domain.codes import Role, Scope, Side
from stoken.domain.facts import Fact
from stoken.domain.rulebook import Rulebook
from stoken.domain.signed_order import SignedOrder
from stoken.gateway.app import create_app
from stoken.gateway.counting import Counted
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.monitoring.venue import GatewayMonitor
from stoken.orders import entries
from stoken.orders.actor import VenueActor
from stoken.parties.pseudonym import Pseudonyms
from stoken.settings import AuthSettings
from stoken.telemetry.metrics import SERVE, Counts
from tests.unit.orders.factories import (
    BLOCK_TIME,
    BPL1,
    BROKERS,
    CASH_TOKEN,
    OPEN_AT,
    SECOND,
    SETTLEMENT,
    TOKENS,
    VENUE,
    account_facts,
    address,
    cash_account,
    member_facts,
    token_facts,
)

CHAIN_ID = 31_337
FOREVER = 2**40 - 1
SEPARATOR = eip712.domain(eip712.DVP_SETTLEMENT, CHAIN_ID, SETTLEMENT)
KEYS = {broker: bytes([7 + place]) * 32 for place, broker in enumerate(BROKERS)}
#: The LEI of an institution that holds every role and no account.
STRANGER = "ZZZZ0000000000001859"

Json = Any


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


class Gateway:
    """Drives one event loop from plain tests; `now` is the venue's clock in seconds."""

    def __init__(self, market: Engine, ledger: Engine, *, demo_clock: bool = True) -> None:
        self.now = OPEN_AT
        self.block = 0
        self.nonces = dict.fromkeys(BROKERS, 0)
        self.loop = asyncio.new_event_loop()
        self.issuer = DemoIssuer.generate(lambda: self.now)
        counts = Counts(SERVE)
        self.actor = VenueActor.open(market, self.clock, counts)
        self.monitor = GatewayMonitor(self.actor, ledger, counts)
        self.monitor.enter(self.loop)
        self.services = GatewayServices(
            actor=self.actor,
            market=market,
            ledger=ledger,
            venue=VenueIdentity(VENUE, CASH_TOKEN, SEPARATOR),
            pseudonyms=Pseudonyms("test", bytes(range(32))),
            auth=AuthSettings(),
            token_key=self.issuer.public_pem,
            demo_clock=demo_clock,
            clock=self.clock,
        )
        self.app = create_app(self.services)
        transport = httpx.ASGITransport(Counted(self.app, self.monitor), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://gateway")

    def clock(self) -> int:
        return self.now * SECOND

    def __enter__(self) -> Self:
        self.run(self.actor.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.run(self.http.aclose())
        self.run(self.actor.stop())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Json]) -> Json:
        return self.loop.run_until_complete(work)

    def call(
        self,
        method: str,
        path: str,
        roles: Role | None = None,
        lei: str | bytes = STRANGER,
        body: Json = None,
        **query: object,
    ) -> httpx.Response:
        """Call the gateway; without roles, without a token."""
        name = lei.decode() if isinstance(lei, bytes) else lei
        headers = {} if roles is None else {"authorization": f"Bearer {self.issuer.token(name, roles)}"}
        params = {key: str(value) for key, value in query.items()}
        response: httpx.Response = self.run(self.http.request(method, path, headers=headers, json=body, params=params))
        return response

    def as_broker(self, method: str, path: str, body: Json = None, broker: bytes = BROKERS[0]) -> httpx.Response:
        return self.call(method, path, Role.ACCOUNT_MANAGER, broker, body)

    def apply(self, block_facts: list[Fact]) -> None:
        """Let the venue see a final block."""
        self.block += 1
        entry = entries.BlockApplied(
            0, self.block, self.block.to_bytes(32), BLOCK_TIME + self.block, tuple(block_facts)
        )
        self.run(self.actor.submit(entry))

    def open_market(self) -> None:
        """A market in session: `seller` holds 1,000 units at broker 1, `buyer` has KRW 50,000,000 at broker 2."""
        opened = entries.VenueOpened(0, VENUE, CHAIN_ID, SETTLEMENT, CASH_TOKEN, "STKN", Rulebook(), entries.DECISIONS)
        self.run(self.actor.submit(opened))
        keys = [
            facts.KeyAdded(address_of(key), broker, Scope.ORDER | Scope.CASH, 0, FOREVER)
            for broker, key in KEYS.items()
        ]
        self.apply(
            [
                *member_facts(),
                *keys,
                *token_facts(),
                *account_facts("seller", BROKERS[0], units=1_000),
                *account_facts("buyer", BROKERS[1]),
            ]
        )
        admission = entries.InstrumentAdmitted(0, BPL1, TOKENS[BPL1], "BENEFICIARY_CERTIFICATE", 1, 5_000, 5_000)
        self.run(self.actor.submit(admission))
        for name, broker in (("seller", BROKERS[0]), ("buyer", BROKERS[1])):
            assert self.as_broker("POST", "/accounts", account_body(name), broker).status_code == 201
        assert self.as_broker("POST", "/cash/allocations", self.allocation("buyer"), BROKERS[1]).status_code == 201

    def allocation(self, name: str, amount: int = 50_000_000, broker: bytes = BROKERS[1]) -> Json:
        self.nonces[broker] += 1
        statement = CashAllocation(
            VENUE, address(name), cash_account(broker), amount, self.nonces[broker], BLOCK_TIME + 3_600
        )
        return {
            "account": hexed(statement.account),
            "cash_account": hexed(statement.cash_account),
            "amount": str(amount),
            "nonce": str(statement.nonce),
            "deadline": statement.deadline,
            "signature": hexed(sign(KEYS[broker], eip712.cash_allocation(SEPARATOR, statement))),
        }

    def order(
        self,
        name: str,
        side: Side,
        quantity: int = 10,
        price: int = 5_000,
        broker: bytes = BROKERS[0],
        **changed: object,
    ) -> Json:
        """The body of an order that would be taken; `changed` replaces fields after the signature."""
        self.nonces[broker] += 1
        nonce = self.nonces[broker]
        signed = SignedOrder(
            venue=VENUE,
            account=address(name),
            cash_account=cash_account(broker),
            token=TOKENS[BPL1],
            cash=CASH_TOKEN,
            side=side,
            price=price,
            quantity=quantity,
            nonce=nonce,
            tradable_until=BLOCK_TIME + 7_200,
            settle_by=BLOCK_TIME + 7_200 + 3_600,
        )
        body = {
            "client_order_id": f"c{nonce}",
            "isin": BPL1,
            "account": hexed(signed.account),
            "cash_account": hexed(signed.cash_account),
            "token": hexed(signed.token),
            "side": side.name,
            "price": str(price),
            "quantity": str(quantity),
            "nonce": str(nonce),
            "tradable_until": signed.tradable_until,
            "settle_by": signed.settle_by,
            "signature": hexed(sign(KEYS[broker], eip712.order(SEPARATOR, signed))),
        }
        return body | changed

    def sell(self, quantity: int = 10, price: int = 5_000, **changed: object) -> httpx.Response:
        body = self.order("seller", Side.SELL, quantity, price, BROKERS[0], **changed)
        return self.as_broker("POST", "/orders", body, BROKERS[0])

    def buy(self, quantity: int = 10, price: int = 5_000, **changed: object) -> httpx.Response:
        body = self.order("buyer", Side.BUY, quantity, price, BROKERS[1], **changed)
        return self.as_broker("POST", "/orders", body, BROKERS[1])


def account_body(name: str, **changed: object) -> Json:
    return {"account": hexed(address(name)), "ci": f"person {name}", **changed}


def cancel_body(broker: bytes, nonce: int) -> Json:
    return {"signature": hexed(sign(KEYS[broker], eip712.order_cancel(SEPARATOR, OrderCancel(broker, nonce))))}
