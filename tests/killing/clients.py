# SPDX-License-Identifier: Apache-2.0
"""What institutions send to a gateway that may die at any moment: each says the same again until it is answered."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import httpx
import msgspec

from stoken.chain import eip712
from stoken.chain.signatures import sign
from stoken.chain.statements import CashAllocation, OrderCancel
from stoken.domain.codes import Side
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.parties.requests import Body, kind_of
from tests.consortium import CASH, FOREVER, ROLES, VENUE, Desk, Holder, key_of

_PATIENCE_SECONDS: Final = 120
_PAUSE_SECONDS: Final = 0.03
_TOKEN_SECONDS: Final = 200
_RETRYABLE: Final = frozenset({502, 503, 504})
_AS_TEXT: Final = frozenset({"nonce", "salt", "amount"})

Json = Any
Word = Callable[[], None]


class Callers:
    """Calls the gateway in the name of institutions, from any thread; `cut_off` counts calls that died on the way."""

    def __init__(self, url: str, issuer: DemoIssuer) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._issuer = issuer
        self._tokens: dict[bytes, tuple[float, str]] = {}
        self.cut_off = 0

    def close(self) -> None:
        self._http.close()

    def ask(self, caller: bytes, method: str, path: str, body: Json = None) -> httpx.Response:
        """Call until there is an answer other than that there is none now."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (answer := self._try(caller, method, path, body)) is None:
            assert time.monotonic() < deadline, f"I1: {method} {path} of {body} gets no answer"
            time.sleep(_PAUSE_SECONDS)
        return answer

    def must(self, caller: bytes, method: str, path: str, body: Json = None) -> Json:
        """Call, and return what a good answer says."""
        answer = self.ask(caller, method, path, body)
        assert answer.is_success, f"{method} {path} is refused: {answer.text}"
        return answer.json()

    def _try(self, caller: bytes, method: str, path: str, body: Json) -> httpx.Response | None:
        headers = {"authorization": f"Bearer {self._token(caller)}"}
        try:
            answer = self._http.request(method, path, headers=headers, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return None
        except httpx.TransportError:
            self.cut_off += 1
            return None
        return None if answer.status_code in _RETRYABLE else answer

    def _token(self, caller: bytes) -> str:
        expires, token = self._tokens.get(caller, (0.0, ""))
        if time.monotonic() > expires:
            token = self._issuer.token(caller.decode(), ROLES[caller])
            self._tokens[caller] = (time.monotonic() + _TOKEN_SECONDS, token)
        return token


class Flow:
    """Some institutions talking at once, each its own words in turn, after a pause each."""

    def __init__(self, pool: ThreadPoolExecutor, lines: Sequence[Sequence[tuple[float, Word]]]) -> None:
        """Start to talk; the pool has a thread for each line."""
        self.words = sum(map(len, lines))
        self._begun, self._answered = threading.Semaphore(0), threading.Semaphore(0)
        self._lines: list[Future[None]] = [pool.submit(self._say, line) for line in lines]

    def await_begun(self, number: int) -> None:
        """Wait until so many words have begun."""
        _await(self._begun, number)

    def await_answered(self, number: int) -> None:
        """Wait until so many words are answered."""
        _await(self._answered, number)

    def is_over(self) -> bool:
        """Tell whether every word is answered; raises what a client did not expect."""
        if not all(line.done() for line in self._lines):
            return False
        for line in self._lines:
            line.result()
        return True

    def _say(self, line: Sequence[tuple[float, Word]]) -> None:
        for pause, word in line:
            time.sleep(pause)
            self._begun.release()
            word()
            self._answered.release()


def _await(words: threading.Semaphore, number: int) -> None:
    for _ in range(number):
        assert words.acquire(timeout=_PATIENCE_SECONDS), "the clients stand still"


def request_body(name: str, body: Body) -> Json:
    """Return a signed statement as it is sent."""
    fields = msgspec.structs.asdict(body)
    statement = msgspec.structs.asdict(fields.pop("statement"))
    statement.pop("manager", None)  # it is the caller
    if "kind" in statement:
        statement["account_kind"] = statement.pop("kind")
    rendered = {each: _json(each, value) for each, value in (statement | fields).items()}
    return {"id": name, "kind": kind_of(body), **rendered}


def order_body(
    desk: Desk, name: str, isin: str, holder: Holder, token: bytes, side: Side, price: int, units: int
) -> Json:
    """Return an order as its broker signs and sends it."""
    order, signature = desk.order(holder, token, side, price, units)
    return {
        "client_order_id": name,
        "isin": isin,
        "account": hexed(order.account),
        "cash_account": hexed(order.cash_account),
        "token": hexed(order.token),
        "side": side.name,
        "price": str(order.price),
        "quantity": str(order.quantity),
        "nonce": str(order.nonce),
        "tradable_until": order.tradable_until,
        "settle_by": order.settle_by,
        "signature": hexed(signature),
    }


def cancel_body(desk: Desk, broker: bytes, nonce: int) -> Json:
    """Return what withdraws a broker's order."""
    domain = desk.domain(eip712.DVP_SETTLEMENT, "settlement")
    return {"signature": hexed(sign(key_of(broker), eip712.order_cancel(domain, OrderCancel(broker, nonce))))}


def allocation_body(desk: Desk, holder: Holder, amount: int) -> Json:
    """Return a broker's allocation of its customers' cash to one of them."""
    cash_account = CASH[holder.broker]
    statement = CashAllocation(VENUE, holder.account, cash_account, amount, desk.number(), FOREVER)
    digest = eip712.cash_allocation(desk.domain(eip712.DVP_SETTLEMENT, "settlement"), statement)
    return {
        "account": hexed(holder.account),
        "cash_account": hexed(cash_account),
        "amount": str(amount),
        "nonce": str(statement.nonce),
        "deadline": statement.deadline,
        "signature": hexed(sign(key_of(holder.broker), digest)),
    }


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


def _json(name: str, value: object) -> object:
    if isinstance(value, bytes):
        return value.decode() if name == "member" else hexed(value)
    if isinstance(value, tuple):
        return [_json(name, item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {inner: _json(inner, item) for inner, item in msgspec.structs.asdict(value).items()}
    return str(value) if name in _AS_TEXT else value
