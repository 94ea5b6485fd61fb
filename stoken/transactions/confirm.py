# SPDX-License-Identifier: Apache-2.0
"""Learns from the mirror what became of each transaction, and takes it back where a reorg did."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Row, select, update

from stoken.chain.reverts import Revert, decode_revert, revert_of
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata
from stoken.db import unit_of_work
from stoken.domain.transaction_states import LIVE, TransactionEvent, TransactionStatus, next_transaction_status
from stoken.mirror.sightings import Sighting, sightings
from stoken.mirror.store import read_checkpoint
from stoken.telemetry.metrics import Counts
from stoken.transactions import cursors
from stoken.transactions.outbox import CANCELED, FAILED, MINED, REPLACED, Failure
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]
_LIVE = tuple(status.value for status in LIVE)
_IN_BLOCK = (MINED, FAILED)
_CURSOR: Final = "confirm.final"


class _Verdict(NamedTuple):
    row: _Row
    event: TransactionEvent
    seen: Sighting | None
    failure: bytes | None


class ConfirmStep:
    """One step of the worker's loop."""

    def __init__(self, engine: Engine, rpc: RpcClient, counts: Counts | None = None) -> None:
        """Take the database with the mirror, and the node for receipts and reasons of failed transactions.

        A reason is exact from the node's receipt or trace, else approximate: replayed on the parent block's state.
        """
        self._engine = engine
        self._rpc = rpc
        self._counts = counts or Counts()

    def execute(self) -> int:
        """Record what the mirror saw and return how many transactions changed their state."""
        with self._engine.connect() as connection:
            final, looked = read_checkpoint(connection).final_number, confirmed_to(connection)
            pending = _pending(connection)
            unsettled = _in_blocks_above(connection, looked)
            seen = sightings(connection, [row.hash for row in (*pending, *unsettled)])
        verdicts = self._judge([row for row in pending if row.hash in seen], seen)
        # The same number may by now be another block's.
        moved = [row for row in unsettled if row.hash not in seen or seen[row.hash].block_hash != row.block_hash]
        verdicts += [_Verdict(row, TransactionEvent.DROP, None, None) for row in moved]
        if verdicts or final > looked:
            with unit_of_work(self._engine) as connection:
                _record(connection, verdicts)
                # What was taken back from a final block is in another one: that is for the next look to say.
                cursors.move(connection, _CURSOR, looked if moved else final)
        return len(verdicts)

    def _judge(self, rows: Sequence[_Row], seen: dict[bytes, Sighting]) -> list[_Verdict]:
        silent = [row for row in rows if not seen[row.hash].has_logs]
        receipts = self._rpc.batch([("eth_getTransactionReceipt", (_hex(row.hash),)) for row in silent])
        verdicts = [_mined(row, seen) for row in rows if seen[row.hash].has_logs]
        for row, receipt in zip(silent, receipts, strict=True):
            # A node that lags behind the mirror has no receipt yet: ask again with the next step.
            if receipt is None:
                continue
            if int(receipt["status"], 16) == 1:
                verdicts.append(_mined(row, seen))
            else:
                reason = self._reason(row, receipt)
                self._counts.add("stoken_outbox_failures_total", 1, reason.code)
                failure = msgspec.json.encode(reason)
                verdicts.append(_Verdict(row, TransactionEvent.REVERT, seen[row.hash], failure))
        return verdicts

    def _reason(self, row: _Row, receipt: dict[str, Any]) -> Failure:
        if int(receipt["gasUsed"], 16) >= row.gas:
            return Failure("OutOfGas", "CONTRACT_REVERTED", {"gas": row.gas})
        exact = self._stated(receipt) or self._traced(row.hash)
        if exact is not None:
            return _failure(exact, approximate=False)
        revert = self._replay(row, int(receipt["blockNumber"], 16) - 1)
        return _failure(revert or Revert("UnknownReason", {}), approximate=True)

    def _stated(self, receipt: dict[str, Any]) -> Revert | None:
        """Return the reason that Besu keeps where revert reasons are enabled."""
        stated = receipt.get("revertReason")
        return decode_revert(bytes.fromhex(stated[2:])) if stated else None

    def _traced(self, transaction: bytes) -> Revert | None:
        """Return what a trace says, from nodes that offer it: on the very state the transaction ran on."""
        options = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        try:
            trace = self._rpc.call("debug_traceTransaction", _hex(transaction), options)
        except NodeError:
            return None
        output = trace.get("output") if isinstance(trace, dict) else None
        return decode_revert(bytes.fromhex(output[2:])) if output else None

    def _replay(self, row: _Row, block_number: int) -> Revert | None:
        call = {"from": _hex(row.sender), "gas": hex(row.gas), "data": _hex(calldata(row.raw))}
        if row.receiver:
            call["to"] = _hex(row.receiver)
        try:
            self._rpc.call("eth_call", call, hex(block_number))
        except NodeError as error:
            return revert_of(error)
        return None


def confirmed_to(connection: Connection) -> int:
    """Return the last final block up to which transactions are recorded as its chain has them, once for all."""
    return cursors.position(connection, _CURSOR)


def _pending(connection: Connection) -> Sequence[_Row]:
    """Return what a block may still say something new about: also what was replaced, since it may win after all."""
    replaced = outbox.c.status.in_((CANCELED, REPLACED)) & outbox.c.block_number.is_(None)
    return _rows(connection, outbox.c.status.in_(_LIVE) | replaced)


def _in_blocks_above(connection: Connection, number: int) -> Sequence[_Row]:
    return _rows(connection, (outbox.c.block_number > number) & outbox.c.status.in_(_IN_BLOCK))


def _rows(connection: Connection, where: Any) -> Sequence[_Row]:  # noqa: ANN401 - a SQL condition
    names = ("hash", "sender", "nonce", "receiver", "raw", "gas", "status", "block_number", "block_hash")
    return connection.execute(select(*(outbox.c[name] for name in names)).where(where)).all()


def _mined(row: _Row, seen: dict[bytes, Sighting]) -> _Verdict:
    return _Verdict(row, TransactionEvent.MINE, seen[row.hash], None)


def _failure(revert: Revert, *, approximate: bool) -> Failure:
    return Failure(revert.error, revert.code, revert.to_error().details, approximate)


def _record(connection: Connection, verdicts: Iterable[_Verdict]) -> None:
    for row, event, seen, failure in verdicts:
        block_number, block_hash = (None, None) if seen is None else (seen.block_number, seen.block_hash)
        status = next_transaction_status(TransactionStatus(row.status), event).value
        changed = connection.execute(
            update(outbox)
            .where(outbox.c.hash == row.hash, outbox.c.status == row.status)
            .values(status=status, block_number=block_number, block_hash=block_hash, failure=failure)
        )
        if changed.rowcount:
            _record_siblings(connection, row, block_number)


def _record_siblings(connection: Connection, winner: _Row, block_number: int | None) -> None:
    """Tell the other transactions of the nonce: a block holds this one, or does so no longer."""
    siblings = update(outbox).where(
        outbox.c.sender == winner.sender, outbox.c.nonce == winner.nonce, outbox.c.hash != winner.hash
    )
    if block_number is not None:
        replaced = siblings.where(outbox.c.status.in_(_LIVE))
        connection.execute(replaced.values(status=REPLACED, replaced_by=winner.hash))
    over = siblings.where(outbox.c.status.in_((CANCELED, REPLACED)))
    connection.execute(over.values(block_number=block_number))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
