# SPDX-License-Identifier: Apache-2.0
"""Settlement instructions: written with their transaction, moved on by what final blocks say."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from stoken.domain.facts import MemberId, TradeFailed, TradeSettled
from stoken.domain.order_states import TradeEvent, TradeStatus, next_trade_status
from stoken.settlement.tables import instructions
from stoken.transactions.outbox import Failure

_columns = instructions.c


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


def known(connection: Connection, trade_ids: Iterable[int]) -> set[int]:
    """Return those of the trades that have an instruction."""
    return set(connection.execute(select(_columns.trade_id).where(_columns.trade_id.in_(list(trade_ids)))).scalars())


def of_transaction(connection: Connection, key: str) -> list[Instruction]:
    """Return the instructions that a transaction carries, by trade id."""
    return _select(connection, _columns.transaction_key == key)


def matched_keys(connection: Connection) -> list[str]:
    """Return the transactions that carry trades of which nothing is known yet."""
    rows = connection.execute(
        select(_columns.transaction_key).where(_columns.status == TradeStatus.MATCHED.value).distinct()
    )
    return [row.transaction_key for row in rows]


def failed_by(connection: Connection, block_number: int, attempts_max: int, limit: int) -> list[Instruction]:
    """Return trades that failed alone at or before a block and may be tried again, by trade id."""
    again = (_columns.status == TradeStatus.FAILED.value) & _columns.failure_sequence.is_(None)
    due = (_columns.block_number <= block_number) & (_columns.attempts < attempts_max)
    return _select(connection, again & due)[:limit]


def failures_after(connection: Connection, position: int) -> list[tuple[int, int]]:
    """Return trades whose whole transaction failed for good, as (position, trade id): no event tells the venue."""
    rows = connection.execute(
        select(_columns.failure_sequence, _columns.trade_id)
        .where(_columns.failure_sequence > position)
        .order_by(_columns.failure_sequence)
    )
    return [(row.failure_sequence, row.trade_id) for row in rows]


def create(connection: Connection, trade_sequences: Sequence[tuple[int, int]], key: str) -> None:
    """Store the instructions of a batch, given as (trade id, journal sequence)."""
    connection.execute(
        insert(instructions),
        [
            {
                "trade_id": trade_id,
                "sequence": sequence,
                "transaction_key": key,
                "attempts": 1,
                "status": TradeStatus.MATCHED.value,
            }
            for trade_id, sequence in trade_sequences
        ],
    )


def retry(connection: Connection, instruction: Instruction, key: str) -> None:
    """Give an instruction another transaction; its block is not known until the ledger speaks again."""
    attempts = instruction.attempts + 1
    _update(connection, instruction.trade_id, transaction_key=key, attempts=attempts, block_number=None)


def give_up(connection: Connection, instruction: Instruction, attempts_max: int) -> None:
    """Count an instruction as tried as often as may be."""
    _update(connection, instruction.trade_id, attempts=attempts_max)


def apply(connection: Connection, fact: TradeSettled | TradeFailed, venue: MemberId, block_number: int) -> None:
    """Move an instruction on by a final event; those of other venues and unknown trades are not ours."""
    known = read(connection, fact.trade_id) if fact.venue == venue else None
    if known is None:
        return
    settled = isinstance(fact, TradeSettled)
    status = next_trade_status(known.status, TradeEvent.SETTLE if settled else TradeEvent.FAIL)
    reason = None if isinstance(fact, TradeSettled) else fact.reason
    _update(connection, fact.trade_id, status=status.value, block_number=block_number, failure=reason)


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


def _select(connection: Connection, where: object) -> list[Instruction]:
    fields = [_columns[name] for name in Instruction._fields]
    rows = connection.execute(select(*fields).where(where).order_by(_columns.trade_id))  # type: ignore[arg-type]
    return [Instruction(*row)._replace(status=TradeStatus(row.status)) for row in rows]


def _update(connection: Connection, trade_id: int, **values: object) -> None:
    connection.execute(update(instructions).where(_columns.trade_id == trade_id).values(**values))
