# SPDX-License-Identifier: Apache-2.0
"""The outbox: a transaction begins as a signed row in the commit of the decision that it carries out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from eth_hash.auto import keccak
from sqlalchemy import Connection, Engine, Row, Select, func, insert, select, update

from stoken.chain import texts
from stoken.chain.rpc import RpcClient
from stoken.db import unit_of_work
from stoken.errors import ConflictError, FencedError, StartupError
from stoken.transactions.signer import Signer
from stoken.transactions.tables import outbox, senders

SIGNED: Final = "signed"
BROADCAST: Final = "broadcast"
MINED: Final = "mined"
FAILED: Final = "failed"
_TAGS: Final = ("latest", "pending")
_CHUNK: Final = 500


class Failure(msgspec.Struct, frozen=True):
    """Why a mined transaction had no effect; approximate where it was replayed on its parent block's state."""

    error: str
    code: str
    arguments: dict[str, str | int | bool | None]
    approximate: bool = False


class OutboxRow(NamedTuple):
    """A transaction that we signed, and what became of it."""

    sender: bytes
    nonce: int
    key: str
    hash: bytes
    purpose: str
    status: str
    block_number: int | None
    failure: Failure | None


class Outbox:
    """Signs for its keys; exactly one process may hold a key at a time."""

    def __init__(
        self, signers: Mapping[bytes, Signer], chain_id: int, check: Callable[[bytes, bytes], None] = texts.check
    ) -> None:
        """Take the signers by address, and what refuses receivers and data that may not be signed.

        `take_over` must come before the first `enqueue`.
        """
        self._signers = signers
        self._check = check
        self._chain_id = chain_id
        self._epochs: dict[bytes, int] = {}

    @property
    def senders(self) -> tuple[bytes, ...]:
        """The keys that this outbox signs with."""
        return tuple(self._signers)

    def take_over(self, engine: Engine, rpc: RpcClient) -> None:
        """Fence off every other process that writes with our keys, and compare nonces with the chain.

        Raises StartupError where the chain knows transactions of a key that this database does not.
        """
        for address in self._signers:
            mined, pending = (int(rpc.call("eth_getTransactionCount", _hex(address), tag), 16) for tag in _TAGS)
            with unit_of_work(engine) as connection:
                self._epochs[address] = _claim(connection, address, mined, pending)

    def enqueue(
        self, connection: Connection, *, key: str, sender: bytes, to: bytes, data: bytes, gas: int, purpose: str
    ) -> OutboxRow:
        """Sign a transaction and store it within the caller's unit of work; an empty `to` creates a contract.

        The same key returns the row stored first; with another receiver or data it raises ConflictError. Raises
        PII_ON_CHAIN_FORBIDDEN, and stores nothing, where the data may hold text.
        """
        body = keccak(to + data)
        known = connection.execute(_select().add_columns(outbox.c.body).where(outbox.c.key == key)).one_or_none()
        if known is not None:
            if known.body != body:
                raise ConflictError(f"the key {key} was used for another transaction")
            return _row(known)
        self._check(to, data)
        nonce = self._take_nonce(connection, sender)
        raw, digest = self._signers[sender].sign(nonce, gas, to, data, self._chain_id)
        row = OutboxRow(sender, nonce, key, digest, purpose, SIGNED, None, None)
        stored = {**row._asdict(), "body": body, "raw": raw, "receiver": to, "gas": gas}
        connection.execute(insert(outbox).values(stored))
        return row

    def _take_nonce(self, connection: Connection, sender: bytes) -> int:
        epoch = self._epochs.get(sender)
        taken = connection.execute(
            update(senders)
            .where(senders.c.address == sender, senders.c.epoch == epoch)
            .values(next_nonce=senders.c.next_nonce + 1)
            .returning(senders.c.next_nonce)
        ).scalar()
        if taken is None:
            raise FencedError(f"another process writes with the key {_hex(sender)}")
        return int(taken) - 1


def read(connection: Connection, key: str) -> OutboxRow | None:
    """Return the transaction of an idempotency key."""
    row = connection.execute(_select().where(outbox.c.key == key)).one_or_none()
    return None if row is None else _row(row)


def read_all(connection: Connection, keys: Sequence[str]) -> list[OutboxRow]:
    """Return the transactions of idempotency keys, in no particular order."""
    rows: list[OutboxRow] = []
    for start in range(0, len(keys), _CHUNK):
        found = connection.execute(_select().where(outbox.c.key.in_(keys[start : start + _CHUNK])))
        rows += [_row(row) for row in found]
    return rows


def of_purpose(connection: Connection, purpose: str) -> list[OutboxRow]:
    """Return the transactions of a purpose, by nonce."""
    rows = connection.execute(_select().where(outbox.c.purpose == purpose).order_by(outbox.c.nonce))
    return [_row(row) for row in rows]


def in_flight(connection: Connection, purpose: str) -> int:
    """Return how many transactions of a purpose are neither mined nor failed."""
    waiting = outbox.c.status.in_((SIGNED, BROADCAST))
    return int(connection.execute(select(func.count()).where(waiting, outbox.c.purpose == purpose)).scalar_one())


def unfinished(connection: Connection) -> int:
    """Return how many transactions are neither mined nor failed."""
    waiting = outbox.c.status.in_((SIGNED, BROADCAST))
    return int(connection.execute(select(func.count()).select_from(outbox).where(waiting)).scalar_one())


def _claim(connection: Connection, address: bytes, mined: int, pending: int) -> int:
    """Raise the key's epoch and return it."""
    row = connection.execute(select(senders).where(senders.c.address == address).with_for_update()).one_or_none()
    known = mined if row is None else row.next_nonce
    if max(mined, pending) > known:
        raise StartupError(
            f"the key {_hex(address)} has sent {max(mined, pending)} transactions, this database knows {known}: "
            "another writer uses it, or the database is an old back-up"
        )
    if row is None:
        connection.execute(insert(senders).values(address=address, next_nonce=mined, epoch=1))
        return 1
    epoch: int = row.epoch + 1
    connection.execute(update(senders).where(senders.c.address == address).values(epoch=epoch))
    return epoch


def _select() -> Select[tuple[object, ...]]:
    return select(*(outbox.c[name] for name in OutboxRow._fields))


def _row(row: Row[tuple[object, ...]]) -> OutboxRow:
    failure = None if row.failure is None else msgspec.json.decode(row.failure, type=Failure)
    return OutboxRow(row.sender, row.nonce, row.key, row.hash, row.purpose, row.status, row.block_number, failure)


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
