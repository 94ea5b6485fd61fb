# SPDX-License-Identifier: Apache-2.0
"""How an operation is drawn: what is interesting of the model's state, and the call that it becomes."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from stoken.issuance.calldata import call_of, interface
from stoken.parties import requests
from tests.simulation.market import ACCOUNTS, World
from tests.simulation.model import Model
from tests.simulation.terms import Block, Deal, Refusal

if TYPE_CHECKING:
    from stoken.orders.outcomes import Trade

Promise = Callable[[Model, Block], Refusal | None]


class Operation(NamedTuple):
    """A transaction, and what the model says of it."""

    what: str
    sender: bytes
    to: bytes
    data: bytes
    promise: Promise


class Draw:
    """Draws operations from one seed; `at` is the block that they will probably be mined in."""

    def __init__(self, world: World, choose: random.Random) -> None:
        """Take the world and the seed's generator."""
        self.world = world
        self.choose = choose
        self.at = Block(0, 0)
        self.trades = 0
        self.sent: list[Trade] = []
        self.holds: list[Deal] = []

    def account(self) -> bytes:
        """Return somebody."""
        return self.choose.choice(ACCOUNTS)

    def units(self, address: bytes) -> int:
        """Return an amount that is interesting for an account: about what it has, or little, or nothing."""
        account = self.world.model.account(address)
        free = account.balance - account.frozen - account.encumbered - account.held
        around = self.choose.choice((account.balance, free, account.frozen, account.balance // 2, 10))
        return max(0, self.choose.choice((around, around, around + 1, around // 3, 7, 0)))

    def chance(self, share: float) -> bool:
        """Return true in this share of cases."""
        return self.choose.random() < share

    def call(self, sender: bytes, function: str, *arguments: Any, promise: Promise) -> Operation:  # noqa: ANN401
        """Return a call of the token."""
        data = interface("SecurityToken").encode(function, *arguments)
        return Operation(function, sender, self.world.token, data, promise)

    def own(self, part: str, contract: str, function: str, *arguments: Any, promise: Promise) -> Operation:  # noqa: ANN401
        """Return a call of a part of the suite by Authority."""
        to = self.world.compliance if part == "compliance" else self.world.chain.suite[part]
        data = interface(contract).encode(function, *arguments)
        return Operation(function, self.world.chain.authority, to, data, promise)

    def legal(self, function: str, *arguments: Any, promise: Promise) -> Operation:  # noqa: ANN401
        """Return a call of the identity registry by LegalActions, its agent."""
        suite = self.world.chain.suite
        data = interface("IdentityRegistry").encode(function, *arguments)
        return Operation(function, suite["legal"], suite["registry"], data, promise)

    def relayed(self, body: requests.Body, promise: Promise) -> Operation:
        """Return the relay of what somebody signed."""
        call, chain = call_of(body), self.world.chain
        return Operation(type(body).__name__, chain.venue, chain.suite[call.contract], call.data, promise)
