# SPDX-License-Identifier: Apache-2.0
"""The keys' rows: who holds a key, by epoch and lease, and the nonce that comes next; commits nothing."""

import time
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    cast,
    extract,
    func,
    insert,
    literal,
    select,
    update,
)

from stoken.chain.rpc import RpcClient
from stoken.db import unit_of_work
from stoken.errors import FencedError, StartupError
from stoken.transactions.tables import senders

#: A process of another name must wait so long for a holder that has gone silent.
LEASE_SECONDS: Final = 15
_POLL_SECONDS: Final = 0.5
_TAGS: Final = ("latest", "pending")
_MILLISECONDS: Final = 1_000
_OURS: Final = update(senders).where(senders.c.address == bindparam("holds"), senders.c.epoch == bindparam("in_epoch"))
_TAKE: Final = _OURS.values(next_nonce=senders.c.next_nonce + bindparam("count")).returning(senders.c.next_nonce)


class KeyHeldError(FencedError):
    """Another process holds the key, and its lease lives."""

    title = "Another process holds the key."


def claim(connection: Connection, address: bytes, mined: int, pending: int, holder: str) -> int:
    """Raise a key's epoch and return it.

    Raises StartupError where the chain knows transactions of the key that this database does not, KeyHeldError
    where a holder of another name renewed its lease a moment ago (PostgreSQL, by the database's clock).
    """
    row = connection.execute(select(senders).where(senders.c.address == address).with_for_update()).one_or_none()
    # The first key of a database may have sent before; one that comes to others is as new as the back-up it is not in.
    others = connection.execute(select(func.count()).select_from(senders)).scalar_one()
    known = row.next_nonce if row is not None else 0 if others else mined
    if max(mined, pending) > known:
        raise StartupError(
            f"the key 0x{address.hex()} has sent {max(mined, pending)} transactions, this database knows {known}: "
            "another writer uses it, or the database is an old back-up (stoken tx recover)"
        )
    leased = {"holder": holder, "lease_ends_at_ms": _lease_end(connection)}
    if row is None:
        connection.execute(insert(senders).values(address=address, next_nonce=mined, epoch=1, **leased))
        return 1
    if row.holder != holder and row.lease_ends_at_ms > _now_ms(connection):
        raise KeyHeldError(f"{row.holder} holds the key 0x{address.hex()}")
    connection.execute(update(senders).where(senders.c.address == address).values(epoch=row.epoch + 1, **leased))
    return int(row.epoch) + 1


def claim_in_time(
    engine: Engine, address: bytes, mined: int, pending: int, holder: str, wait_seconds: float = LEASE_SECONDS + 1
) -> int:
    """Claim a key, waiting for the lease of a silent holder to end; KeyHeldError where it is renewed meanwhile."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            with unit_of_work(engine) as connection:
                return claim(connection, address, mined, pending, holder)
        except KeyHeldError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def renew(connection: Connection, address: bytes, epoch: int | None) -> None:
    """Prolong the lease; FencedError where another process took the key over."""
    ours = {"holds": address, "in_epoch": epoch}
    kept = connection.execute(_OURS.values(lease_ends_at_ms=_lease_end(connection)), ours)
    if kept.rowcount != 1:
        raise _fenced(address)


def take_nonces(connection: Connection, address: bytes, epoch: int | None, count: int) -> int:
    """Take the next nonces of a key and return the first of them; a negative count gives the last ones back.

    Raises FencedError where another process took the key over.
    """
    taken = connection.execute(_TAKE, {"holds": address, "in_epoch": epoch, "count": count}).scalar()
    if taken is None:
        raise _fenced(address)
    return int(taken) - count


def skip(connection: Connection, address: bytes, known: int, end: int) -> None:
    """Let a key go on from a later nonce, in a new epoch; FencedError where another process took the one known."""
    if known == 0 and address not in next_nonces(connection):
        connection.execute(
            insert(senders).values(address=address, next_nonce=end, epoch=1, holder="", lease_ends_at_ms=0)
        )
        return
    ours = update(senders).where(senders.c.address == address, senders.c.next_nonce == known)
    if connection.execute(ours.values(next_nonce=end, epoch=senders.c.epoch + 1)).rowcount != 1:
        raise _fenced(address)


def sent(rpc: RpcClient, address: bytes) -> tuple[int, int]:
    """Return how many transactions of a key the node has seen mined, and how many with those that wait there."""
    mined, pending = (int(rpc.call("eth_getTransactionCount", f"0x{address.hex()}", tag), 16) for tag in _TAGS)
    return mined, pending


def next_nonces(connection: Connection) -> dict[bytes, int]:
    """Return the next nonce of every key that this database knows."""
    return {row.address: row.next_nonce for row in connection.execute(select(senders.c.address, senders.c.next_nonce))}


def _fenced(address: bytes) -> FencedError:
    return FencedError(f"another process writes with the key 0x{address.hex()}")


def _now_ms(connection: Connection) -> int:
    return int(connection.execute(select(_clock(connection))).scalar_one())


def _lease_end(connection: Connection) -> ColumnElement[int]:
    # SQLite serves one machine and restarts in place: there the epoch alone decides.
    if connection.dialect.name != "postgresql":
        return literal(0)
    return _clock(connection) + LEASE_SECONDS * _MILLISECONDS


def _clock(connection: Connection) -> ColumnElement[int]:
    if connection.dialect.name != "postgresql":
        return literal(0)
    return cast(extract("epoch", func.clock_timestamp()) * _MILLISECONDS, BigInteger)
