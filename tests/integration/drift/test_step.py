# SPDX-License-Identifier: Apache-2.0
"""The alarm on a live node: silent while both say the same, and loud where an event was lost on the way."""

import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from stoken.chain.reverts import decode_revert
from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.drift import records
from stoken.drift.step import DriftStep
from stoken.ledger import tables as ledger
from tests.integration.compliance.test_conformance import steps
from tests.integration.compliance.world import World

_SECOND = 1_000_000_000


class Watch:
    """A step over a world, with a clock of its own."""

    def __init__(self, world: World, samples: int = 40) -> None:
        self.world = world
        self.now = 1_000 * _SECOND
        chooser = random.Random(1)  # noqa: S311 - a seed, no secret
        self.step = DriftStep(world.engine, world.rpc, world.suite.contracts, 10, samples, lambda: self.now, chooser)

    def look(self) -> int:
        self.now += 10 * _SECOND
        return self.step.execute()

    def found(self) -> list[records.Drift]:
        with reading(self.world.engine) as connection:
            return records.drifts(connection)


@pytest.fixture
def world(rpc: RpcClient, tmp_path: Path) -> World:
    world = World(rpc, tmp_path)
    assert world.on_token("unpause") == "0x1"
    return world


def lose_events(world: World, number: int) -> None:
    """Take a block's facts from the feed, as a mirror would that missed them."""
    with unit_of_work(world.engine) as connection:
        connection.execute(update(ledger.blocks).where(ledger.blocks.c.number == number).values(facts=b"\x90"))


class TestDriftStep:
    def test_it_is_silent_while_both_say_the_same(self, world: World) -> None:
        watch, choose = Watch(world), random.Random(3)  # noqa: S311
        for _ in range(8):
            choose.choice(list(steps(world, choose)))()
            assert watch.look() == 0
        assert watch.found() == []

    def test_a_lost_event_raises_the_alarm_and_is_counted(self, world: World) -> None:
        assert world.on_token("pause") == "0x1"
        lose_events(world, world.state.block_number)
        watch = Watch(world)
        assert watch.look() > 0
        (drift,) = watch.found()
        assert (drift.difference.token, drift.difference.block_number) == (world.token, world.state.block_number)
        assert drift.difference.block_hash == world.state.block_hash
        assert decode_revert(drift.difference.chain).refusal is Refusal.TOKEN_PAUSED
        assert drift.difference.local != drift.difference.chain
        assert drift.is_open
        seen = drift.seen
        watch.look()
        (again,) = watch.found()
        assert again.seen > seen

    def test_resolved_it_is_found_anew_while_the_difference_lasts(self, world: World) -> None:
        assert world.on_token("pause") == "0x1"
        lose_events(world, world.state.block_number)
        watch = Watch(world)
        watch.look()
        with unit_of_work(world.engine) as connection:
            records.resolve(connection, 1, "operator", "a mistake", watch.now)
        watch.look()
        assert [drift.is_open for drift in watch.found()] == [False, True]
        assert world.on_token("unpause") == "0x1"
        with unit_of_work(world.engine) as connection:
            records.resolve(connection, 2, "operator", "the token is open on both sides", watch.now)
        assert watch.look() == 0
        assert [drift.is_open for drift in watch.found()] == [False, False]

    def test_nothing_is_asked_before_its_time_or_where_it_is_off(self, world: World) -> None:
        assert world.on_token("pause") == "0x1"
        lose_events(world, world.state.block_number)
        off = Watch(world, samples=0)
        assert off.look() == 0
        watch = Watch(world)
        assert watch.look() > 0
        watch.now += 9 * _SECOND
        assert watch.step.execute() == 0
        watch.now += _SECOND
        assert watch.step.execute() > 0

    def test_a_node_on_another_branch_is_not_compared_with(self, world: World) -> None:
        assert world.on_token("pause") == "0x1"
        lose_events(world, world.state.block_number)
        number = world.state.block_number
        with unit_of_work(world.engine) as connection:
            connection.execute(update(ledger.blocks).where(ledger.blocks.c.number == number).values(hash=b"?" * 32))
        watch = Watch(world)
        assert watch.look() == 0
        assert watch.found() == []

    def test_a_full_disk_ends_it_for_a_period_and_it_starts_anew(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert world.on_token("pause") == "0x1"
        lose_events(world, world.state.block_number)
        connect = sqlite3.connect

        def small(*args: Any, **changed: Any) -> sqlite3.Connection:  # noqa: ANN401
            file = connect(*args, **changed)
            file.executescript("PRAGMA page_size=512; PRAGMA max_page_count=2")
            return file

        with monkeypatch.context() as full:
            full.setattr(sqlite3, "connect", small)
            watch = Watch(world)
            assert [watch.look() for _ in range(3)] == [0, 0, 0]
        assert watch.look() == 0
        watch.now += 9 * _SECOND
        assert watch.step.execute() == 0
        assert watch.look() > 0

    def test_of_a_few_accounts_each_is_asked_about_alike(self, world: World) -> None:
        watch = Watch(world)
        watch.look()
        accounts = list(world.state.accounts)
        chosen = Counter(watch.step._account() for _ in range(200 * len(accounts)))  # noqa: SLF001 - a choice inside
        assert chosen.keys() == set(accounts)
        assert max(chosen.values()) < 2 * min(chosen.values())
