# SPDX-License-Identifier: Apache-2.0
"""The mirror says when it last looked, and how far it stood behind."""

from sqlalchemy import Engine

from stoken.db import reading, unit_of_work
from stoken.mirror import store
from stoken.mirror.heartbeat import Heartbeat, Limits, health
from stoken.mirror.roots import Roots, write_roots

SECOND = 1_000_000_000


class Clock:
    now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def current(engine: Engine, at: int) -> bool:
    with reading(engine) as connection:
        return health(connection, at).current


class TestHealth:
    def test_a_mirror_that_never_looked_is_not_current(self, engine: Engine) -> None:
        assert not current(engine, 0)

    def test_a_beat_lasts_until_it_is_stale(self, engine: Engine) -> None:
        clock = Clock()
        Heartbeat(engine, clock).beat(0)
        assert current(engine, clock.now + Limits().stale_ns)
        assert not current(engine, clock.now + Limits().stale_ns + 1)

    def test_a_mirror_that_falls_behind_says_so_at_once(self, engine: Engine) -> None:
        clock = Clock()
        heartbeat = Heartbeat(engine, clock)
        heartbeat.beat(Limits().lag_blocks)
        assert current(engine, clock.now)
        heartbeat.beat(Limits().lag_blocks + 1)
        assert not current(engine, clock.now)
        heartbeat.beat(0)
        assert current(engine, clock.now)

    def test_says_why_and_how_far_the_chain_is(self, engine: Engine) -> None:
        clock, limits = Clock(), Limits(lag_blocks=2, stale_ns=3 * SECOND)
        with unit_of_work(engine) as connection:
            assert health(connection, 0).reason == "never_looked"
            store.write_checkpoint(connection, store.Checkpoint(40, bytes(32), 40))
            write_roots(connection, Roots(39))
        Heartbeat(engine, clock, limits).beat(3)
        with unit_of_work(engine) as connection:
            assert health(connection, clock.now, limits) == (False, "behind", 43)
            assert health(connection, clock.now, Limits(lag_blocks=3)) == (False, "unverified", 43)
            write_roots(connection, Roots(40))
        with reading(engine) as connection:
            assert health(connection, clock.now + 4 * SECOND, limits) == (False, "stale", 43)
            assert health(connection, clock.now, Limits(lag_blocks=3)) == (True, "", 43)

    def test_a_chain_that_stops_is_noticed_within_its_idle_limit_and_one_that_may_rest_is_not(
        self, engine: Engine
    ) -> None:
        clock, limits = Clock(), Limits(idle_ns=30 * SECOND)
        heartbeat = Heartbeat(engine, clock, limits)
        heartbeat.beat(0, blocks=1)
        for _ in range(30):
            clock.now += SECOND
            heartbeat.beat(0)
        with reading(engine) as connection:
            assert health(connection, clock.now, limits).current
            assert health(connection, clock.now + 1, limits) == (False, "idle", -1)
            assert health(connection, clock.now + 1).current
        clock.now += SECOND
        heartbeat.beat(0, blocks=1)
        with reading(engine) as connection:
            assert health(connection, clock.now, limits).current
