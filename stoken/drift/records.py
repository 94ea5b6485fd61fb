# SPDX-License-Identifier: Apache-2.0
"""What is on record about verdicts that parted: which tokens are closed by it, and who opened them again."""

from typing import NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update

from stoken.domain.facts import Address
from stoken.drift.tables import verdict_drifts as table
from stoken.errors import NotFoundError


class Difference(NamedTuple):
    """A move on which the local verdict and the contracts' own differ, both as revert data, at a block."""

    token: Address
    sender: Address
    receiver: Address
    units: int
    channel: int
    block_number: int
    block_hash: bytes
    local: bytes
    chain: bytes


class Drift(NamedTuple):
    """A difference on record; open until it is resolved."""

    id: int
    difference: Difference
    seen: int
    found_at_ns: int
    resolved_at_ns: int | None
    resolved_by: str | None
    cause: str | None

    @property
    def is_open(self) -> bool:
        """Tell whether the token is still closed to orders because of it."""
        return self.resolved_at_ns is None


def record(connection: Connection, difference: Difference, found_at_ns: int) -> Drift:
    """Put a difference on record, or count it where one of its token is open."""
    columns = table.c
    known = connection.execute(
        select(table).where(columns.token == difference.token, columns.resolved_at_ns.is_(None))
    ).first()
    if known is not None:
        connection.execute(update(table).where(columns.id == known.id).values(seen=known.seen + 1))
        return _drift(known)._replace(seen=known.seen + 1)
    number = int(connection.execute(select(func.coalesce(func.max(columns.id), 0))).scalar_one()) + 1
    connection.execute(insert(table).values(id=number, seen=1, found_at_ns=found_at_ns, **difference._asdict()))
    return Drift(number, difference, 1, found_at_ns, None, None, None)


def resolve(connection: Connection, number: int, by: str, cause: str, at_ns: int) -> Drift:
    """Close an open drift and open its token to orders; NotFoundError where none of this number is open."""
    row = connection.execute(select(table).where(table.c.id == number, table.c.resolved_at_ns.is_(None))).first()
    if row is None:
        raise NotFoundError("no open drift has this number", {"id": number})
    connection.execute(
        update(table).where(table.c.id == number).values(resolved_at_ns=at_ns, resolved_by=by, cause=cause)
    )
    return _drift(row)._replace(resolved_at_ns=at_ns, resolved_by=by, cause=cause)


def drifts(connection: Connection) -> list[Drift]:
    """Return every drift on record, in the order in which they were found."""
    return [_drift(row) for row in connection.execute(select(table).order_by(table.c.id))]


def open_tokens(connection: Connection) -> frozenset[Address]:
    """Return the tokens on which the verdicts parted and nobody said why."""
    return frozenset(connection.execute(select(table.c.token).where(table.c.resolved_at_ns.is_(None))).scalars())


def _drift(row: Row[tuple[object, ...]]) -> Drift:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row by column
    difference = Difference(*(fields[name] for name in Difference._fields))
    names = ("seen", "found_at_ns", "resolved_at_ns", "resolved_by", "cause")
    return Drift(fields["id"], difference, *(fields[name] for name in names))
