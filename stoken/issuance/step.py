# SPDX-License-Identifier: Apache-2.0
"""Decides requests, each tenant's in the order in which they came: decision, cursor and transaction in one commit."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from stoken.chain.codec import CodecError
from stoken.chain.suite import Suite
from stoken.db import bulk, reading, unit_of_work
from stoken.issuance.calldata import call_of
from stoken.issuance.tables import decisions
from stoken.mirror.verified import is_verified
from stoken.parties import inbox
from stoken.parties.requests import ActRequest, Request
from stoken.telemetry.failpoints import reach
from stoken.transactions import cursors, outbox
from stoken.transactions.outbox import Enqueued, Failure, Outbox, OutboxRow, Refused, failure_of
from stoken.transactions.signer import SignerError
from stoken.transactions.submissions import Submission

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

        None is decided while a final block of the mirror is unverified: it might lack a log. Raises SignerError where
        some wait for the signer; all others are decided by then.
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
        with unit_of_work(self._engine) as connection:
            decided, unsigned = self._decide(connection, chosen)
            for request in decided:
                at[request.tenant] = request.sequence
            for tenant in ready:
                cursors.move(connection, _cursor(tenant), at[tenant])
            # Up to here every tenant's requests are decided.
            behind = [at[tenant] for tenant in last if at[tenant] < last[tenant]]
            cursors.move(connection, CURSOR, min(behind, default=max(last.values())))
            reach("issuance.decided")
        if unsigned is not None:
            raise unsigned
        return len(decided)

    def _choose(self, tenants: Sequence[str], at: Mapping[str, int]) -> list[Request]:
        share = max(1, REQUESTS_MAX // len(tenants))
        with reading(self._market) as connection:
            chosen = [each for tenant in tenants for each in inbox.after(connection, at[tenant], share, tenant)]
        return sorted(chosen, key=lambda request: request.sequence)

    def _decide(self, connection: Connection, chosen: Sequence[Request]) -> tuple[list[Request], SignerError | None]:
        """Put requests on record, sent or failed; those of a tenant from the first that has no signature on wait."""
        decided, rows, waiting = list[Request](), list[tuple[object, ...]](), dict[str, SignerError]()
        for request, outcome in zip(chosen, self._outcomes(connection, chosen), strict=True):
            if request.tenant in waiting:
                continue
            if isinstance(outcome, SignerError):
                waiting[request.tenant] = outcome
                continue
            decided.append(request)
            rows.append((request.sequence, request.tenant, request.id, request.received_at_ns, *_recorded(outcome)))
        bulk.insert_rows(connection, decisions, rows)
        return decided, next(iter(waiting.values()), None)

    def _outcomes(self, connection: Connection, chosen: Sequence[Request]) -> list[Enqueued | Failure]:
        made = [self._submission(request) for request in chosen]
        enqueued = iter(self._outbox.enqueue_all(connection, [each for each in made if isinstance(each, Submission)]))
        return [next(enqueued) if isinstance(each, Submission) else each for each in made]

    def _submission(self, request: Request) -> Submission | Failure:
        try:
            call = call_of(request.body)
        except CodecError as error:
            return Failure("Malformed", "INVALID_INPUT", {"reason": str(error)})
        return Submission(
            key=request_key(request.tenant, request.id),
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


def _recorded(outcome: OutboxRow | Refused | Failure) -> tuple[str | None, bytes | None]:
    """Return the transaction's key, or why there is none."""
    if isinstance(outcome, OutboxRow):
        return outcome.key, None
    return None, msgspec.json.encode(outcome if isinstance(outcome, Failure) else failure_of(outcome))
