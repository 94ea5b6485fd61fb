# SPDX-License-Identifier: Apache-2.0
"""Plays a seed from its first tick to its rest, with a witness who looks after each."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stoken.db import open_engine, schema
from tests.simulation.faults.invariants import Witness
from tests.simulation.faults.world import World

TICKS: Final = 40


def migrate(path: Path) -> None:
    """Make the database that every world begins with."""
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    engine.dispose()


@contextmanager
def world_of(seed: int, template: Path) -> Iterator[World]:
    path = template.with_name(f"seed{seed}.db")
    shutil.copy(template, path)
    world = World(seed, path)
    try:
        yield world
    finally:
        world.close()
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


def play(seed: int, template: Path) -> World:
    """Play a seed to its end and check every invariant."""
    with world_of(seed, template) as world:
        witness = Witness(world)
        for _ in world.run(TICKS):
            witness.look()
        for _ in world.settle():
            witness.look()
        witness.conclude()
        return world
