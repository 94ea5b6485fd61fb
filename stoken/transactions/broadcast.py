# SPDX-License-Identifier: Apache-2.0
"""Sends what the outbox holds, the same bytes again and again until a block has them; an error changes nothing."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine, Row, select, update

from stoken.chain.capabilities import Capabilities
from stoken.chain.rpc import NodeError, RpcClient
from stoken.db import unit_of_work
from stoken.telemetry.failpoints import reach
from stoken.transactions.answers import Answer, classify
from stoken.transactions.outbox import BROADCAST, SIGNED
from stoken.transactions.tables import outbox

RESEND_SECONDS: Final = 5
BATCH_MAX: Final = 200
BATCH_BYTES_MAX: Final = 1_000_000
#: Gas of unmined transactions, in blocks: more only fills pools and makes blocks that validators cannot follow.
BLOCKS_IN_FLIGHT: Final = 8

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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the database and the node; after a restart everything unmined is sent at once."""
        self._engine = engine
        self._rpc = rpc
        self._batch = 1 if capabilities.automine else min(BATCH_MAX, capabilities.max_batch)
        self._gas_in_flight = BLOCKS_IN_FLIGHT * capabilities.gas_limit
        self._resend_seconds = resend_seconds
        self._clock = clock
        self._sent_at: dict[bytes, float] = {}

    def execute(self) -> int:
        """Send what is due and return how many transactions that were.

        Raises LedgerUnavailableError where the node does not answer; the next step sends the same bytes.
        """
        due = self._due()
        if not due:
            return 0
        reach("outbox.committed")
        for chunk in _chunks(due, self._batch):
            self._send(chunk)
        return len(due)

    def _due(self) -> _Rows:
        """Return unmined transactions to send now, by nonce, within the bound of gas in flight."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(outbox.c.sender, outbox.c.nonce, outbox.c.hash, outbox.c.gas, outbox.c.status)
                .where(outbox.c.status.in_((SIGNED, BROADCAST)))
                .order_by(outbox.c.sender, outbox.c.nonce)
            ).all()
            self._sent_at = {row.hash: at for row in rows if (at := self._sent_at.get(row.hash)) is not None}
            chosen = [row.hash for row in _within(rows, self._gas_in_flight) if self._is_due(row.hash)]
            if not chosen:
                return ()
            return connection.execute(
                select(outbox.c.sender, outbox.c.nonce, outbox.c.hash, outbox.c.raw, outbox.c.status)
                .where(outbox.c.hash.in_(chosen[:BATCH_MAX]))
                .order_by(outbox.c.sender, outbox.c.nonce)
            ).all()

    def _is_due(self, transaction: bytes) -> bool:
        sent_at = self._sent_at.get(transaction)
        return sent_at is None or self._clock() - sent_at >= self._resend_seconds

    def _send(self, rows: _Rows) -> None:
        calls = [("eth_sendRawTransaction", (f"0x{row.raw.hex()}",)) for row in rows]
        answers = self._rpc.batch_each(calls) if len(calls) > 1 else self._send_one(calls[0])
        reach("outbox.broadcast")
        now = self._clock()
        delivered = []
        for row, result in zip(rows, answers, strict=True):
            self._sent_at[row.hash] = now
            answer = classify(result)
            if answer.delivered and row.status == SIGNED:
                delivered.append(row.hash)
            if not answer.delivered or answer is Answer.NONCE_USED:
                _log.warning("transaction.answer", sender=row.sender, nonce=row.nonce, answer=answer, said=str(result))
        if delivered:
            with unit_of_work(self._engine) as connection:
                connection.execute(update(outbox).where(outbox.c.hash.in_(delivered)).values(status=BROADCAST))

    def _send_one(self, call: tuple[str, Sequence[object]]) -> list[object]:
        try:
            return [self._rpc.call(call[0], *call[1])]
        except NodeError as error:
            return [error]


def _within(rows: _Rows, gas_max: int) -> Iterator[_Row]:
    gas = 0
    for row in rows:
        gas += row.gas
        if gas > gas_max and gas != row.gas:
            return
        yield row


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
