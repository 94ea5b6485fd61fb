# SPDX-License-Identifier: Apache-2.0
"""How far a step has read: moved in the commit of what it decided, and only forward."""

from sqlalchemy import Connection, insert, select, update

from stoken.transactions.tables import cursors


def position(connection: Connection, name: str) -> int:
    """Return how far a step has read; 0 before the first move."""
    return int(connection.execute(select(cursors.c.position).where(cursors.c.name == name)).scalar() or 0)


def move(connection: Connection, name: str, to: int) -> None:
    """Move a cursor forward; a smaller position changes nothing."""
    same = cursors.c.name == name
    if connection.execute(select(cursors.c.name).where(same)).one_or_none() is None:
        connection.execute(insert(cursors).values(name=name, position=to))
    else:
        connection.execute(update(cursors).where(same, cursors.c.position < to).values(position=to))
