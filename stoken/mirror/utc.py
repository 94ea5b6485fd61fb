# SPDX-License-Identifier: Apache-2.0
"""The drift log: how far each process's clock was from UTC, kept for the supervisor; it only ever grows.

Block time is another clock: it is stored beside the instants of this one, never in their place.
"""

import socket
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from stoken.db import unit_of_work
from stoken.mirror import tables
from stoken.telemetry.kernel_clock import ClockReading, read_clock

#: The divergence from UTC that stamps may have.
LIMIT_NS: Final = 1_000_000
#: Beyond this no order is taken: its stamp would say another second.
REFUSE_NS: Final = 1_000_000_000
_log = structlog.get_logger(__name__)


class ClockEntry(NamedTuple):
    """One line of the drift log; `within` says whether the clock was kept and near enough to UTC."""

    at_ns: int
    host: str
    process: str
    offset_ns: int
    error_ns: int
    synchronised: bool
    within: bool


class ClockSummary(NamedTuple):
    """The log in figures: lines, those beyond the limit, and the largest offset of a clock that was kept."""

    entries: int
    beyond: int
    offset_ns_max: int


class ClockWatch:
    """Reads the clock at a pace, logs each reading, and raises an alarm when it leaves its limit; a worker's step."""

    def __init__(
        self,
        engine: Engine,
        process: str,
        period_seconds: int,
        clock: Callable[[], int],
        read: Callable[[], ClockReading] = read_clock,
    ) -> None:
        """Take the database, whose clock it is, how often, and the clock itself in nanoseconds UTC."""
        self._engine = engine
        self._process = process
        self._period_ns = period_seconds * 1_000_000_000
        self._clock = clock
        self._read = read
        self._due_at_ns = 0
        self.last: ClockEntry | None = None

    @property
    def refuses(self) -> bool:
        """Tell whether the clock is known to be so wrong that no order may be stamped by it."""
        return self.last is not None and self.last.synchronised and abs(self.last.offset_ns) > REFUSE_NS

    def execute(self) -> int:
        """Log a reading where one is due; never counts as work."""
        now = self._clock()
        # A clock that was put back must not silence the log until it has caught up.
        if now >= self._due_at_ns or now < self._due_at_ns - self._period_ns:
            self._due_at_ns = now + self._period_ns
            self._note(now)
        return 0

    def _note(self, now: int) -> None:
        found = self._read()
        within = found.synchronised and found.divergence_ns <= LIMIT_NS
        entry = ClockEntry(now, socket.gethostname(), self._process, *found, within)
        if not within and (self.last is None or self.last.within):
            _log.error("clock.diverges", process=self._process, **found._asdict())
        elif within and self.last is not None and not self.last.within:
            _log.info("clock.within_limit", process=self._process, **found._asdict())
        self.last = entry
        try:
            with unit_of_work(self._engine) as connection:
                connection.execute(insert(tables.clock_log).values(entry._asdict()))
        except SQLAlchemyError as error:
            # The alarm was raised; a database that is away must not stop whoever asked.
            _log.warning("clock.not_logged", reason=str(error))


def clock_log(connection: Connection, since_ns: int = 0, limit: int = 1_000) -> list[ClockEntry]:
    """Return the newest lines from an instant on, oldest first."""
    at = tables.clock_log.c
    newest = select(tables.clock_log).where(at.at_ns >= since_ns)
    rows = connection.execute(newest.order_by(at.at_ns.desc(), at.host, at.process).limit(limit))
    return [ClockEntry(*row) for row in rows][::-1]


def last_reading(connection: Connection, process: str) -> ClockEntry | None:
    """Return a process's newest line."""
    at = tables.clock_log.c
    newest = select(tables.clock_log).where(at.process == process).order_by(at.at_ns.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else ClockEntry(*row)


def clock_summary(connection: Connection, since_ns: int = 0) -> ClockSummary:
    """Return the figures of the log from an instant on."""
    at = tables.clock_log.c
    lines = select(func.count()).where(at.at_ns >= since_ns)
    largest = select(func.max(func.abs(at.offset_ns))).where(at.at_ns >= since_ns, at.synchronised)
    beyond = connection.execute(lines.where(~at.within)).scalar_one()
    return ClockSummary(connection.execute(lines).scalar_one(), beyond, connection.execute(largest).scalar() or 0)
