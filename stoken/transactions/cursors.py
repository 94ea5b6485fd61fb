# SPDX-License-Identifier: Apache-2.0
"""How far a step has read: moved in the commit of what it decided, and only forward."""

from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from stoken.transactions.tables import cursors

#: Built once: each round of each step asks them.
_POSITION: Final = select(cursors.c.position).where(cursors.c.name == bindparam("step"))
_MOVE: Final = (
    update(cursors)
    .where(cursors.c.name == bindparam("step"), cursors.c.position < bindparam("to"))
    .values(position=bindparam("to"))
)


def position(connection: Connection, name: str) -> int:
    """Return how far a step has read; 0 before the first move."""
    return int(connection.execute(_POSITION, {"step": name}).scalar() or 0)


def move(connection: Connection, name: str, to: int) -> None:
    """Move a cursor forward; a smaller position changes nothing."""
    if connection.execute(_POSITION, {"step": name}).one_or_none() is None:
        connection.execute(insert(cursors).values(name=name, position=to))
    else:
        connection.execute(_MOVE, {"step": name, "to": to})
