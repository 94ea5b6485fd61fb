# SPDX-License-Identifier: Apache-2.0
"""Settlement instructions: written with their transaction, moved on by what final blocks say."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from stoken.db import bulk
from stoken.domain.facts import MemberId, TradeFailed, TradeSettled
from stoken.domain.order_states import TradeEvent, TradeStatus, next_trade_status
from stoken.settlement.tables import instructions
from stoken.transactions.outbox import Failure

_columns = instructions.c
_CHUNK: Final = 500
#: The transactions that carry trades of which nothing is known yet.
MATCHED_KEYS: Final = select(_columns.transaction_key).where(_columns.status == TradeStatus.MATCHED.value)
#: Built once: each round of the worker asks them.
_SINCE: Final = select(_columns.trade_id).where(_columns.trade_id >= bindparam("first"))
_STATES: Final = select(_columns.trade_id, _columns.status).where(
    _columns.trade_id.in_(bindparam("trades", expanding=True))
)
_MOVE: Final = (
    update(instructions)
    .where(_columns.trade_id.in_(bindparam("trades", expanding=True)))
    .values({name: bindparam(name) for name in ("status", "block_number", "failure")})
)


class Instruction(NamedTuple):
    """A trade's instruction; `failure` is revert data, or an encoded Failure of the whole transaction."""

    trade_id: int
    sequence: int
    transaction_key: str
    attempts: int
    status: TradeStatus
    block_number: int | None
    failure: bytes | None


def read(connection: Connection, trade_id: int) -> Instruction | None:
    """Return a trade's instruction."""
    return next(iter(_select(connection, _columns.trade_id == trade_id)), None)


def of_transaction(connection: Connection, key: str) -> list[Instruction]:
    """Return the instructions that a transaction carries, by trade id."""
    return _select(connection, _columns.transaction_key == key)


def instructed(connection: Connection, first: int) -> set[int]:
    """Return the trades from this one on that have instructions."""
    return set(connection.execute(_SINCE, {"first": first}).scalars())


def failed_by(connection: Connection, block_number: int, attempts_max: int, limit: int) -> list[Instruction]:
    """Return trades that failed alone at or before a block and may be tried again, by trade id."""
    again = (_columns.status == TradeStatus.FAILED.value) & _columns.failure_sequence.is_(None)
    due = (_columns.block_number <= block_number) & (_columns.attempts < attempts_max)
    return _select(connection, again & due, limit)


def failures_after(connection: Connection, position: int) -> list[tuple[int, int]]:
    """Return trades whose whole transaction failed for good, as (position, trade id): no event tells the venue."""
    rows = connection.execute(
        select(_columns.failure_sequence, _columns.trade_id)
        .where(_columns.failure_sequence > position)
        .order_by(_columns.failure_sequence)
    )
    return [(row.failure_sequence, row.trade_id) for row in rows]


def create(connection: Connection, carried: Iterable[tuple[int, int, str]]) -> None:
    """Store new instructions, given as (trade id, journal sequence, transaction key)."""
    rows = [(*each, 1, TradeStatus.MATCHED.value, None, None, None) for each in carried]
    bulk.insert_rows(connection, instructions, rows)


def retry(connection: Connection, instruction: Instruction, key: str) -> None:
    """Give an instruction another transaction; its block is not known until the ledger speaks again."""
    attempts = instruction.attempts + 1
    _update(connection, instruction.trade_id, transaction_key=key, attempts=attempts, block_number=None)


def give_up(connection: Connection, instruction: Instruction, attempts_max: int) -> None:
    """Count an instruction as tried as often as may be."""
    _update(connection, instruction.trade_id, attempts=attempts_max)


def apply(connection: Connection, facts: Sequence[tuple[TradeSettled | TradeFailed, int]], venue: MemberId) -> None:
    """Move instructions on by final events, each with its block; those of other venues and unknown trades are not ours.

    The events are in the chain's order: a trade that failed may have settled since.
    """
    ours = [(fact, block_number) for fact, block_number in facts if fact.venue == venue]
    states = _states(connection, [fact.trade_id for fact, _ in ours])
    moves: dict[int, tuple[TradeStatus, int, bytes | None]] = {}
    for fact, block_number in ours:
        known = states.get(fact.trade_id)
        if known is None:
            continue
        reason = fact.reason if isinstance(fact, TradeFailed) else None
        states[fact.trade_id] = next_trade_status(known, TradeEvent.SETTLE if reason is None else TradeEvent.FAIL)
        moves[fact.trade_id] = states[fact.trade_id], block_number, reason
    alike = defaultdict[tuple[TradeStatus, int, bytes | None], list[int]](list)
    for trade_id, change in moves.items():
        alike[change].append(trade_id)
    for (status, block_number, reason), trades in alike.items():
        changes = {"status": status.value, "block_number": block_number, "failure": reason}
        for start in range(0, len(trades), _CHUNK):
            connection.execute(_MOVE, {"trades": trades[start : start + _CHUNK], **changes})


def fail(connection: Connection, instruction: Instruction, failure: Failure | None, block_number: int | None) -> None:
    """Record that a trade's whole transaction failed for good."""
    last = connection.execute(select(func.max(_columns.failure_sequence))).scalar() or 0
    _update(
        connection,
        instruction.trade_id,
        status=next_trade_status(instruction.status, TradeEvent.FAIL).value,
        block_number=block_number,
        failure=None if failure is None else msgspec.json.encode(failure),
        failure_sequence=last + 1,
    )


def _states(connection: Connection, trades: Sequence[int]) -> dict[int, TradeStatus]:
    states: dict[int, TradeStatus] = {}
    for start in range(0, len(trades), _CHUNK):
        rows = connection.execute(_STATES, {"trades": list(trades[start : start + _CHUNK])})
        states |= {row.trade_id: TradeStatus(row.status) for row in rows}
    return states


def _select(connection: Connection, where: ColumnElement[bool], limit: int | None = None) -> list[Instruction]:
    fields = [_columns[name] for name in Instruction._fields]
    rows = connection.execute(select(*fields).where(where).order_by(_columns.trade_id).limit(limit))
    return [Instruction(*row)._replace(status=TradeStatus(row.status)) for row in rows]


def _update(connection: Connection, trade_id: int, **values: object) -> None:
    connection.execute(update(instructions).where(_columns.trade_id == trade_id).values(**values))
