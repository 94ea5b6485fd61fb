# SPDX-License-Identifier: Apache-2.0
"""The institutions' HTTP client: says the same again until it is answered, since every call is idempotent."""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec

from stoken.chain.statements import CashAllocation
from stoken.cli.demo.cast import Institution, Investor
from stoken.cli.demo.desk import Ticket
from stoken.domain.codes import OwnerType, Side
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.parties.requests import Body, kind_of

_PATIENCE_SECONDS: Final = 90
_PAUSE_SECONDS: Final = 0.05
_TOKEN_SECONDS: Final = 200
_RETRYABLE: Final = frozenset({502, 503, 504})
_AS_TEXT: Final = frozenset({"nonce", "salt", "amount", "units"})

Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 - an answer of the gateway, expected in half of the scenes
    """The gateway answered with a problem."""

    def __init__(self, problem: Json) -> None:
        """Take the problem document."""
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.problem = problem
        self.code = str(problem.get("code"))


class VenueClient:
    """Calls the gateway in the name of an institution."""

    def __init__(self, url: str, issuer: DemoIssuer, check: Callable[[], None]) -> None:
        """Take the gateway's address, who issues access tokens, and what raises once waiting is in vain."""
        self._check = check
        self._http = httpx.Client(base_url=url, timeout=30)
        self._issuer = issuer
        self._tokens: dict[str, tuple[float, str]] = {}

    def get(self, caller: Institution, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read a resource."""
        return self._ask(caller, "GET", path, params={name: str(value) for name, value in query.items()})

    def post(self, caller: Institution, path: str, body: Json) -> Any:  # noqa: ANN401 - JSON
        """Send a command."""
        return self._ask(caller, "POST", path, json=body)

    def request(self, caller: Institution, request_id: str, body: Body) -> None:
        """Send a signed statement for the chain."""
        self.post(caller, "/requests", {"id": request_id, **_rendered(body)})

    def outcome(self, caller: Institution, request_id: str) -> Json:
        """Wait until a request is settled one way or the other, and return what became of it."""
        view: Json = self.wait(
            f"request {request_id}",
            lambda: self.get(caller, f"/requests/{request_id}"),
            lambda view: view["status"] not in {"received", "sent"},
        )
        return view

    def order(self, isin: str, ticket: Ticket, client_order_id: str, caller: Institution, **form: object) -> Json:
        """Send an order; raises Refused with the venue's verdict."""
        signed = ticket.order
        body = {
            "client_order_id": client_order_id,
            "isin": isin,
            "account": _hex(signed.account),
            "cash_account": _hex(signed.cash_account),
            "token": _hex(signed.token),
            "side": Side(signed.side).name,
            "price": str(signed.price),
            "quantity": str(signed.quantity),
            "nonce": str(signed.nonce),
            "tradable_until": signed.tradable_until,
            "settle_by": signed.settle_by,
            "signature": _hex(ticket.signature),
            **form,
        }
        answer: Json = self.post(caller, "/orders", body)
        return answer

    def open_account(self, investor: Investor) -> None:
        """Tell the venue about an account of a broker."""
        self.post(
            investor.broker.institution,
            "/accounts",
            {
                "account": _hex(investor.account),
                "ci": investor.person,
                "investor_class": investor.investor_class.name,
                "owner_type": OwnerType(investor.owner_type).name,
            },
        )

    def cancel(self, caller: Institution, order_id: int, signature: bytes) -> Json:
        """Withdraw what is left of an order."""
        answer: Json = self._ask(caller, "DELETE", f"/orders/{order_id}", json={"signature": _hex(signature)})
        return answer

    def allocate(self, caller: Institution, statement: CashAllocation, signature: bytes) -> None:
        """Credit an investor's cash at the venue."""
        fields = {name: value for name, value in msgspec.structs.asdict(statement).items() if name != "venue"}
        body = {name: _json(name, value) for name, value in fields.items()}
        self.post(caller, "/cash/allocations", {**body, "signature": _hex(signature)})

    def wait(self, what: str, ask: Callable[[], Any], done: Callable[[Any], bool], seconds: int = 600) -> Any:  # noqa: ANN401
        """Ask until the answer is the one waited for; raises TimeoutError that says what never came."""
        deadline = time.monotonic() + seconds
        while not done(answer := ask()):
            self._check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} is still {answer}")
            time.sleep(_PAUSE_SECONDS)
        return answer

    def _ask(self, caller: Institution, method: str, path: str, **call: Any) -> Any:  # noqa: ANN401 - JSON
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self._try(caller, method, path, **call)
            if answer is not None and answer.status_code not in _RETRYABLE:
                break
            self._check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path} got no answer")
            time.sleep(_PAUSE_SECONDS)
        if answer.is_error:
            raise Refused(answer.json())
        return answer.json()

    def _try(self, caller: Institution, method: str, path: str, **call: Any) -> httpx.Response | None:  # noqa: ANN401
        try:
            headers = {"authorization": f"Bearer {self._token(caller)}"}
            return self._http.request(method, path, headers=headers, **call)
        except httpx.TransportError:
            return None

    def _token(self, caller: Institution) -> str:
        expires, token = self._tokens.get(caller.lei, (0.0, ""))
        if time.monotonic() > expires:
            token = self._issuer.token(caller.lei, caller.roles)
            self._tokens[caller.lei] = (time.monotonic() + _TOKEN_SECONDS, token)
        return token


def _rendered(body: Body) -> Json:
    fields = msgspec.structs.asdict(body)
    statement = msgspec.structs.asdict(fields.pop("statement"))
    statement.pop("manager", None)  # it is the caller
    if "kind" in statement:
        statement["account_kind"] = statement.pop("kind")
    return {"kind": kind_of(body), **{name: _json(name, value) for name, value in (statement | fields).items()}}


def _json(name: str, value: object) -> object:
    if isinstance(value, bytes):
        return value.decode() if name == "member" else _hex(value)
    if isinstance(value, tuple):
        return [_json(name, item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {inner: _json(inner, item) for inner, item in msgspec.structs.asdict(value).items()}
    return str(value) if name in _AS_TEXT else value


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
