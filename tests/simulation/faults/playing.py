# SPDX-License-Identifier: Apache-2.0
"""Plays a seed from its first tick to its rest, with a witness who looks after each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.simulation.faults.invariants import Witness
from tests.simulation.faults.stores import Store
from tests.simulation.faults.world import World

TICKS: Final = 24


@contextmanager
def world_of(seed: int, store: Store) -> Iterator[World]:
    engine = store.open()
    world = World(seed, engine)
    try:
        yield world
    finally:
        world.close()
        store.discard(engine)


def play(seed: int, store: Store) -> World:
    """Play a seed to its end and check every invariant."""
    with world_of(seed, store) as world:
        witness = Witness(world)
        for _ in world.run(TICKS):
            witness.look()
        for _ in world.settle():
            witness.look()
        witness.conclude()
        return world
