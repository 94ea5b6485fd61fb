# SPDX-License-Identifier: Apache-2.0
"""What the acts of the demo share: the cast, its desk, its client, the node, and what was seen so far."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from threading import Lock
from time import perf_counter
from typing import Any

from rich.console import Console

from stoken.cli.demo.cast import Cast, Institution, Investor
from stoken.cli.demo.client import Refused, VenueClient
from stoken.cli.demo.desk import Desk, Ticket
from stoken.cli.demo.recount import Node
from stoken.domain.codes import Side
from stoken.errors import StokenError
from stoken.issuance.issue_file import IssueFile
from stoken.parties.requests import Body

#: A signed statement for the chain, and the institution that hands it in.
Request = tuple[Institution, Body]


class DemoError(StokenError):
    """The demo did not see what it must see."""

    code = "DEMO_FAILED"
    title = "The demo did not see what it must see."


@dataclass(frozen=True, slots=True)
class Security:
    """An instrument of the demo on chain."""

    issue: IssueFile
    issuer: Institution
    token: bytes


@dataclass(frozen=True, slots=True)
class Phase:
    """How long a part took, and how many things it did."""

    name: str
    seconds: float
    count: int

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.count / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Play:
    """The demo as it unfolds."""

    cast: Cast
    desk: Desk
    client: VenueClient
    node: Node
    console: Console
    securities: dict[str, Security] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    chain_refusals: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    credited: int = 0
    phases: list[Phase] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def step(self, number: int, title: str, phase: str, done: int = 1) -> Iterator[None]:
        """Announce a step of the main job, and time it as a phase that does so many things."""
        self.console.print(f"[bold]{number}[/] {title}")
        started = perf_counter()
        yield
        self.phases.append(Phase(phase, perf_counter() - started, done))

    def institution(self, name: str) -> Institution:
        """Return a member by its name."""
        return self.cast.institutions[name]

    def investor(self, name: str) -> Investor:
        """Return a character by its name."""
        return self.cast.characters[name]

    def send(self, caller: Institution, body: Body) -> str:
        """Send a request under a fresh id, and return the id."""
        request_id = f"demo-{next(self._ids)}"
        self.client.request(caller, request_id, body)
        return request_id

    def carry(self, caller: Institution, *bodies: Body) -> None:
        """Send an institution's requests and wait until each took effect on the chain."""
        self.carry_all((caller, body) for body in bodies)

    def carry_all(self, requests: Iterable[Request]) -> None:
        """Send requests that do not depend on each other, and wait until each took effect on the chain."""
        for view in self._outcomes(requests):
            if view["status"] != "done":
                raise DemoError(f"{view['kind']} was refused: {view['code']} {view['detail'] or ''}".strip())

    def carry_refused(self, code: str, requests: Iterable[Request]) -> None:
        """Send requests that a contract must refuse, all with one code."""
        for view in self._outcomes(requests):
            self.expect(view["code"] if view["status"] == "failed" else "done", code, view["kind"])
            self.refusals[code] += 1
            self.chain_refusals[code] += 1

    def _outcomes(self, requests: Iterable[Request]) -> Iterator[dict[str, Any]]:
        sent = [(caller, self.send(caller, body)) for caller, body in requests]
        return (self.client.outcome(caller, request_id) for caller, request_id in sent)

    def ticket(self, investor: Investor, short_code: str, side: Side, price: int, quantity: int) -> Ticket:
        """Return a signed order in one of the demo's instruments."""
        return self.desk.ticket(investor, self.securities[short_code].token, side, price, quantity)

    def order(self, short_code: str, ticket: Ticket, owner: Investor, **form: object) -> dict[str, object]:
        """Send an order that must be accepted."""
        isin = self.securities[short_code].issue.isin
        answer = self.client.order(isin, ticket, f"demo-{next(self._ids)}", owner.broker.institution, **form)
        with self._lock:
            self.accepted += 1
        return answer

    def refused(self, code: str, isin: str, ticket: Ticket, owner: Investor, **form: object) -> dict[str, object]:
        """Send an order that must be refused with a code, and return the problem document."""
        client_order_id = str(form.pop("client_order_id", f"demo-{next(self._ids)}"))
        try:
            answer = self.client.order(isin, ticket, client_order_id, owner.broker.institution, **form)
        except Refused as refusal:
            self.expect(refusal.code, code, f"order of {owner.name}")
            self.refusals[code] += 1
            return refusal.problem
        raise DemoError(f"order of {owner.name} must be refused with {code}, but was {answer['status']}")

    def cancel(self, order_id: int, owner: Investor) -> None:
        """Withdraw what is left of an order."""
        institution = owner.broker.institution
        nonce = int(self.client.get(institution, f"/orders/{order_id}")["nonce"])
        self.client.cancel(institution, order_id, self.desk.cancellation(owner.broker, nonce))

    def await_block(self, head: tuple[int, str]) -> None:
        """Wait until the venue has applied a block."""
        venue = self.institution("VENUE")
        ask = partial(self.client.get, venue, "/ready")
        self.client.wait(f"block {head[0]}", ask, lambda ready: ready["block_number"] >= head[0])

    @staticmethod
    def expect(seen: object, wanted: object, what: str) -> None:
        """Raise DemoError unless the demo saw what it must see."""
        if seen != wanted:
            raise DemoError(f"{what}: expected {wanted}, saw {seen}")
