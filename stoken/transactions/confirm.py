# SPDX-License-Identifier: Apache-2.0
"""Learns from the mirror what became of each transaction, and takes it back where a reorg did."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Row, select, update

from stoken.chain.reverts import Revert, decode_revert, revert_of
from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata
from stoken.db import unit_of_work
from stoken.mirror.sightings import Sighting, sightings
from stoken.mirror.store import read_checkpoint
from stoken.transactions.outbox import BROADCAST, FAILED, MINED, SIGNED, Failure
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]


class _Verdict(NamedTuple):
    hash: bytes
    status: str
    block_number: int | None
    failure: bytes | None


class ConfirmStep:
    """One step of the worker's loop."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        """Take the database with the mirror, and the node for receipts and reasons of failed transactions.

        A reason is exact from the node's receipt or trace, else approximate: replayed on the parent block's state.
        """
        self._engine = engine
        self._rpc = rpc

    def execute(self) -> int:
        """Record what the mirror saw and return how many transactions changed their state."""
        with self._engine.connect() as connection:
            pending = _pending(connection)
            unsettled = _above_finality(connection)
            seen = sightings(connection, [row.hash for row in (*pending, *unsettled)])
        verdicts = self._judge([row for row in pending if row.hash in seen], seen)
        moved = [row for row in unsettled if row.hash not in seen or seen[row.hash].block_number != row.block_number]
        verdicts += [_Verdict(row.hash, BROADCAST, None, None) for row in moved]
        if verdicts:
            with unit_of_work(self._engine) as connection:
                _record(connection, verdicts)
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
                failure = msgspec.json.encode(self._reason(row, receipt))
                verdicts.append(_Verdict(row.hash, FAILED, seen[row.hash].block_number, failure))
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


def _pending(connection: Connection) -> Sequence[_Row]:
    return _rows(connection, outbox.c.status.in_((SIGNED, BROADCAST)))


def _above_finality(connection: Connection) -> Sequence[_Row]:
    final = read_checkpoint(connection).final_number
    return _rows(connection, outbox.c.block_number > final)


def _rows(connection: Connection, where: Any) -> Sequence[_Row]:  # noqa: ANN401 - a SQL condition
    columns = (outbox.c.hash, outbox.c.sender, outbox.c.receiver, outbox.c.raw, outbox.c.gas, outbox.c.block_number)
    return connection.execute(select(*columns).where(where)).all()


def _mined(row: _Row, seen: dict[bytes, Sighting]) -> _Verdict:
    return _Verdict(row.hash, MINED, seen[row.hash].block_number, None)


def _failure(revert: Revert, *, approximate: bool) -> Failure:
    return Failure(revert.error, revert.code, revert.to_error().details, approximate)


def _record(connection: Connection, verdicts: Iterable[_Verdict]) -> None:
    for verdict in verdicts:
        connection.execute(
            update(outbox)
            .where(outbox.c.hash == verdict.hash)
            .values(status=verdict.status, block_number=verdict.block_number, failure=verdict.failure)
        )


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
