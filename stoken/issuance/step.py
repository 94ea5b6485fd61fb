# SPDX-License-Identifier: Apache-2.0
"""Decides requests, each tenant's in the order in which they came: decision, cursor and transaction in one commit."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, insert

from stoken.chain.codec import CodecError
from stoken.chain.suite import Suite
from stoken.db import reading, unit_of_work
from stoken.domain.refusals import error_name
from stoken.errors import RefusedError
from stoken.issuance.calldata import Call, call_of
from stoken.issuance.tables import decisions
from stoken.mirror.verified import is_verified
from stoken.parties import inbox
from stoken.parties.requests import ActRequest, Request
from stoken.telemetry.failpoints import reach
from stoken.transactions import cursors, outbox
from stoken.transactions.outbox import Failure, Outbox

CURSOR: Final = "issuance"
#: Requests decided in one commit.
REQUESTS_MAX: Final = 50
#: Transactions of one tenant that are signed and in no block: nonces are taken in order, so more would hold up others.
IN_FLIGHT_MAX: Final = 200


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
        """Decide the next requests, the tenants in equal shares, and return how many they were.

        None is decided while a final block of the mirror is unverified: it might lack a log.
        """
        with reading(self._engine) as connection:
            if not is_verified(connection):
                return 0
            low = cursors.position(connection, CURSOR)
            with reading(self._market) as market:
                last = inbox.last_after(market, low)
            at = {tenant: max(low, cursors.position(connection, _cursor(tenant))) for tenant in last}
            in_flight = outbox.in_flight_by_owner(connection) if last else {}
        waiting = {tenant: at[tenant] for tenant in last if at[tenant] < last[tenant]}
        ready = [tenant for tenant in waiting if in_flight.get(tenant, 0) < IN_FLIGHT_MAX]
        if not ready:
            return 0
        chosen = self._choose(ready, waiting)
        for request in chosen:
            at[request.tenant] = request.sequence
        behind = [at[tenant] for tenant in last if at[tenant] < last[tenant]]
        with unit_of_work(self._engine) as connection:
            for request in chosen:
                self._decide(connection, request)
            for tenant in ready:
                cursors.move(connection, _cursor(tenant), at[tenant])
            # Up to here every tenant's requests are decided.
            cursors.move(connection, CURSOR, min(behind, default=max(last.values())))
            reach("issuance.decided")
        return len(chosen)

    def _choose(self, tenants: Sequence[str], at: Mapping[str, int]) -> list[Request]:
        share = max(1, REQUESTS_MAX // len(tenants))
        with reading(self._market) as connection:
            chosen = [each for tenant in tenants for each in inbox.after(connection, at[tenant], share, tenant)]
        return sorted(chosen, key=lambda request: request.sequence)

    def _decide(self, connection: Connection, request: Request) -> None:
        try:
            call = call_of(request.body)
        except CodecError as error:
            _store(connection, request, Failure("Malformed", "INVALID_INPUT", {"reason": str(error)}))
            return
        key = request_key(request.tenant, request.id)
        try:
            self._enqueue(connection, key, request, call)
        except RefusedError as error:
            details = {"reason": str(error), **error.details}
            _store(connection, request, Failure(error_name(error.refusal), error.code, details))
            return
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
            approvals=request.body.key_approvals if isinstance(request.body, ActRequest) else (),
        )


def request_key(tenant: str, request_id: str) -> str:
    """Return the outbox key of a tenant's request, which approvals under the key policy name."""
    return f"request:{tenant}:{request_id}"


def _cursor(tenant: str) -> str:
    return f"{CURSOR}:{tenant}"


def _store(connection: Connection, request: Request, outcome: str | Failure) -> None:
    refused = isinstance(outcome, Failure)
    connection.execute(
        insert(decisions),
        {
            "sequence": request.sequence,
            "tenant": request.tenant,
            "id": request.id,
            "received_at_ns": request.received_at_ns,
            "transaction_key": None if refused else outcome,
            "failure": msgspec.json.encode(outcome) if refused else None,
        },
    )
