# SPDX-License-Identifier: Apache-2.0
"""What became of notices: first read, and acknowledged; the first stamp of each stays."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from stoken.parties.tables import notice_receipts as table


class Receipt(NamedTuple):
    """When a notice reached its addressee, and when that acknowledged it."""

    notice: str
    read_at_ns: int
    read_by: str
    acknowledged_at_ns: int | None = None
    acknowledged_by: str | None = None


def receipts(connection: Connection, of: Sequence[str] | None = None) -> dict[str, Receipt]:
    """Return what is on record, by notice; of these notices alone where they are named."""
    query = select(table) if of is None else select(table).where(table.c.notice.in_(of))
    return {row.notice: Receipt(*row) for row in connection.execute(query)}


def note_read(connection: Connection, notices: Sequence[str], by: str, now_ns: int) -> None:
    """Stamp notices that their addressee sees; one that was seen before keeps its stamp."""
    known = receipts(connection, notices)
    new = [Receipt(notice, now_ns, by)._asdict() for notice in notices if notice not in known]
    if new:
        connection.execute(insert(table), new)


def acknowledge(connection: Connection, notice: str, by: str, now_ns: int) -> None:
    """Stamp a notice as acknowledged; one that was acknowledged before keeps its stamp."""
    note_read(connection, [notice], by, now_ns)
    connection.execute(
        update(table)
        .where(table.c.notice == notice, table.c.acknowledged_at_ns.is_(None))
        .values(acknowledged_at_ns=now_ns, acknowledged_by=by)
    )
