# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of the transactions, and what an operator may ask of them."""

from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, update

from stoken.domain.transaction_states import LIVE, TransactionEvent, TransactionStatus, sources
from stoken.errors import NotFoundError, TransactionStateError
from stoken.transactions.outbox import FILL_PURPOSE, Failure
from stoken.transactions.tables import outbox, senders

#: What an operator may ask for, and the event that it leads to; `retry` sends the same bytes at once.
COMMANDS: Final = {
    "retry": TransactionEvent.SEND,
    "cancel": TransactionEvent.CANCEL,
    "replace": TransactionEvent.REPLACE,
}
_LIVE: Final = tuple(status.value for status in LIVE)


class Transaction(NamedTuple):
    """A transaction as an operator sees it."""

    sequence: int
    key: str
    purpose: str
    owner: str
    status: str
    sender: bytes
    nonce: int
    version: int
    hash: bytes
    receiver: bytes
    gas: int
    block_number: int | None
    failure: Failure | None
    replaced_by: bytes | None
    command: str | None
    note: str | None
    held: str | None


class Lane(NamedTuple):
    """A key, who holds it, and how much of its work is not in a block."""

    sender: bytes
    holder: str
    epoch: int
    next_nonce: int
    waiting: int


def transactions(connection: Connection, status: TransactionStatus | None, limit: int) -> list[Transaction]:
    """Return the latest transactions, newest first, of one status or of all."""
    query = _select().order_by(outbox.c.sequence.desc()).limit(limit)
    if status is not None:
        query = query.where(outbox.c.status == status.value)
    return [_transaction(row) for row in connection.execute(query)]


def find(connection: Connection, name: str) -> list[Transaction]:
    """Return a transaction by its key or its hash in hex, with every version of its nonce, oldest first."""
    place = connection.execute(select(outbox.c.sender, outbox.c.nonce).where(_named(name))).one_or_none()
    if place is None:
        raise NotFoundError(f"there is no transaction {name}")
    versions = _select().where(outbox.c.sender == place.sender, outbox.c.nonce == place.nonce)
    return [_transaction(row) for row in connection.execute(versions.order_by(outbox.c.version))]


def ask(connection: Connection, name: str, command: str, note: str | None = None) -> None:
    """Ask the worker that holds the key to do something with a transaction.

    Raises NotFoundError, or TransactionStateError where its state forbids it: cancelled is only what never left.
    """
    possible = sources(COMMANDS[command]) & LIVE if command != "retry" else LIVE
    asked = update(outbox).where(_named(name), outbox.c.status.in_([status.value for status in possible]))
    if command != "retry":
        # What fills a nonce is the end of another transaction: there is nothing to put in its place.
        asked = asked.where(outbox.c.purpose != FILL_PURPOSE)
    if not connection.execute(asked.values(command=command, note=note)).rowcount:
        status = connection.execute(select(outbox.c.status).where(_named(name))).scalar()
        if status is None:
            raise NotFoundError(f"there is no transaction {name}")
        raise TransactionStateError(f"{command} is not possible: the transaction is {status}")


def lanes(connection: Connection) -> list[Lane]:
    """Return every key that this database knows."""
    waiting = func.count(outbox.c.hash)
    rows = connection.execute(
        select(senders.c.address, senders.c.holder, senders.c.epoch, senders.c.next_nonce, waiting)
        .outerjoin(outbox, (outbox.c.sender == senders.c.address) & outbox.c.status.in_(_LIVE))
        .group_by(senders.c.address, senders.c.holder, senders.c.epoch, senders.c.next_nonce)
        .order_by(senders.c.address)
    )
    return [Lane(*row) for row in rows]


def _named(name: str) -> ColumnElement[bool]:
    try:
        digest = bytes.fromhex(name.removeprefix("0x"))
    except ValueError:
        digest = b""
    return (outbox.c.key == name) | (outbox.c.hash == digest)


def _select() -> Select[tuple[object, ...]]:
    return select(*(outbox.c[name] for name in Transaction._fields))


def _transaction(row: Row[*tuple[Any, ...]]) -> Transaction:
    failure = None if row.failure is None else msgspec.json.decode(row.failure, type=Failure)
    return Transaction(*row)._replace(failure=failure)
