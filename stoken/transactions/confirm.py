# SPDX-License-Identifier: Apache-2.0
"""Learns from the mirror what became of each transaction, and takes it back where a reorg did.

Only what a block was shown to hold has an end: transactions and receipts that hash to the roots in its header, in a
block whose logs are verified. A node may hide a block or keep us waiting; it cannot make one fail, or seem mined.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, Engine, LargeBinary, Row, bindparam, select, update

from stoken.chain.reverts import Revert, decode_revert, revert_of
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata
from stoken.db import unit_of_work
from stoken.domain.transaction_states import LIVE, TransactionEvent, TransactionStatus, next_transaction_status
from stoken.mirror.blocks import Header
from stoken.mirror.inclusion import Inclusion
from stoken.mirror.sightings import Sighting, sightings
from stoken.mirror.store import read_checkpoint, replace_transactions
from stoken.mirror.verified import verified_to
from stoken.telemetry.metrics import Counts
from stoken.transactions import cursors
from stoken.transactions.outbox import CANCELED, FAILED, MINED, REPLACED, Failure
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]
_LIVE = tuple(status.value for status in LIVE)
_IN_BLOCK = (MINED, FAILED)
_CURSOR: Final = "confirm.final"
_NAMES: Final = ("hash", "sender", "nonce", "receiver", "raw", "gas", "status", "block_number", "block_hash")
#: Built once: each round asks them.
_ROWS: Final = select(*(outbox.c[name] for name in _NAMES))
_PENDING: Final = _ROWS.where(
    outbox.c.status.in_(_LIVE) | (outbox.c.status.in_((CANCELED, REPLACED)) & outbox.c.block_number.is_(None))
)
_IN_BLOCKS_ABOVE: Final = _ROWS.where((outbox.c.block_number > bindparam("number")) & outbox.c.status.in_(_IN_BLOCK))
_CHANGE: Final = (
    update(outbox)
    .where(outbox.c.hash == bindparam("transaction"), outbox.c.status == bindparam("was"))
    .values({name: bindparam(name) for name in ("status", "block_number", "block_hash", "failure")})
)
_SIBLINGS: Final = update(outbox).where(
    outbox.c.sender == bindparam("of"), outbox.c.nonce == bindparam("at"), outbox.c.hash != bindparam("winner")
)
_REPLACE: Final = _SIBLINGS.where(outbox.c.status.in_(_LIVE)).values(
    status=REPLACED, replaced_by=bindparam("winner", type_=LargeBinary)
)
_OVER: Final = _SIBLINGS.where(outbox.c.status.in_((CANCELED, REPLACED))).values(block_number=bindparam("block_number"))


_log = structlog.get_logger(__name__)


class _Verdict(NamedTuple):
    row: _Row
    event: TransactionEvent
    seen: Sighting | None
    failure: bytes | None


class ConfirmStep:
    """One step of the worker's loop."""

    def __init__(
        self, engine: Engine, rpc: RpcClient, counts: Counts | None = None, *, sealed_from: int | None = None
    ) -> None:
        """Take the database with the mirror, and the node for what blocks hold and the reasons of failures.

        Headers from `sealed_from` on must give their hashes. A reason is exact from the node's receipt or trace, else
        approximate: replayed on the parent block's state.
        """
        self._engine = engine
        self._rpc = rpc
        self._inclusion = Inclusion(rpc, sealed_from=sealed_from)
        self._counts = counts or Counts()

    def execute(self) -> int:
        """Record what the mirror saw and return how many transactions changed their state.

        Raises LedgerUnavailableError where the node does not answer, or cannot show what it said a block holds.
        """
        with self._engine.connect() as connection:
            verified = verified_to(connection)
            final, looked = min(read_checkpoint(connection).final_number, verified), confirmed_to(connection)
            pending = _pending(connection)
            unsettled = _in_blocks_above(connection, looked)
            seen = sightings(connection, [row.hash for row in (*pending, *unsettled)])
        ready = [row for row in pending if row.hash in seen and seen[row.hash].block_number <= verified]
        verdicts = self._judge(ready, seen)
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
        blocks = list({seen[row.hash].block_hash: None for row in rows})
        headers = self._inclusion.headers(blocks, {row.hash: row.raw for row in rows})
        # A node that lags behind the mirror does not have the block yet: ask again with the next step.
        placed = [row for row in rows if seen[row.hash].block_hash in headers]
        held = [row for row in placed if _holds(headers[seen[row.hash].block_hash], row, seen[row.hash])]
        if len(held) < len(placed):
            self._mend(headers.values())
        verdicts = [_mined(row, seen) for row in held if seen[row.hash].has_logs]
        silent: dict[bytes, list[_Row]] = {}
        for row in held:
            if not seen[row.hash].has_logs:
                silent.setdefault(seen[row.hash].block_hash, []).append(row)
        for block, without_logs in silent.items():
            receipts = self._inclusion.receipts(headers[block])
            verdicts += [self._by_receipt(row, seen, receipts) for row in without_logs]
        return verdicts

    def _by_receipt(self, row: _Row, seen: dict[bytes, Sighting], receipts: Sequence[dict[str, Any]]) -> _Verdict:
        """Return what a block's receipts, which hash to its root, say of a transaction that logged nothing."""
        at = seen[row.hash].position
        if int(receipts[at]["status"], 16) == 1:
            return _mined(row, seen)
        reason = self._reason(row, seen[row.hash].block_number, receipts[at], _gas_used(receipts, at))
        self._counts.add("stoken_outbox_failures_total", 1, reason.code)
        return _Verdict(row, TransactionEvent.REVERT, seen[row.hash], msgspec.json.encode(reason))

    def _mend(self, headers: Iterable[Header]) -> None:
        """Correct which transactions the mirror holds of blocks, now that it was shown."""
        with unit_of_work(self._engine) as connection:
            for header in headers:
                if replace_transactions(connection, header):
                    _log.error("mirror.transactions_corrected", block=header.number)

    def _reason(self, row: _Row, block_number: int, receipt: dict[str, Any], gas_used: int) -> Failure:
        if gas_used >= row.gas:
            return Failure("OutOfGas", "CONTRACT_REVERTED", {"gas": row.gas})
        exact = self._stated(receipt) or self._traced(row.hash)
        if exact is not None:
            return _failure(exact, approximate=False)
        revert = self._replay(row, block_number - 1)
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
    return connection.execute(_PENDING).all()


def _in_blocks_above(connection: Connection, number: int) -> Sequence[_Row]:
    return connection.execute(_IN_BLOCKS_ABOVE, {"number": number}).all()


def _holds(header: Header, row: _Row, place: Sighting) -> bool:
    return header.transactions[place.position : place.position + 1] == (row.hash,)


def _gas_used(receipts: Sequence[dict[str, Any]], at: int) -> int:
    """Return what a transaction used, by the sums that the receipts' root covers."""
    before = int(receipts[at - 1]["cumulativeGasUsed"], 16) if at else 0
    return int(receipts[at]["cumulativeGasUsed"], 16) - before


def _mined(row: _Row, seen: dict[bytes, Sighting]) -> _Verdict:
    return _Verdict(row, TransactionEvent.MINE, seen[row.hash], None)


def _failure(revert: Revert, *, approximate: bool) -> Failure:
    return Failure(revert.error, revert.code, revert.to_error().details, approximate)


def _record(connection: Connection, verdicts: Iterable[_Verdict]) -> None:
    for row, event, seen, failure in verdicts:
        block_number, block_hash = (None, None) if seen is None else (seen.block_number, seen.block_hash)
        status = next_transaction_status(TransactionStatus(row.status), event).value
        changes = {"status": status, "block_number": block_number, "block_hash": block_hash, "failure": failure}
        changed = connection.execute(_CHANGE, {"transaction": row.hash, "was": row.status, **changes})
        if changed.rowcount:
            _record_siblings(connection, row, block_number)


def _record_siblings(connection: Connection, winner: _Row, block_number: int | None) -> None:
    """Tell the other transactions of the nonce: a block holds this one, or does so no longer."""
    siblings = {"of": winner.sender, "at": winner.nonce, "winner": winner.hash}
    if block_number is not None:
        connection.execute(_REPLACE, siblings)
    connection.execute(_OVER, {**siblings, "block_number": block_number})


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
