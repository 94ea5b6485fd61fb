# SPDX-License-Identifier: Apache-2.0
"""A chain with the suite, a database, and the processes between them and those who call: all of them real."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from stoken import bootstrap
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading
from stoken.domain.calendar import Calendar, market_date, midnight
from stoken.domain.codes import Side
from stoken.domain.rulebook import Rulebook
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.issuance.queries import RequestStatus, outcome
from stoken.ledger import queries
from stoken.mirror import store
from stoken.orders import outcomes
from stoken.orders.journal import read_rows
from stoken.orders.outcomes import Trade, TradeFailed, TradeSettled
from stoken.parties.requests import Body
from stoken.settings import DatabaseSettings, RpcSettings, Settings, SignerSettings
from stoken.transactions.signer import create_keystore
from tests.consortium import BROKER_1, BROKER_2, BUYER, CASH_AGENT, ISSUER, SELLER, SENDER, VENUE, Desk, Holder, charter
from tests.e2e.bare_node import BareNode
from tests.killing import clients
from tests.killing.clients import Callers, Flow, Word
from tests.spawner import Spawner

ISIN: Final = b"ZZ0000000016"
PROCESSES: Final = ("work", "serve")
HOLDERS: Final = (SELLER, BUYER)
_PASSWORD: Final = "kills"
_DEPTH: Final = 2
_PATIENCE_SECONDS: Final = 120
_POLL_SECONDS: Final = 0.03
_ENDS: Final = {RequestStatus.DONE, RequestStatus.FAILED}
_REGISTERED: Final = 10**9
_UNITS, _CASH = 1_000_000, 10**9
_PRICES: Final = (5_000, 5_010)
#: Between two words of a caller: a flow lasts about half a second.
_PAUSE_SECONDS_MAX: Final = 0.15
_OPENING_SECONDS: Final = 60


class Order(NamedTuple):
    """An order that was answered: its number at the venue, its nonce and its units."""

    order_id: int
    nonce: int
    units: int


class Site:
    """Everything of one chunk of kills."""

    def __init__(self, database_url: str, market_url: str, node_url: str, folder: Path) -> None:
        """Deploy the suite on a node; both databases are migrated, and one and the same on PostgreSQL."""
        self.url, self.market_url, self.node, self.folder = database_url, market_url, BareNode(node_url), folder
        create_keystore(folder / "sender.json", SENDER, _PASSWORD, work_factor=2)
        settings = Settings(
            rpc=RpcSettings(url=node_url, finality_depth=_DEPTH),
            database=DatabaseSettings(url=database_url, market_url=market_url),
            signer=SignerSettings(keystore_file=folder / "sender.json", password=_PASSWORD),
            suite_file=folder / "suite.json",
        )
        self.suite = bootstrap.deploy(settings, charter())
        self.desk = Desk(self.suite.contracts, self.suite.chain_id)
        self.engine, self.rpc = open_engine(database_url), RpcClient(node_url)
        self._market = open_engine(market_url)
        # From here on a block is mined when the worker has followed the last one, however slow the machine is.
        self.rpc.call("evm_setIntervalMining", 0)
        port, issuer = _free_port(), DemoIssuer.generate(time.time)
        self.callers = Callers(f"http://127.0.0.1:{port}", issuer)
        self._pool = ThreadPoolExecutor(3)
        self._environment = _environment(settings, folder, issuer, port)
        self._spawner = Spawner(folder)
        self._running: dict[str, int] = {}
        #: What was accepted, by tenant and id: whether a contract will carry it out.
        self.requests: dict[tuple[bytes, str], bool] = {}
        self._open_requests: set[tuple[bytes, str]] = set()
        #: What was accepted, by broker and client order id.
        self.orders: dict[tuple[bytes, str], Order] = {}
        self.canceled: set[int] = set()
        self._journal_read = 0
        self._open_trades: set[int] = set()
        #: How many trades the journal holds.
        self.trades = 0
        self._names = 0
        #: What the accepted requests that will be carried out add up to.
        self.minted = dict.fromkeys(HOLDERS, 0)
        self.credited = dict.fromkeys((BROKER_1, BROKER_2), 0)

    def close(self) -> None:
        """End the processes and close what was opened."""
        self._spawner.close()
        self._pool.shutdown(cancel_futures=True)
        self.callers.close()
        self.rpc.close()
        self.engine.dispose()
        self._market.dispose()

    # --- processes ----------------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        for name in names:
            self._running[name] = self._spawner.start(name, self._environment)

    def kill(self, *names: str) -> list[int]:
        """Kill processes at once and return the statuses they ended with."""
        return self._spawner.kill(*(self._running.pop(name) for name in names))

    def last_words(self) -> list[str]:
        """Return what the processes said last."""
        logs = [path for name in PROCESSES if (path := self.folder / f"{name}.log").exists()]
        return [line for path in logs for line in path.read_text().splitlines()[-5:]]

    # --- founding -----------------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Create an issue, its holders and their cash, and open the market: by the processes, as everything."""
        self.start(*PROCESSES)
        self._send(ISSUER, self.desk.issue(ISIN))
        for holder in HOLDERS:
            self._send(holder.broker, self.desk.onboard(holder))
            self._send(CASH_AGENT, self.desk.open_cash(holder.broker))
        self.wait()
        with reading(self.engine) as connection:
            self.token = queries.register(connection, ISIN.decode()).token
        self._send(ISSUER, self.desk.register(self.token, _REGISTERED))
        self._send(ISSUER, self.desk.unpause(self.token))
        self.wait()
        for holder in HOLDERS:
            self._mint(holder, _UNITS)()
            self._credit(holder.broker, _CASH)()
        self.wait()
        self._open_market()

    def _open_market(self) -> None:
        self._await_venue()
        now = int(time.time())
        admission = {"isin": ISIN.decode(), "token": clients.hexed(self.token), "lot": "1", "net_asset_value": "5000"}
        admission["instrument_type"] = "BENEFICIARY_CERTIFICATE"
        self.callers.must(VENUE, "POST", "/admissions", admission)
        for holder in HOLDERS:
            account = {"account": clients.hexed(holder.account), "ci": f"person {holder.account.hex()}"}
            self.callers.must(holder.broker, "POST", "/accounts", account)
            allocation = clients.allocation_body(self.desk, holder, _CASH)
            self.callers.must(holder.broker, "POST", "/cash/allocations", allocation)
        self.callers.must(VENUE, "POST", "/clock", {"offset_seconds": _opening(now) - now})

    def _await_venue(self) -> None:
        """Wait until the venue has seen what is final."""
        with reading(self.engine) as connection:
            final = store.read_checkpoint(connection).final_number
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.callers.must(VENUE, "GET", "/ready")["block_number"] < final:
            assert time.monotonic() < deadline, "the venue does not follow"
            time.sleep(_POLL_SECONDS)

    # --- what is sent -------------------------------------------------------------------------------------------------

    def flow(self, random: Random) -> Flow:
        """Let three callers send at once: requests of each kind, and orders of two brokers, some cancelled."""
        requests = [self._trouble(random) for _ in range(random.randint(1, 4))]
        orders = [self._trading(random, holder) for holder in HOLDERS]
        lines = [[(random.uniform(0, _PAUSE_SECONDS_MAX), word) for word in line] for line in (requests, *orders)]
        return Flow(self._pool, lines)

    def _trouble(self, random: Random) -> Word:
        """Return a request: what credits, what mints, or what a contract refuses."""
        kind, amount, holder = random.random(), random.randint(1, 1_000), random.choice(HOLDERS)
        if kind < 0.6:
            return self._credit(holder.broker, amount)
        return self._mint(holder, amount) if kind < 0.8 else self._refused(holder)

    def _credit(self, broker: bytes, amount: int) -> Word:
        self.credited[broker] += amount
        return self._request(CASH_AGENT, self.desk.credit(broker, amount), good=True)

    def _mint(self, holder: Holder, units: int) -> Word:
        self.minted[holder] += units
        return self._request(ISSUER, self.desk.mint(self.token, holder, units), good=True)

    def _refused(self, holder: Holder) -> Word:
        """Return a mint of more than is registered."""
        return self._request(ISSUER, self.desk.mint(self.token, holder, _REGISTERED), good=False)

    def _send(self, caller: bytes, body: Body) -> None:
        self._request(caller, body, good=True)()

    def _request(self, caller: bytes, body: Body, *, good: bool) -> Word:
        name = self._name()
        sent = clients.request_body(name, body)

        def say() -> None:
            self.callers.must(caller, "POST", "/requests", sent)
            self.requests[caller, name] = good
            self._open_requests.add((caller, name))

        return say

    def _trading(self, random: Random, holder: Holder) -> list[Word]:
        """Return a broker's orders, and cancels of some that may have traded by then."""
        words = []
        for _ in range(random.randint(1, 4)):
            # An order of its own account on the other side would stop all that come after it.
            side = Side.SELL if holder is SELLER else Side.BUY
            name, units = self._name(), random.randint(1, 5)
            words.append(self._order(name, holder, side, random.choice(_PRICES), units))
            if random.random() < 0.2:
                words.append(self._cancel(name, holder.broker))
        return words

    def _order(self, name: str, holder: Holder, side: Side, price: int, units: int) -> Word:
        body = clients.order_body(self.desk, name, ISIN.decode(), holder, self.token, side, price, units)

        def say() -> None:
            answer = self.callers.must(holder.broker, "POST", "/orders", body)
            self.orders[holder.broker, name] = Order(answer["order_id"], int(body["nonce"]), units)

        return say

    def _cancel(self, name: str, broker: bytes) -> Word:
        def say() -> None:
            order = self.orders[broker, name]
            body = clients.cancel_body(self.desk, broker, order.nonce)
            answer = self.callers.ask(broker, "DELETE", f"/orders/{order.order_id}", body)
            if answer.is_success:
                self.canceled.add(order.order_id)
            else:
                assert answer.json()["code"] == "TOO_LATE", answer.text

        return say

    def _name(self) -> str:
        self._names += 1
        return f"n{self._names}"

    # --- time ---------------------------------------------------------------------------------------------------------

    def mine(self) -> bool:
        """Mine a block if the worker has followed the last one; tell whether it had."""
        head = int(self.rpc.call("eth_blockNumber"), 16)
        with reading(self.engine) as connection:
            followed = store.read_checkpoint(connection).number >= head
        if followed:
            self.rpc.call("evm_mine")
        return followed

    def run(self, blocks: int) -> None:
        """Let the worker follow so many blocks."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while blocks:
            assert time.monotonic() < deadline, "the worker stands still"
            blocks -= self.mine()
            time.sleep(_POLL_SECONDS)

    def wait(self, flow: Flow | None = None) -> None:
        """Let the processes go on until what is sent is answered, and each request and each trade has an end."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (flow is not None and not flow.is_over()) or self._something_open():
            still = f"{sorted(self._open_requests)}, trades {sorted(self._open_trades)}"
            assert time.monotonic() < deadline, f"I1: no end of {still}"
            self.mine()
            time.sleep(_POLL_SECONDS)

    def _something_open(self) -> bool:
        """Tell whether the worker knows no end of a request, or the venue none of a trade."""
        with reading(self.engine) as connection:
            statuses = {
                (caller, name): outcome(connection, caller.decode(), name).status
                for caller, name in list(self._open_requests)
            }
        self._open_requests -= {key for key, status in statuses.items() if status in _ENDS}
        for row in read_rows(self._market, self._journal_read, 10_000):
            self._journal_read = row.sequence
            for event in outcomes.decode(row.outcome).events:
                if isinstance(event, Trade):
                    self.trades += 1
                    self._open_trades.add(event.trade_id)
                elif isinstance(event, TradeSettled | TradeFailed):
                    self._open_trades.discard(event.trade_id)
        return bool(self._open_requests or self._open_trades)


def _opening(now: int) -> int:
    """Return an instant soon after the market opened on this day, or on the next on which it opens."""
    book = Rulebook()
    calendar = Calendar(book.calendar_version, book.opens_at_minute, book.closes_at_minute)
    today = market_date(now)
    day = today if calendar.is_business_day(today) else calendar.add_business_days(today, 1)
    return midnight(day) + book.opens_at_minute * 60 + _OPENING_SECONDS


def _environment(settings: Settings, folder: Path, issuer: DemoIssuer, port: int) -> Mapping[str, str]:
    (folder / "issuer.pem").write_bytes(issuer.public_pem)
    (folder / "pseudonyms.key").write_bytes(secrets.token_bytes(32))
    database, market = settings.database.url, settings.database.market_url
    assert market is not None
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
    return inherited | {
        "STOKEN_RPC__URL": settings.rpc.url,
        "STOKEN_RPC__FINALITY_DEPTH": str(_DEPTH),
        "STOKEN_DATABASE__URL": database.get_secret_value(),
        "STOKEN_DATABASE__MARKET_URL": market.get_secret_value(),
        "STOKEN_SIGNER__KEYSTORE_FILE": str(settings.signer.keystore_file),
        "STOKEN_SIGNER__PASSWORD": _PASSWORD,
        "STOKEN_SUITE_FILE": str(settings.suite_file),
        "STOKEN_AUTH__PUBLIC_KEY_FILE": str(folder / "issuer.pem"),
        "STOKEN_VENUE__PSEUDONYM_KEY_FILE": str(folder / "pseudonyms.key"),
        "STOKEN_VENUE__DEMO_CLOCK": "true",
        "STOKEN_PORT": str(port),
    }


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
