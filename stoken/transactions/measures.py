# SPDX-License-Identifier: Apache-2.0
"""What waits in the outbox, by key: counted in the database, for metrics."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from stoken.domain.transaction_states import LIVE
from stoken.transactions.tables import outbox


class Waiting(NamedTuple):
    """Transactions of a key in one state before a block has them, and the gas they may use."""

    sender: bytes
    status: str
    transactions: int
    gas: int


def waiting(connection: Connection) -> list[Waiting]:
    """Return what is signed and what is sent, of every key that has some."""
    rows = connection.execute(
        select(outbox.c.sender, outbox.c.status, func.count(), func.sum(outbox.c.gas))
        .where(outbox.c.status.in_([status.value for status in LIVE]))
        .group_by(outbox.c.sender, outbox.c.status)
        .order_by(outbox.c.sender, outbox.c.status)
    )
    return [Waiting(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def held(connection: Connection) -> int:
    """Return how many transactions wait for an operator, since a node keeps refusing them for no listed reason."""
    live = outbox.c.status.in_([status.value for status in LIVE])
    return int(connection.execute(select(func.count()).where(live, outbox.c.held.is_not(None))).scalar_one())
