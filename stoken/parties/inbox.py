# SPDX-License-Identifier: Apache-2.0
"""The inbox of requests: idempotent by the tenant's id, read in the order in which requests came."""

from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, tuple_

from stoken.errors import ConflictError
from stoken.parties import requests
from stoken.parties.requests import Body, Request
from stoken.parties.tables import requests as table

#: Built once: each round asks them, and each request.
_ROW: Final = select(table).where(table.c.tenant == bindparam("tenant"), table.c.id == bindparam("id"))
_LAST: Final = select(func.coalesce(func.max(table.c.sequence), 0))


def _tenants_with_last() -> Select[tuple[str, int]]:
    """Ask for each tenant and its last request, one tenant at a time: as cheap behind a million as behind one."""
    found = select(func.min(table.c.tenant).label("tenant")).cte("tenants", recursive=True)
    following = select(func.min(table.c.tenant)).where(table.c.tenant > found.c.tenant).scalar_subquery()
    found = found.union_all(select(following).where(found.c.tenant.is_not(None)))
    # Asked with `=`, PostgreSQL may go back through everybody's requests by their sequence.
    newest = select(table.c.sequence).where(table.c.tenant <= found.c.tenant)
    last = newest.order_by(table.c.tenant.desc(), table.c.sequence.desc()).limit(1).scalar_subquery()
    return select(found.c.tenant, last.label("last")).where(found.c.tenant.is_not(None))


_TENANTS: Final = _tenants_with_last()


def receive(connection: Connection, tenant: str, request_id: str, body: Body, received_at_ns: int) -> Request:
    """Store a request, or return the one that came under this id before; ConflictError if its body differs.

    One process writes: sequences are dense, so that a reader's cursor misses none.
    """
    data = requests.encode(body)
    digest = sha256(data).digest()
    known = _row(connection, tenant, request_id)
    if known is not None:
        if known.body_hash != digest:
            raise ConflictError(details={"id": request_id})
        return _request(known)
    sequence = int(connection.execute(_LAST).scalar_one()) + 1
    request = Request(sequence, tenant, request_id, requests.kind_of(body), body, received_at_ns)
    connection.execute(
        insert(table),
        {
            "sequence": sequence,
            "tenant": tenant,
            "id": request_id,
            "kind": request.kind,
            "body": data,
            "body_hash": digest,
            "received_at_ns": received_at_ns,
        },
    )
    return request


def find(connection: Connection, tenant: str, request_id: str) -> Request | None:
    """Return a tenant's request."""
    row = _row(connection, tenant, request_id)
    return None if row is None else _request(row)


def after(connection: Connection, sequence: int, limit: int, tenant: str | None = None) -> list[Request]:
    """Return the next requests after a reader's cursor, of one tenant or of all."""
    query = select(table).where(table.c.sequence > sequence).order_by(table.c.sequence)
    if tenant is not None:
        place = tuple_(table.c.tenant, table.c.sequence)
        query = select(table).where(place > (tenant, sequence), table.c.tenant <= tenant)
        query = query.order_by(table.c.tenant, table.c.sequence)
    return [_request(row) for row in connection.execute(query.limit(limit)).all()]


def last_after(connection: Connection, sequence: int) -> dict[str, int]:
    """Return the tenants of requests after a reader's cursor, each with the sequence of its last one."""
    return {row.tenant: row.last for row in connection.execute(_TENANTS) if row.last > sequence}


def _row(connection: Connection, tenant: str, request_id: str) -> Row[Any] | None:
    return connection.execute(_ROW, {"tenant": tenant, "id": request_id}).one_or_none()


def _request(row: Row[Any]) -> Request:
    return Request(row.sequence, row.tenant, row.id, row.kind, requests.decode(row.body), row.received_at_ns)
