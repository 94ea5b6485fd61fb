# SPDX-License-Identifier: Apache-2.0
"""Learns from the mirror what became of each transaction, and takes it back where a reorg did.

Only what a block was shown to hold has an end: transactions and receipts that hash to the roots in its header, in a
block whose logs are verified. A node may hide a block or keep us waiting; it cannot make one fail, or seem mined.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, Engine, Row, bindparam, select, update

from stoken.chain.reverts import Revert, decode_revert, revert_of
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata
from stoken.db import unit_of_work
from stoken.domain.transaction_states import LIVE, TransactionEvent, TransactionStatus, next_transaction_status
from stoken.errors import LedgerUnavailableError
from stoken.mirror.blocks import Header
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.inclusion import Inclusion
from stoken.mirror.sightings import Sighting, block_of, is_mirrored, sightings
from stoken.mirror.store import read_checkpoint, replace_transactions
from stoken.mirror.verified import verified_to
from stoken.telemetry.metrics import Counts
from stoken.transactions import cursors
from stoken.transactions.outbox import CANCELED, FAILED, MINED, REPLACED, Failure, withdrawn
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]
_LIVE = tuple(status.value for status in LIVE)
_IN_BLOCK = (MINED, FAILED)
_CURSOR: Final = "confirm.final"
_CHUNK: Final = 500
#: Judged in one step: after a recovery any number may be in blocks, each with all its calldata.
STEP_MAX: Final = 500
_NAMES: Final = ("hash", "sender", "nonce", "status", "block_number", "block_hash")
#: Built once: each round asks them.
_ROWS: Final = select(*(outbox.c[name] for name in _NAMES))
#: What a block says something new about: also what was replaced, since it may have won after all.
_SEEN: Final = (
    _ROWS.where(
        outbox.c.status.in_(_LIVE) | (outbox.c.status.in_((CANCELED, REPLACED)) & outbox.c.block_number.is_(None)),
        is_mirrored(outbox.c.hash),
    )
    .order_by(block_of(outbox.c.hash), outbox.c.hash)
    .limit(bindparam("limit"))
    .offset(bindparam("passed"))
)
_IN_BLOCKS_ABOVE: Final = _ROWS.where((outbox.c.block_number > bindparam("number")) & outbox.c.status.in_(_IN_BLOCK))
_SENT: Final = select(outbox.c.receiver, outbox.c.raw, outbox.c.gas).where(outbox.c.hash == bindparam("transaction"))
_RAW: Final = select(outbox.c.hash, outbox.c.raw).where(outbox.c.hash.in_(bindparam("hashes", expanding=True)))
_CHANGE: Final = (
    update(outbox)
    .where(outbox.c.hash.in_(bindparam("hashes", expanding=True)), outbox.c.status == bindparam("was"))
    .values({name: bindparam(name) for name in ("status", "block_number", "block_hash", "failure")})
)
#: Which of these nonces have had more than one transaction of ours.
_CONTESTED: Final = select(outbox.c.sender, outbox.c.nonce).where(
    outbox.c.sender == bindparam("of"), outbox.c.nonce.in_(bindparam("nonces", expanding=True)), outbox.c.version > 0
)
_IS_SIBLING: Final = (
    (outbox.c.sender == bindparam("of")) & (outbox.c.nonce == bindparam("at")) & (outbox.c.hash != bindparam("winner"))
)
#: What won once, in a block that a reorg took back, and has lost now.
_LOST: Final = select(outbox.c.hash, outbox.c.note).where(_IS_SIBLING, outbox.c.status.in_(_LIVE))
_REPLACE: Final = (
    update(outbox)
    .where(outbox.c.hash == bindparam("loser"))
    .values({name: bindparam(name) for name in ("status", "replaced_by", "failure")})
)
_OVER: Final = (
    update(outbox)
    .where(_IS_SIBLING, outbox.c.status.in_((CANCELED, REPLACED)))
    .values(block_number=bindparam("block_number"))
)


_log = structlog.get_logger(__name__)


class _Verdict(NamedTuple):
    row: _Row
    event: TransactionEvent
    seen: Sighting | None
    failure: bytes | None


class ConfirmStep:
    """One step of the worker's loop."""

    def __init__(
        self,
        engine: Engine,
        rpc: RpcClient,
        counts: Counts | None = None,
        *,
        sealed_from: int | None = None,
        step_max: int = STEP_MAX,
    ) -> None:
        """Take the database with the mirror, and the node for what blocks hold and the reasons of failures.

        Headers from `sealed_from` on must give their hashes. A reason is exact from the node's receipt or trace, else
        approximate: replayed on the parent block's state.
        """
        self._engine = engine
        self._rpc = rpc
        self._inclusion = Inclusion(rpc, sealed_from=sealed_from)
        self._counts = counts or Counts()
        #: How many, from the first on, the steps before had to leave without an end.
        self._passed = 0
        self._step_max = step_max

    def execute(self) -> int:
        """Record what the mirror saw and return how many transactions changed their state.

        Raises LedgerUnavailableError where the node does not answer; where it cannot show what it said a block holds,
        once the transactions of all other blocks are recorded.
        """
        with self._engine.connect() as connection:
            verified = verified_to(connection)
            final, looked = min(read_checkpoint(connection).final_number, verified), confirmed_to(connection)
            fresh = connection.execute(_SEEN, {"limit": self._step_max, "passed": self._passed}).all()
            unsettled = connection.execute(_IN_BLOCKS_ABOVE, {"number": looked}).all()
            seen = sightings(connection, [row.hash for row in (*fresh, *unsettled)])
            ready = [row for row in fresh if row.hash in seen and seen[row.hash].block_number <= verified]
            raw = _raw(connection, [row.hash for row in ready])
        verdicts, unreadable = self._judge(ready, seen, raw)
        is_full = len(ready) == self._step_max
        self._passed = self._passed + len(ready) - len(verdicts) if is_full else 0
        if is_full:
            # Others of the last block may wait for the next step.
            final = min(final, seen[ready[-1].hash].block_number - 1)
        # The same number may by now be another block's.
        moved = [row for row in unsettled if row.hash not in seen or seen[row.hash].block_hash != row.block_hash]
        verdicts += [_Verdict(row, TransactionEvent.DROP, None, None) for row in moved]
        if verdicts or final > looked:
            with unit_of_work(self._engine) as connection:
                _record(connection, verdicts)
                # What was taken back from a final block is in another one: that is for the next look to say.
                cursors.move(connection, _CURSOR, looked if moved else final)
        for error in unreadable:
            raise error
        return len(verdicts)

    def _judge(
        self, rows: Sequence[_Row], seen: dict[bytes, Sighting], raw: Mapping[bytes, bytes]
    ) -> tuple[list[_Verdict], list[LedgerUnavailableError]]:
        """Return what became of transactions, and why that of others cannot be told."""
        blocks = list({seen[row.hash].block_hash: None for row in rows})
        headers, unreadable = self._inclusion.headers(blocks, raw)
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
            try:
                receipts = self._inclusion.receipts(headers[block])
            except IncompleteBlockError as error:
                unreadable.append(error)
                continue
            verdicts += [self._by_receipt(row, seen, receipts) for row in without_logs]
        return verdicts, unreadable

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
        with self._engine.connect() as connection:
            sent = connection.execute(_SENT, {"transaction": row.hash}).one()
        if gas_used >= sent.gas:
            return Failure("OutOfGas", "CONTRACT_REVERTED", {"gas": sent.gas})
        exact = self._stated(receipt) or self._traced(row.hash)
        if exact is not None:
            return _failure(exact, approximate=False)
        revert = self._replay(row.sender, sent, block_number - 1)
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

    def _replay(self, sender: bytes, sent: _Row, block_number: int) -> Revert | None:
        call = {"from": _hex(sender), "gas": hex(sent.gas), "data": _hex(calldata(sent.raw))}
        if sent.receiver:
            call["to"] = _hex(sent.receiver)
        try:
            self._rpc.call("eth_call", call, hex(block_number))
        except NodeError as error:
            return revert_of(error)
        return None


def confirmed_to(connection: Connection) -> int:
    """Return the last final block up to which transactions are recorded as its chain has them, once for all."""
    return cursors.position(connection, _CURSOR)


def _raw(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for start in range(0, len(hashes), _CHUNK):
        rows = connection.execute(_RAW, {"hashes": list(hashes[start : start + _CHUNK])})
        found |= {row.hash: row.raw for row in rows}
    return found


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


def _record(connection: Connection, verdicts: Sequence[_Verdict]) -> None:
    """Write what became of transactions: all of one block and outcome at once, but where a nonce has had several."""
    contested = _contested(connection, verdicts)
    alike = defaultdict[tuple[object, ...], list[bytes]](list)
    for verdict in verdicts:
        if (verdict.row.sender, verdict.row.nonce) in contested:
            if _change(connection, _changes(verdict), [verdict.row.hash]):
                _record_siblings(connection, verdict.row, verdict.seen and verdict.seen.block_number)
        else:
            alike[_changes(verdict)].append(verdict.row.hash)
    for changes, hashes in alike.items():
        _change(connection, changes, hashes)


def _changes(verdict: _Verdict) -> tuple[object, ...]:
    row, event, seen, failure = verdict
    status = next_transaction_status(TransactionStatus(row.status), event).value
    at = (None, None) if seen is None else (seen.block_number, seen.block_hash)
    return row.status, status, *at, failure


def _change(connection: Connection, changes: tuple[object, ...], hashes: Sequence[bytes]) -> int:
    """Return how many were still as they were read; the others are for the next look."""
    named = dict(zip(("was", "status", "block_number", "block_hash", "failure"), changes, strict=True))
    parts = (hashes[start : start + _CHUNK] for start in range(0, len(hashes), _CHUNK))
    return sum(connection.execute(_CHANGE, {**named, "hashes": part}).rowcount for part in parts)


def _contested(connection: Connection, verdicts: Iterable[_Verdict]) -> set[tuple[bytes, int]]:
    nonces = defaultdict[bytes, list[int]](list)
    for row, *_ in verdicts:
        nonces[row.sender].append(row.nonce)
    found = set[tuple[bytes, int]]()
    for sender, taken in nonces.items():
        for start in range(0, len(taken), _CHUNK):
            rows = connection.execute(_CONTESTED, {"of": sender, "nonces": taken[start : start + _CHUNK]})
            found.update((row.sender, row.nonce) for row in rows)
    return found


def _record_siblings(connection: Connection, winner: _Row, block_number: int | None) -> None:
    """Tell the other transactions of the nonce: a block holds this one, or does so no longer."""
    siblings = {"of": winner.sender, "at": winner.nonce, "winner": winner.hash}
    if block_number is not None:
        for row in connection.execute(_LOST, siblings).all():
            reason = msgspec.json.encode(withdrawn("Replaced", row.note))
            connection.execute(
                _REPLACE, {"loser": row.hash, "status": REPLACED, "replaced_by": winner.hash, "failure": reason}
            )
    connection.execute(_OVER, {**siblings, "block_number": block_number})


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
