# SPDX-License-Identifier: Apache-2.0
"""Decides requests in the order in which they came: decision, cursor and signed transaction in one commit."""

from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, insert

from stoken.chain.codec import CodecError
from stoken.chain.suite import Suite
from stoken.db import reading, unit_of_work
from stoken.issuance.calldata import Call, call_of
from stoken.issuance.tables import decisions
from stoken.parties import inbox
from stoken.parties.requests import Request
from stoken.telemetry.failpoints import reach
from stoken.transactions import cursors
from stoken.transactions.outbox import Failure, Outbox

CURSOR: Final = "issuance"
#: Requests decided in one commit.
REQUESTS_MAX: Final = 50


class IssuanceStep:
    """One step of the worker's loop."""

    def __init__(self, engine: Engine, market: Engine, outbox: Outbox, suite: Suite, gas_limit: int) -> None:
        """Take work's database, serve's to read requests from, and the outbox that sends."""
        self._engine = engine
        self._market = market
        self._outbox = outbox
        self._suite = suite
        self._gas_limit = gas_limit

    def execute(self) -> int:
        """Decide the next requests and return how many they were."""
        with reading(self._engine) as connection:
            at = cursors.position(connection, CURSOR)
        with reading(self._market) as connection:
            waiting = inbox.after(connection, at, REQUESTS_MAX)
        if not waiting:
            return 0
        with unit_of_work(self._engine) as connection:
            for request in waiting:
                self._decide(connection, request)
            cursors.move(connection, CURSOR, waiting[-1].sequence)
            reach("issuance.decided")
        return len(waiting)

    def _decide(self, connection: Connection, request: Request) -> None:
        try:
            call = call_of(request.body)
        except CodecError as error:
            _store(connection, request, Failure("Malformed", "INVALID_INPUT", {"reason": str(error)}))
            return
        key = f"request:{request.tenant}:{request.id}"
        self._enqueue(connection, key, request, call)
        _store(connection, request, key)

    def _enqueue(self, connection: Connection, key: str, request: Request, call: Call) -> None:
        self._outbox.enqueue(
            connection,
            key=key,
            to=self._suite[call.contract],
            data=call.data,
            gas=min(call.gas, self._gas_limit),
            purpose=request.kind,
            owner=request.tenant,
        )


def _store(connection: Connection, request: Request, outcome: str | Failure) -> None:
    refused = isinstance(outcome, Failure)
    connection.execute(
        insert(decisions).values(
            sequence=request.sequence,
            tenant=request.tenant,
            id=request.id,
            transaction_key=None if refused else outcome,
            failure=msgspec.json.encode(outcome) if refused else None,
        )
    )
