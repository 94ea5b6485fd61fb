# SPDX-License-Identifier: Apache-2.0
"""The running comparison of the ledger with the chain: a few rows at a time, round and round, at a set pace."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, Engine, select

from stoken.db import bulk, reading, unit_of_work
from stoken.errors import UnavailableError
from stoken.ledger import breaks, tables
from stoken.ledger.questions import QUESTIONS
from stoken.ledger.verification import Difference, Verification
from stoken.mirror.store import Checkpoint
from stoken.telemetry.metrics import Counts

#: Rows of one batch at most; each asks the node one to six calls.
ROWS_MAX: Final = 200
_SECOND_NS: Final = 1_000_000_000
_TABLES: Final = tuple(QUESTIONS)
_log = structlog.get_logger(__name__)


class Swept(NamedTuple):
    """Where the comparison stands: the table, the last key compared in it, rows so far, and the last full round."""

    table: str = _TABLES[0]
    row_key: bytes | None = None
    rows: int = 0
    completed_at_ns: int = 0
    completed_rows: int = 0


class Sweep:
    """Compares on; `Verification` says with what, and the database remembers how far."""

    def __init__(self, engine: Engine, verification: Verification, clock: Callable[[], int]) -> None:
        """Take the database of `work`, what compares, and a clock in nanoseconds UTC."""
        self._engine = engine
        self._verification = verification
        self._clock = clock

    def advance(self, limit: int = ROWS_MAX) -> tuple[int, list[Difference]]:
        """Compare the next rows, open a case for each difference, and return rows and differences.

        Raises LedgerUnavailableError where the node does not answer, or no longer has the state of the block.
        """
        with reading(self._engine) as connection:
            swept = read_sweep(connection)
            after = None if swept.row_key is None else tuple(msgspec.msgpack.decode(swept.row_key))
            found = self._verification.batch(connection, swept.table, after, limit)
            is_last = found.last is None and swept.table == _TABLES[-1]
            differences = found.differences + (self._verification.totals(connection) if is_last else [])
        self._note(_following(swept, found.rows, found.last, self._clock()), differences, found.at)
        return found.rows, differences

    def _note(self, swept: Swept, differences: list[Difference], at: Checkpoint) -> None:
        with unit_of_work(self._engine) as connection:
            breaks.open_cases(connection, differences, at, self._clock())
            bulk.upsert_rows(connection, tables.ledger_sweep, [(1, *swept)])


class VerifyStep:
    """The sweep as a step of the worker, `rows` a second."""

    def __init__(self, sweep: Sweep, rows: int, clock: Callable[[], int], counts: Counts | None = None) -> None:
        """Take the sweep, its pace, and a clock in nanoseconds; a pace of zero never compares."""
        self._counts = counts or Counts()
        self._sweep = sweep
        self._rows = rows
        self._clock = clock
        self._due_at_ns = 0

    def execute(self) -> int:
        """Compare what is due; never counts as work, or the worker would not rest between two batches."""
        now = self._clock()
        if self._rows and now >= self._due_at_ns:
            limit = min(self._rows, ROWS_MAX)
            self._due_at_ns = now + limit * _SECOND_NS // self._rows
            try:
                compared, _ = self._sweep.advance(limit)
                self._counts.add("stoken_ledger_verified_rows_total", compared)
            except UnavailableError as error:
                # The other steps must not wait for this one: the node may only have let go of the block's state.
                _log.warning("verify.unavailable", reason=str(error))
        return 0


def read_sweep(connection: Connection) -> Swept:
    """Return where the comparison stands; at its start where it never ran."""
    row = connection.execute(select(tables.ledger_sweep)).one_or_none()
    return Swept() if row is None else Swept(*row[1:])


def _following(swept: Swept, rows: int, last: tuple[Any, ...] | None, now_ns: int) -> Swept:
    rows += swept.rows
    if last is not None:
        return swept._replace(row_key=msgspec.msgpack.encode(last), rows=rows)
    at = _TABLES.index(swept.table) + 1
    if at < len(_TABLES):
        return swept._replace(table=_TABLES[at], row_key=None, rows=rows)
    return Swept(completed_at_ns=now_ns, completed_rows=rows)
