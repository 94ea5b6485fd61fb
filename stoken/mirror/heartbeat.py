# SPDX-License-Identifier: Apache-2.0
"""The mirror's sign of life: when it last looked at the node, and how far it stood behind the head."""

from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, select

from stoken.db import bulk, unit_of_work
from stoken.mirror import tables

#: A sign of life a second is enough, and costs one small commit.
_PERIOD_NS: Final = 1_000_000_000
#: Older than this, the worker or its node is gone.
STALE_NS: Final = 10_000_000_000
#: Further behind than this, the mirror is catching up.
LAG_BLOCKS_MAX: Final = 5


class Beat(NamedTuple):
    """A look at the node: UTC in nanoseconds, blocks between the mirror and the head, and the work since the last."""

    looked_at_ns: int = 0
    lag_blocks: int = 0
    period_ns: int = 0
    blocks: int = 0
    logs: int = 0


class Heartbeat:
    """Writes beats for the one mirror of a database."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        """Take the mirror's database and a clock in nanoseconds UTC."""
        self._engine = engine
        self._clock = clock
        self._last = Beat()
        self._blocks = 0
        self._logs = 0

    def beat(self, lag_blocks: int, blocks: int = 0, logs: int = 0) -> None:
        """Note a look at the node that was answered; the mirror says how far it stands behind, and what it wrote."""
        now = self._clock()
        self._blocks += blocks
        self._logs += logs
        late = now - self._last.looked_at_ns >= _PERIOD_NS
        if late or (lag_blocks > LAG_BLOCKS_MAX) != (self._last.lag_blocks > LAG_BLOCKS_MAX):
            # The first beat of a process has no period behind it.
            period = now - self._last.looked_at_ns if self._last.looked_at_ns else 0
            self._last = Beat(now, lag_blocks, period, self._blocks, self._logs)
            self._blocks = self._logs = 0
            with unit_of_work(self._engine) as connection:
                bulk.upsert_rows(connection, tables.heartbeat, [(1, *self._last)])


def last_beat(connection: Connection) -> Beat | None:
    """Return the mirror's last sign of life, None where it never looked."""
    row = connection.execute(select(tables.heartbeat)).one_or_none()
    return None if row is None else Beat(*row[1:])


def is_current(connection: Connection, now_ns: int) -> bool:
    """Say whether the mirror looked at its node a moment ago and stood near the head."""
    last = last_beat(connection)
    return last is not None and now_ns - last.looked_at_ns <= STALE_NS and last.lag_blocks <= LAG_BLOCKS_MAX
