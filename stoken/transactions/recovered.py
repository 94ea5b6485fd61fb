# SPDX-License-Identifier: Apache-2.0
"""Transactions that `recovery` took back from the chain, until what asked for them comes again and claims them."""

from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from stoken.transactions.tables import outbox

PURPOSE: Final = "recovered"
_PREFIX: Final = f"{PURPOSE}:"
#: A range of the index over keys, whatever the database's collation makes of LIKE.
_WAITING: Final = (outbox.c.key >= _PREFIX) & (outbox.c.key < f"{PURPOSE};") & (outbox.c.purpose == PURPOSE)


class Waiting(NamedTuple):
    """A transaction that nobody has claimed; `raw` is what was signed."""

    hash: bytes
    raw: bytes


def key_of(digest: bytes) -> str:
    """Return the key under which a transaction waits."""
    return f"{_PREFIX}{digest.hex()}"


def bodies(connection: Connection) -> set[bytes]:
    """Return the hashes of receiver and data of all that wait."""
    return set(connection.execute(select(outbox.c.body).where(_WAITING)).scalars())


def to(connection: Connection, receiver: bytes) -> list[Waiting]:
    """Return what waits of the calls of a contract, in the chain's order."""
    rows = connection.execute(
        select(outbox.c.hash, outbox.c.raw).where(_WAITING, outbox.c.receiver == receiver).order_by(outbox.c.sequence)
    )
    return [Waiting(*row) for row in rows]


def claim(connection: Connection, body: bytes, key: str, purpose: str, owner: str) -> bool:
    """Give the first transaction that is this very call to whoever asks for it; False where none waits."""
    first = select(outbox.c.hash).where(_WAITING, outbox.c.body == body).order_by(outbox.c.sequence).limit(1)
    return _claim(connection, outbox.c.hash == first.scalar_subquery(), key, purpose, owner)


def claim_one(connection: Connection, digest: bytes, key: str, purpose: str, owner: str) -> bool:
    """Give one transaction to whoever asks for it; False where it does not wait."""
    return _claim(connection, outbox.c.hash == digest, key, purpose, owner)


def _claim(connection: Connection, which: ColumnElement[bool], key: str, purpose: str, owner: str) -> bool:
    asked = update(outbox).where(_WAITING, which).values(key=key, purpose=purpose, owner=owner)
    return connection.execute(asked).rowcount == 1
