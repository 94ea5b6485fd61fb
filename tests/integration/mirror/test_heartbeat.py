# SPDX-License-Identifier: Apache-2.0
"""The mirror says when it last looked, and how far it stood behind."""

from sqlalchemy import Engine

from stoken.db import reading
from stoken.mirror.heartbeat import LAG_BLOCKS_MAX, STALE_NS, Heartbeat, is_current

SECOND = 1_000_000_000


class Clock:
    now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def current(engine: Engine, at: int) -> bool:
    with reading(engine) as connection:
        return is_current(connection, at)


class TestIsCurrent:
    def test_a_mirror_that_never_looked_is_not_current(self, engine: Engine) -> None:
        assert not current(engine, 0)

    def test_a_beat_lasts_until_it_is_stale(self, engine: Engine) -> None:
        clock = Clock()
        Heartbeat(engine, clock).beat(0)
        assert current(engine, clock.now + STALE_NS)
        assert not current(engine, clock.now + STALE_NS + 1)

    def test_a_mirror_that_falls_behind_says_so_at_once(self, engine: Engine) -> None:
        clock = Clock()
        heartbeat = Heartbeat(engine, clock)
        heartbeat.beat(LAG_BLOCKS_MAX)
        assert current(engine, clock.now)
        heartbeat.beat(LAG_BLOCKS_MAX + 1)
        assert not current(engine, clock.now)
        heartbeat.beat(0)
        assert current(engine, clock.now)
