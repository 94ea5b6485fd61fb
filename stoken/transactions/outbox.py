# SPDX-License-Identifier: Apache-2.0
"""The outbox: a transaction begins as a signed row in the commit of the decision that it carries out."""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from eth_hash.auto import keccak
from sqlalchemy import Connection, Engine, Row, Select, bindparam, func, select, update

from stoken.chain import texts
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import GivenApproval
from stoken.db import bulk, reading, unit_of_work
from stoken.domain.refusals import error_name
from stoken.domain.transaction_states import LIVE, WITHOUT_EFFECT, TransactionEvent, TransactionStatus, sources
from stoken.errors import ConflictError, RefusedError, StartupError, StokenError
from stoken.transactions import recovered, senders
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.signer import Signer, SignerError, sign_transaction
from stoken.transactions.submissions import Bench, Signed, Submission
from stoken.transactions.tables import outbox

SIGNED: Final = TransactionStatus.SIGNED.value
BROADCAST: Final = TransactionStatus.BROADCAST.value
MINED: Final = TransactionStatus.MINED.value
FAILED: Final = TransactionStatus.FAILED.value
CANCELED: Final = TransactionStatus.CANCELED.value
REPLACED: Final = TransactionStatus.REPLACED.value
#: What fills a nonce that nothing else may use: nothing sent to oneself.
FILL_PURPOSE: Final = "fill"
FILL_GAS: Final = 21_000
_LIVE: Final = tuple(status.value for status in LIVE)
_WITHOUT_EFFECT: Final = frozenset(status.value for status in WITHOUT_EFFECT)
_CHUNK: Final = 500


class Failure(msgspec.Struct, frozen=True):
    """Why a transaction had no effect; approximate where it was replayed on its parent block's state."""

    error: str
    code: str
    arguments: dict[str, str | int | bool | None]
    approximate: bool = False


def withdrawn(how: str, note: str | None) -> Failure:
    """Return why a transaction that an operator withdrew has no effect: Canceled, or Replaced by another."""
    return Failure(how, "TRANSACTION_WITHDRAWN", {"note": note})


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

    @property
    def without_effect(self) -> bool:
        """Tell whether a block says that it has no effect: for good, once that block is final."""
        return self.block_number is not None and self.status in _WITHOUT_EFFECT


#: What becomes of a submission: its row, or why it has none.
Refused = RefusedError | ConflictError
Enqueued = OutboxRow | Refused | SignerError
#: Built once: to build a statement takes longer than to run it.
_ROWS: Final = select(*(outbox.c[name] for name in OutboxRow._fields))
_BY_KEY: Final = _ROWS.where(outbox.c.key == bindparam("wanted"))
_BY_KEYS: Final = _ROWS.where(outbox.c.key.in_(bindparam("keys", expanding=True)))
_KNOWN: Final = _BY_KEYS.add_columns(outbox.c.body)
#: By the keys and not by an index of the states: of all time more have had no effect than are asked for.
_ENDED: Final = _ROWS.where(outbox.c.status.concat("").in_(tuple(sorted(_WITHOUT_EFFECT))))
_LAST: Final = select(func.coalesce(func.max(outbox.c.sequence), 0))


class Outbox:
    """Signs for its keys; exactly one process may hold a key at a time."""

    def __init__(
        self,
        signers: Mapping[bytes, Signer],
        chain_id: int,
        retired: Iterable[bytes] = (),
        holder: str = "",
        check: Callable[[bytes, bytes], None] = texts.check,
        gate: KeyGate | None = None,
    ) -> None:
        """Take the signers by address; `take_over` must come before the first `enqueue`.

        Retired keys take no new work. A holder's name takes its own keys over at once, as after a restart. `check`
        refuses receivers and data that may not be signed, `gate` acts that the key policy's keys did not approve.
        """
        self._signers = signers
        self._check = check
        self._gate = gate
        self._retired = frozenset(retired)
        self._active = tuple(address for address in signers if address not in self._retired)
        self._chain_id = chain_id
        self._holder = holder
        self._epochs: dict[bytes, int] = {}
        self._recovered: set[bytes] = set()
        self._bench = Bench(signers, self._epochs, chain_id)
        if not self._active:
            raise StartupError("every key is retired: who sends?")

    @property
    def senders(self) -> tuple[bytes, ...]:
        """The keys that take new work."""
        return self._active

    def take_over(self, engine: Engine, rpc: RpcClient) -> None:
        """Fence off every other process that writes with our keys, and compare nonces with the chain.

        Raises StartupError where the chain knows transactions of a key that this database does not, FencedError
        where a process of another name keeps holding one.
        """
        for address in self._signers:
            mined, pending = senders.sent(rpc, address)
            self._epochs[address] = senders.claim_in_time(engine, address, mined, pending, self._holder)
        with reading(engine) as connection:
            self._recovered = recovered.bodies(connection)

    def renew(self, engine: Engine) -> None:
        """Prolong the leases of our keys; FencedError where another process took one over."""
        with unit_of_work(engine) as connection:
            for address, epoch in self._epochs.items():
                senders.renew(connection, address, epoch)

    def enqueue(  # noqa: PLR0913 - what a row has
        self,
        connection: Connection,
        *,
        key: str,
        to: bytes,
        data: bytes,
        gas: int,
        purpose: str,
        owner: str = "",
        sender: bytes | None = None,
        approvals: Sequence[GivenApproval] = (),
    ) -> OutboxRow:
        """Sign a transaction and store it within the caller's unit of work; an empty `to` creates a contract.

        Transactions of one owner are mined in the order in which they came. The same key returns the row stored
        first, and a new one what `recovery` found on the chain of the very same call; with another receiver or data a
        known key raises ConflictError. Raises PII_ON_CHAIN_FORBIDDEN where the data may hold text,
        SIGNATURE_POLICY_UNMET where the approvals are too few, and stores nothing then.
        """
        submission = Submission(key, to, data, gas, purpose, owner, sender, approvals)
        (result,) = self.enqueue_all(connection, [submission])
        if isinstance(result, StokenError):
            raise result
        return result

    def enqueue_all(self, connection: Connection, submissions: Sequence[Submission]) -> list[Enqueued]:
        """Do what `enqueue` does for many; each has its row or its own error, and none takes another with it.

        What a signer fails on is not decided: whoever submitted it does so again, with what the owner has behind it.
        """
        known = _select(connection, _KNOWN, [each.key for each in submissions])
        results: dict[str, OutboxRow | RefusedError | SignerError] = {row.key: _row(row) for row in known}
        bodies: dict[str, bytes] = {row.key: row.body for row in known}
        sent, fresh = [keccak(each.to + each.data) for each in submissions], list[Submission]()
        policies: dict[str, bytes | None] = {}
        for each, body in zip(submissions, sent, strict=True):
            if each.key in bodies:
                continue
            bodies[each.key] = body
            ended = self._claimed(connection, each, body) or self._refusal(connection, each, policies)
            if ended is None:
                fresh.append(each)
            else:
                results[each.key] = ended
        results |= self._sign(connection, fresh, bodies, policies)
        return [
            results[each.key] if bodies[each.key] == body else ConflictError(f"the key {each.key} was used before")
            for each, body in zip(submissions, sent, strict=True)
        ]

    def _claimed(self, connection: Connection, asked: Submission, body: bytes) -> OutboxRow | None:
        """Return what the chain had of this very call when an old back-up was restored, if anything."""
        if body in self._recovered and recovered.claim(connection, body, asked.key, asked.purpose, asked.owner):
            return read(connection, asked.key)
        return None

    def _refusal(
        self, connection: Connection, submission: Submission, policies: dict[str, bytes | None]
    ) -> RefusedError | None:
        """Return why nothing may sign this, if so; else note the key policy that lets it pass, if it needs one."""
        try:
            self._check(submission.to, submission.data)
            if self._gate is not None:
                asked = (submission.key, submission.to, submission.data, submission.approvals)
                policies[submission.key] = self._gate.check(connection, *asked)
        except RefusedError as error:
            return error
        return None

    def _sign(
        self,
        connection: Connection,
        fresh: Sequence[Submission],
        bodies: Mapping[str, bytes],
        policies: Mapping[str, bytes | None],
    ) -> Mapping[str, OutboxRow | SignerError]:
        """Sign and store what is new; return what became of it, by key."""
        if not fresh:
            return {}
        lanes = {owner: self._lane(connection, owner) for owner in {each.owner for each in fresh if not each.sender}}
        signed = self._bench.sign(connection, [(each, each.sender or lanes[each.owner]) for each in fresh])
        made = [(each, 0, bodies[each.submission.key]) for each in signed if isinstance(each, Signed)]
        _insert(connection, made, policies)
        return {
            each.key: _begun(result) if isinstance(result, Signed) else result
            for each, result in zip(fresh, signed, strict=True)
        }

    def withdraw(self, connection: Connection, digest: bytes, event: TransactionEvent, failure: Failure) -> bool:
        """Give a transaction's nonce to one that does nothing, on record; False where its state forbids that.

        CANCEL is for what never left, REPLACE for what may have: either is over once a final block holds the other.
        """
        possible = [status.value for status in sources(event) & LIVE]
        old = connection.execute(
            select(outbox.c.sender, outbox.c.nonce, outbox.c.version, outbox.c.owner)
            .where(outbox.c.hash == digest, outbox.c.status.in_(possible), outbox.c.purpose != FILL_PURPOSE)
            .with_for_update()
        ).one_or_none()
        if old is None or old.sender not in self._signers:
            return False
        senders.renew(connection, old.sender, self._epochs.get(old.sender))
        filling = self._fill(connection, old, f"fill:{digest.hex()}")
        status = TransactionStatus.CANCELED if event is TransactionEvent.CANCEL else TransactionStatus.REPLACED
        reason = msgspec.json.encode(failure)
        connection.execute(
            update(outbox)
            .where(outbox.c.hash == digest)
            .values(status=status.value, replaced_by=filling, failure=reason, command=None)
        )
        return True

    def _fill(self, connection: Connection, old: Row[*tuple[Any, ...]], key: str) -> bytes:
        """Store what fills a nonce, or send it again where it had been displaced; return its hash."""
        # By its key: a token signs the same bytes differently each time.
        again = update(outbox).where(outbox.c.key == key, outbox.c.status == REPLACED)
        sent = again.values(status=BROADCAST, replaced_by=None, block_number=None).returning(outbox.c.hash)
        displaced = connection.execute(sent).scalar()
        if displaced is not None:
            return bytes(displaced)
        filling = Submission(key, old.sender, b"", FILL_GAS, FILL_PURPOSE, old.owner)
        signer = self._signers[old.sender]
        raw, digest = sign_transaction(signer, old.nonce, FILL_GAS, old.sender, b"", self._chain_id)
        made = Signed(filling, old.sender, old.nonce, raw, digest)
        _insert(connection, [(made, old.version + 1, keccak(old.sender))], {})
        return digest

    def _lane(self, connection: Connection, owner: str) -> bytes:
        """Return the key that an owner's unfinished work is on, or the one its name falls to."""
        if len(self._active) == 1:
            return self._active[0]
        last = connection.execute(
            select(outbox.c.sender)
            .where(outbox.c.owner == owner, outbox.c.status.in_(_LIVE))
            .order_by(outbox.c.sequence.desc())
            .limit(1)
        ).scalar()
        return last if last in self._active else self._active[zlib.crc32(owner.encode()) % len(self._active)]


def failure_of(error: Refused) -> Failure:
    """Return what is recorded of a submission that may not be signed."""
    name = error_name(error.refusal) if isinstance(error, RefusedError) else "Conflict"
    return Failure(name, error.code, {"reason": str(error), **error.details})


def read(connection: Connection, key: str) -> OutboxRow | None:
    """Return the transaction of an idempotency key."""
    row = connection.execute(_BY_KEY, {"wanted": key}).one_or_none()
    return None if row is None else _row(row)


def read_all(connection: Connection, keys: Sequence[str]) -> list[OutboxRow]:
    """Return the transactions of idempotency keys, in no particular order."""
    return [_row(row) for row in _select(connection, _BY_KEYS, keys)]


def without_effect(connection: Connection, keys: Select[tuple[str]]) -> list[OutboxRow]:
    """Return of the transactions of these idempotency keys those that had no effect, so far or for good."""
    return [_row(row) for row in connection.execute(_ENDED.where(outbox.c.key.in_(keys)))]


def of_purpose(connection: Connection, purpose: str) -> list[OutboxRow]:
    """Return the transactions of a purpose, by nonce."""
    rows = connection.execute(_ROWS.where(outbox.c.purpose == purpose).order_by(outbox.c.nonce))
    return [_row(row) for row in rows]


def in_flight(connection: Connection, purpose: str) -> int:
    """Return how many transactions of a purpose are neither mined nor failed."""
    waiting = outbox.c.status.in_(_LIVE)
    return int(connection.execute(select(func.count()).where(waiting, outbox.c.purpose == purpose)).scalar_one())


def in_flight_by_owner(connection: Connection) -> dict[str, int]:
    """Return how many transactions of each owner are in no block yet."""
    rows_held = func.count().label("held")
    rows = connection.execute(
        select(outbox.c.owner, rows_held).where(outbox.c.status.in_(_LIVE)).group_by(outbox.c.owner)
    )
    return {row.owner: int(row.held) for row in rows}


def unfinished(connection: Connection) -> int:
    """Return how many transactions are neither mined nor failed."""
    waiting = outbox.c.status.in_(_LIVE)
    return int(connection.execute(select(func.count()).select_from(outbox).where(waiting)).scalar_one())


def _select(
    connection: Connection, statement: Select[*tuple[Any, ...]], keys: Sequence[str]
) -> list[Row[*tuple[Any, ...]]]:
    rows: list[Row[*tuple[Any, ...]]] = []
    for start in range(0, len(keys), _CHUNK):
        rows += connection.execute(statement, {"keys": list(keys[start : start + _CHUNK])})
    return rows


def _insert(
    connection: Connection, made: Sequence[tuple[Signed, int, bytes]], policies: Mapping[str, bytes | None]
) -> None:
    """Store signed transactions, each with its version and body, in the order of the table's columns."""
    first = connection.execute(_LAST).scalar_one() + 1
    nothing = (None,) * 7
    rows = []
    for sequence, ((what, sender, nonce, raw, digest), version, body) in enumerate(made, first):
        begun = (sender, nonce, version, sequence, what.key, body, digest, raw)
        rows.append((*begun, what.to, what.gas, what.purpose, what.owner, SIGNED, *nothing, policies.get(what.key)))
    bulk.insert_rows(connection, outbox, rows)


def _begun(made: Signed) -> OutboxRow:
    what = made.submission
    return OutboxRow(made.sender, made.nonce, what.key, made.hash, what.purpose, SIGNED, None, None)


def _row(row: Row[tuple[object, ...]]) -> OutboxRow:
    failure = None if row.failure is None else msgspec.json.decode(row.failure, type=Failure)
    return OutboxRow(row.sender, row.nonce, row.key, row.hash, row.purpose, row.status, row.block_number, failure)
