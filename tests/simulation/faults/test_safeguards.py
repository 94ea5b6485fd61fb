# SPDX-License-Identifier: Apache-2.0
"""Without any one of its safeguards the product breaks an invariant in some world: the simulator would see it."""

from contextlib import suppress
from itertools import count
from typing import Final

import pytest
from sqlalchemy.exc import IntegrityError

from stoken.errors import LedgerUnavailableError, StartupError
from tests.simulation.faults.invariants import Witness
from tests.simulation.faults.playing import play, world_of
from tests.simulation.faults.process import Worker
from tests.simulation.faults.safeguards import PARENT_HASH, SAFEGUARDS, without
from tests.simulation.faults.stores import SqliteStore
from tests.simulation.faults.world import FINALITY

SEEDS_MAX: Final = 200
#: How a world breaks: by an invariant, by a start that is refused, by a row that contradicts another.
BROKEN: Final = (AssertionError, StartupError, ValueError, IntegrityError)


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_it_some_world_breaks(name: str, store: SqliteStore) -> None:
    first = SAFEGUARDS[name][1]
    with without(name):
        # Whatever changes how often the node is asked changes the worlds: then another seed breaks.
        for seed in (first, *range(SEEDS_MAX)):
            try:
                play(seed, store)
            except BROKEN:
                return
    pytest.fail(f"{SEEDS_MAX} worlds hold without {name}")


def read_amid_a_reorg(store: SqliteStore) -> None:
    """Let the chain change between the mirror's look for a fork and its reading of the next block."""
    with world_of(0, store) as world:
        world.finality = FINALITY
        for _ in range(6):
            world.node.mine()
        worker = Worker(world, "one")
        worker.mirror.run_to_head()
        world.node.mine()
        questions = count(1)
        # The head, the block that the mirror stands on, and then the next block.
        world.node.between = lambda: world.node.reorg(2) if next(questions) == 3 else None
        with suppress(LedgerUnavailableError):
            worker.mirror.execute()
        witness = Witness(world)
        witness.look()
        worker.mirror.run_to_head()
        witness.look()


def test_a_block_is_read_amid_a_reorg(store: SqliteStore) -> None:
    read_amid_a_reorg(store)


def test_without_parent_hashes_blocks_of_two_branches_follow_each_other(store: SqliteStore) -> None:
    with without(PARENT_HASH), pytest.raises(AssertionError, match="I2"):
        read_amid_a_reorg(store)
