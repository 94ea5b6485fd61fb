# SPDX-License-Identifier: Apache-2.0
"""What became of a request: decided by issuance, carried by the outbox, confirmed by the mirror."""

from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from stoken.issuance.tables import decisions
from stoken.transactions import outbox
from stoken.transactions.confirm import confirmed_to
from stoken.transactions.outbox import Failure, OutboxRow

_DECISION: Final = select(decisions).where(decisions.c.tenant == bindparam("tenant"), decisions.c.id == bindparam("id"))


class RequestStatus(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    #: Its transaction is signed; it will be sent until a block has it.
    SENT = "sent"
    #: In a block that is not final yet.
    MINED = "mined"
    DONE = "done"
    #: A contract refused it, or it could not be sent at all; final.
    FAILED = "failed"


class RequestOutcome(msgspec.Struct, frozen=True):
    """What became of a request."""

    status: RequestStatus
    transaction_hash: bytes | None = None
    block_number: int | None = None
    failure: Failure | None = None


def outcome(connection: Connection, tenant: str, request_id: str) -> RequestOutcome:
    """Return what became of a tenant's request, read from work's database; RECEIVED until it is decided."""
    row = connection.execute(_DECISION, {"tenant": tenant, "id": request_id}).one_or_none()
    if row is None:
        return RequestOutcome(RequestStatus.RECEIVED)
    if row.failure is not None:
        return RequestOutcome(RequestStatus.FAILED, failure=msgspec.json.decode(row.failure, type=Failure))
    sent = outbox.read(connection, row.transaction_key)
    return RequestOutcome(RequestStatus.SENT) if sent is None else _of(connection, sent)


def _of(connection: Connection, sent: OutboxRow) -> RequestOutcome:
    status = RequestStatus.SENT
    if sent.block_number is not None:
        status = RequestStatus.MINED
        if sent.block_number <= confirmed_to(connection):
            status = RequestStatus.FAILED if sent.without_effect else RequestStatus.DONE
    return RequestOutcome(status, sent.hash, sent.block_number, sent.failure)
