# SPDX-License-Identifier: Apache-2.0
"""Learns from the mirror what became of each transaction, and takes it back where a reorg did."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, LargeBinary, Row, bindparam, select, update

from stoken.chain.reverts import Revert, decode_revert, revert_of
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata
from stoken.db import unit_of_work
from stoken.domain.transaction_states import LIVE, TransactionEvent, TransactionStatus, next_transaction_status
from stoken.mirror.sightings import Sighting, is_mirrored, sightings
from stoken.mirror.store import read_checkpoint
from stoken.telemetry.metrics import Counts
from stoken.transactions import cursors
from stoken.transactions.outbox import CANCELED, FAILED, MINED, REPLACED, Failure
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]
_LIVE = tuple(status.value for status in LIVE)
_IN_BLOCK = (MINED, FAILED)
_CURSOR: Final = "confirm.final"
_CHUNK: Final = 500
_NAMES: Final = ("hash", "sender", "nonce", "status", "block_number", "block_hash")
#: Built once: each round asks them.
_ROWS: Final = select(*(outbox.c[name] for name in _NAMES))
#: What a block says something new about: also what was replaced, since it may have won after all.
_SEEN: Final = _ROWS.where(
    outbox.c.status.in_(_LIVE) | (outbox.c.status.in_((CANCELED, REPLACED)) & outbox.c.block_number.is_(None)),
    is_mirrored(outbox.c.hash),
)
_IN_BLOCKS_ABOVE: Final = _ROWS.where((outbox.c.block_number > bindparam("number")) & outbox.c.status.in_(_IN_BLOCK))
_SENT: Final = select(outbox.c.receiver, outbox.c.raw, outbox.c.gas).where(outbox.c.hash == bindparam("transaction"))
_CHANGE: Final = (
    update(outbox)
    .where(outbox.c.hash.in_(bindparam("hashes", expanding=True)), outbox.c.status == bindparam("was"))
    .values({name: bindparam(name) for name in ("status", "block_number", "block_hash", "failure")})
)
#: Which of these nonces have had more than one transaction of ours.
_CONTESTED: Final = select(outbox.c.sender, outbox.c.nonce).where(
    outbox.c.sender == bindparam("of"), outbox.c.nonce.in_(bindparam("nonces", expanding=True)), outbox.c.version > 0
)
_SIBLINGS: Final = update(outbox).where(
    outbox.c.sender == bindparam("of"), outbox.c.nonce == bindparam("at"), outbox.c.hash != bindparam("winner")
)
_REPLACE: Final = _SIBLINGS.where(outbox.c.status.in_(_LIVE)).values(
    status=REPLACED, replaced_by=bindparam("winner", type_=LargeBinary)
)
_OVER: Final = _SIBLINGS.where(outbox.c.status.in_((CANCELED, REPLACED))).values(block_number=bindparam("block_number"))


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
            fresh = connection.execute(_SEEN).all()
            unsettled = connection.execute(_IN_BLOCKS_ABOVE, {"number": looked}).all()
            seen = sightings(connection, [row.hash for row in (*fresh, *unsettled)])
        verdicts = self._judge([row for row in fresh if row.hash in seen], seen)
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
        verdicts = [_Verdict(row, TransactionEvent.MINE, at, None) for row in rows if (at := seen[row.hash]).has_logs]
        for row, receipt in zip(silent, receipts, strict=True):
            # A node that lags behind the mirror has no receipt yet: ask again with the next step.
            if receipt is None:
                continue
            if int(receipt["status"], 16) == 1:
                verdicts.append(_Verdict(row, TransactionEvent.MINE, seen[row.hash], None))
            else:
                reason = self._reason(row, receipt)
                self._counts.add("stoken_outbox_failures_total", 1, reason.code)
                failure = msgspec.json.encode(reason)
                verdicts.append(_Verdict(row, TransactionEvent.REVERT, seen[row.hash], failure))
        return verdicts

    def _reason(self, row: _Row, receipt: dict[str, Any]) -> Failure:
        with self._engine.connect() as connection:
            sent = connection.execute(_SENT, {"transaction": row.hash}).one()
        if int(receipt["gasUsed"], 16) >= sent.gas:
            return Failure("OutOfGas", "CONTRACT_REVERTED", {"gas": sent.gas})
        exact = self._stated(receipt) or self._traced(row.hash)
        if exact is not None:
            return _failure(exact, approximate=False)
        revert = self._replay(row.sender, sent, int(receipt["blockNumber"], 16) - 1)
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
        connection.execute(_REPLACE, siblings)
    connection.execute(_OVER, {**siblings, "block_number": block_number})


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
