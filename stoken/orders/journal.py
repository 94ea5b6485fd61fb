# SPDX-License-Identifier: Apache-2.0
"""The journal in the database: appended in groups by the one actor that holds the lease, read by anybody."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, bindparam, insert, select, update

from stoken.db.bulk import insert_rows
from stoken.db.engine import reading, unit_of_work
from stoken.errors import StartupError
from stoken.orders.replay import JournalRow
from stoken.orders.tables import journal, lease
from stoken.telemetry import failpoints

_LEASE_ID = 1
_CHUNK = 5_000
# Built once: it runs with every group commit, on the hot path of orders.
_KEEP_LEASE = (
    update(lease).where(lease.c.id == _LEASE_ID, lease.c.epoch == bindparam("held")).values(epoch=bindparam("held"))
)


class LeaseLostError(StartupError):
    """Another actor took the journal over; this one must end."""

    code = "LEASE_LOST"
    title = "Another gateway took over the venue."


class Journal:
    """The journal of one database; an epoch, once taken over by another actor, appends nothing more."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine of the market's database; nothing is read yet."""
        self._engine = engine
        self._epoch = 0

    def take_over(self) -> int:
        """Begin a new epoch and return it; whoever held the journal before can append no more."""
        with unit_of_work(self._engine) as connection:
            held = connection.execute(
                select(lease.c.epoch).where(lease.c.id == _LEASE_ID).with_for_update()
            ).scalar_one_or_none()
            self._epoch = (held or 0) + 1
            if held is None:
                connection.execute(insert(lease).values(id=_LEASE_ID, epoch=self._epoch))
            else:
                connection.execute(update(lease).where(lease.c.id == _LEASE_ID).values(epoch=self._epoch))
        return self._epoch

    def append(self, rows: Sequence[JournalRow]) -> None:
        """Make rows durable in one commit; raises LeaseLostError, and appends nothing, without the lease."""
        with unit_of_work(self._engine) as connection:
            # The update locks the lease's row, so that a take-over waits for this commit or prevents it.
            kept = connection.execute(_KEEP_LEASE, {"held": self._epoch})
            if kept.rowcount != 1:
                raise LeaseLostError
            insert_rows(connection, journal, [(row.sequence, self._epoch, row.entry, row.outcome) for row in rows])
        failpoints.reach("journal.committed")

    def rows(self, after: int = 0) -> Iterator[JournalRow]:
        """Yield the rows after a sequence number, in order, a chunk at a time."""
        while chunk := read_rows(self._engine, after, _CHUNK):
            yield from chunk
            after = chunk[-1].sequence


def read_rows(engine: Engine, after: int, limit: int) -> list[JournalRow]:
    """Return up to `limit` committed rows after a sequence number: what settlement tails."""
    columns = (journal.c.sequence, journal.c.entry, journal.c.outcome)
    statement = select(*columns).where(journal.c.sequence > after).order_by(journal.c.sequence).limit(limit)
    with reading(engine) as connection:
        return [JournalRow(*row) for row in connection.execute(statement)]
