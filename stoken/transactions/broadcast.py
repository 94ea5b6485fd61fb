# SPDX-License-Identifier: Apache-2.0
"""Sends what the outbox holds, the same bytes again and again until a block has them; an error changes nothing."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Engine, Row, bindparam, select, update

from stoken.chain.capabilities import Capabilities
from stoken.chain.rpc import NodeError, RpcClient
from stoken.db import unit_of_work
from stoken.telemetry.failpoints import reach
from stoken.telemetry.metrics import Counts
from stoken.transactions.answers import Answer, classify
from stoken.transactions.flight import Window, candidates, within_room
from stoken.transactions.holds import Holds
from stoken.transactions.outbox import BROADCAST, FILL_PURPOSE, SIGNED, Failure
from stoken.transactions.pool import POOL_MAX, NodePool, PoolFill
from stoken.transactions.tables import outbox

RESEND_SECONDS: Final = 5
#: What one step marks and sends, in batches.
STEP_MAX: Final = 1_000
BATCH_MAX: Final = 200
BATCH_BYTES_MAX: Final = 1_000_000
#: Gas of unmined transactions, in blocks: more only fills pools and makes blocks that validators cannot follow.
BLOCKS_IN_FLIGHT: Final = 8
#: A node that refuses the same bytes so often, a resend period apart, is taken at its word.
REFUSALS_MAX: Final = 3

#: Built once: each round asks them.
_DUE: Final = outbox.c.hash.in_(bindparam("hashes", expanding=True))
_LEFT: Final = update(outbox).where(_DUE, outbox.c.status == SIGNED).values(status=BROADCAST)
_RETRIED: Final = update(outbox).where(_DUE, outbox.c.command == "retry").values(command=None)
_MARKED: Final = (
    select(outbox.c.sender, outbox.c.nonce, outbox.c.hash, outbox.c.raw, outbox.c.purpose, outbox.c.held)
    .where(_DUE, outbox.c.status == BROADCAST)
    .order_by(outbox.c.sender, outbox.c.nonce)
)
_log = structlog.get_logger(__name__)
_Row = Row[*tuple[Any, ...]]
_Rows = Sequence[_Row]


class BroadcastStep:
    """One step of the worker's loop; what it remembers only spares the node repeated sends."""

    def __init__(
        self,
        engine: Engine,
        rpc: RpcClient,
        capabilities: Capabilities,
        *,
        resend_seconds: float = RESEND_SECONDS,
        pool_max: int = POOL_MAX,
        counts: Counts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the database, the node, and how much its pool holds where it does not say; 0: never ask.

        After a restart everything unmined is sent, as fast as the pool takes it.
        """
        self._engine = engine
        self._rpc = rpc
        self._batch = 1 if capabilities.automine else min(BATCH_MAX, capabilities.max_batch)
        self._gas_in_flight = BLOCKS_IN_FLIGHT * capabilities.gas_limit
        self._resend_seconds = resend_seconds
        self._clock = clock
        self._window = Window()
        self._pool = NodePool(rpc, pool_max, clock)
        self._held_back = False
        self._counts = counts or Counts()
        self._seen_at: dict[bytes, float] = {}
        self._sent_at: dict[bytes, float] = {}
        self._refusals: dict[bytes, int] = {}
        self._holds = Holds(engine)

    def execute(self) -> int:
        """Send what is due and return how many transactions that were.

        Raises LedgerUnavailableError where the node does not answer; the next step sends the same bytes.
        """
        due, in_flight = self._due()
        if not due:
            return 0
        reach("outbox.committed")
        rows = self._mark(due)
        reach("outbox.marked")
        answers = [answer for chunk in _chunks(rows, self._batch) for answer in self._send(chunk)]
        if Answer.LATER in answers or self._holds.unsure(rows, answers):
            self._window.shrink(in_flight)
            _log.warning("transaction.pool_full", window=self._window.size)
        else:
            self._window.grow()
        return len(rows)

    @property
    def window(self) -> int:
        """Transactions that may be in flight, by what the node refused."""
        return self._window.size

    @property
    def fill(self) -> PoolFill | None:
        """How full the node's pool was at the last look, None where it does not say."""
        return self._pool.fill

    def oldest_seconds(self) -> float:
        """Return for how long the oldest transaction that is in no block was seen to wait."""
        return self._clock() - min(self._seen_at.values(), default=self._clock())

    def _due(self) -> tuple[list[_Row], int]:
        """Return what to send now, by key and nonce, and how many transactions are in flight."""
        with self._engine.connect() as connection:
            rows = candidates(connection, self._gas_in_flight, self._window.size)
        known = {row.hash for row in rows}
        now = self._clock()
        self._seen_at = {digest: self._seen_at.get(digest, now) for digest in known}
        self._sent_at = {digest: at for digest, at in self._sent_at.items() if digest in known}
        self._refusals = {digest: count for digest, count in self._refusals.items() if digest in known}
        self._holds.keep(known)
        due = [row for row in rows if row.command == "retry" or self._is_due(row.hash)]
        return self._bearable(due, rows)[:STEP_MAX], len(rows)

    def _bearable(self, due: list[_Row], rows: _Rows) -> list[_Row]:
        """Return of what is due what the node's pool has room for."""
        room = self._pool.room() if due else None
        if room is None:
            return due
        kept = within_room(due, rows, room)
        held_back = len(kept) < len(due)
        if held_back and not self._held_back:
            _log.warning("transaction.held_back", pool=self._pool.fill, due=len(due), room=room)
        self._held_back = held_back
        return kept

    def _is_due(self, transaction: bytes) -> bool:
        sent_at = self._sent_at.get(transaction)
        return sent_at is None or self._clock() - sent_at >= self._resend_seconds

    def _mark(self, due: _Rows) -> _Rows:
        """Record that these may have left before any does: so what is `signed` certainly has not."""
        hashes = [row.hash for row in due]
        with unit_of_work(self._engine) as connection:
            if any(row.status == SIGNED for row in due):
                connection.execute(_LEFT, {"hashes": hashes})
            if any(row.command == "retry" for row in due):
                connection.execute(_RETRIED, {"hashes": hashes})
            return connection.execute(_MARKED, {"hashes": hashes}).all()

    def _send(self, rows: _Rows) -> list[Answer]:
        calls = [("eth_sendRawTransaction", (f"0x{row.raw.hex()}",)) for row in rows]
        results = self._rpc.batch_each(calls) if len(calls) > 1 else self._send_one(calls[0])
        self._pool.sent(sum(not isinstance(result, NodeError) for result in results))
        reach("outbox.broadcast")
        now = self._clock()
        self._counts.add("stoken_outbox_sends_total", len(rows))
        self._counts.add("stoken_outbox_resends_total", sum(row.hash in self._sent_at for row in rows))
        answers = [classify(result) for result in results]
        for row, answer, said in zip(rows, answers, results, strict=True):
            self._sent_at[row.hash] = now
            if not answer.delivered or answer is Answer.NONCE_USED:
                _log.warning("transaction.answer", sender=row.sender, nonce=row.nonce, answer=answer, said=str(said))
            if answer is Answer.UNACCEPTABLE:
                self._refused(row, str(said))
            self._holds.heard(row, answer, str(said))
        return answers

    def _refused(self, row: _Row, said: str) -> None:
        """Count a refusal, and after some ask for the nonce to be filled; the key stands still until it is."""
        self._refusals[row.hash] = self._refusals.get(row.hash, 0) + 1
        if self._refusals[row.hash] < REFUSALS_MAX:
            return
        if row.purpose == FILL_PURPOSE:
            _log.error("transaction.key_blocked", sender=row.sender, nonce=row.nonce, said=said)
            return
        self._counts.add("stoken_outbox_failures_total", 1, "TRANSACTION_UNACCEPTABLE")
        failure = Failure("Unacceptable", "TRANSACTION_UNACCEPTABLE", {"node": said})
        with unit_of_work(self._engine) as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.hash == row.hash, outbox.c.command.is_(None))
                .values(command="fill", failure=msgspec.json.encode(failure))
            )

    def _send_one(self, call: tuple[str, Sequence[object]]) -> list[object]:
        try:
            return [self._rpc.call(call[0], *call[1])]
        except NodeError as error:
            return [error]


def _chunks(rows: _Rows, count_max: int) -> Iterator[_Rows]:
    chunk: list[_Row] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) == count_max or size + len(row.raw) > BATCH_BYTES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.raw)
    if chunk:
        yield chunk
