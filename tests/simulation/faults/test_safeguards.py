# SPDX-License-Identifier: Apache-2.0
"""Without any one of its safeguards the product breaks an invariant in some world: the simulator would see it."""

from contextlib import suppress
from itertools import count
from random import Random
from typing import Final

import pytest
from sqlalchemy.exc import IntegrityError

from stoken.errors import LedgerUnavailableError, StartupError
from stoken.mirror.step import ReorgTooDeepError
from tests.simulation.faults import chain
from tests.simulation.faults.invariants import Witness
from tests.simulation.faults.node import SecondNode
from tests.simulation.faults.playing import play, world_of
from tests.simulation.faults.process import DirectClient, SeededExecutor, Worker
from tests.simulation.faults.safeguards import BLOOM, PARENT_HASH, READ_AHEAD, ROOTS, SAFEGUARDS, WITNESS, without
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
        witness = Witness(world, verified=False)
        witness.look()
        worker.mirror.run_to_head()
        witness.look()


def test_a_block_is_read_amid_a_reorg(store: SqliteStore) -> None:
    read_amid_a_reorg(store)


def test_without_parent_hashes_blocks_of_two_branches_follow_each_other(store: SqliteStore) -> None:
    with without(PARENT_HASH), pytest.raises(AssertionError, match="I2"):
        read_amid_a_reorg(store)


def read_a_range_that_lacks_a_log(store: SqliteStore) -> None:
    """Let the node leave out one log of each range while the mirror catches up."""
    with world_of(0, store) as world:
        world.node.faults = {"missing_log": 1.0}
        for _ in range(20):
            world.node.mine()
        worker = Worker(world, "one")
        witness = Witness(world, verified=False)
        for _ in range(3):
            with suppress(LedgerUnavailableError):
                worker.mirror.execute()
            witness.look()
        world.node.faults = {}
        worker.mirror.run_to_head()
        witness.look()


def test_a_range_that_lacks_a_log_is_not_written(store: SqliteStore) -> None:
    read_a_range_that_lacks_a_log(store)


def test_without_bloom_and_log_index_it_is(store: SqliteStore) -> None:
    with without(BLOOM), pytest.raises(AssertionError, match="I2"):
        read_a_range_that_lacks_a_log(store)


def miss_a_last_log_that_repeats_another(store: SqliteStore) -> None:
    """Let the node leave out the second of two credits to one account: indices and bloom do not show it."""
    with world_of(0, store) as world:
        world.second, node = None, world.node
        for nonce in range(2):
            node.pool[b"\xfd" * 20, nonce] = chain.Tx(
                bytes((nonce,)) * 32, b"\xfd" * 20, nonce, 50_000, b"r", b"\xca" * 20, 5
            )
        while node.pool:
            node.mine()
        for _ in range(20):
            node.mine()
        node.faults = {"missing_log": 1.0}
        worker = Worker(world, "one")
        for _ in range(200):
            with suppress(LedgerUnavailableError):
                worker.mirror.execute()
        node.faults = {}
        worker.mirror.run_to_head()
        witness = Witness(world)
        while worker.steps["roots"].execute():
            witness.look()
        assert world.heal() == 1
        while worker.steps["roots"].execute():
            witness.look()


def test_a_last_log_that_repeats_another_is_found_by_the_pass_over_history(store: SqliteStore) -> None:
    miss_a_last_log_that_repeats_another(store)


def test_without_the_pass_it_is_missed(store: SqliteStore) -> None:
    with without(ROOTS), pytest.raises(AssertionError, match="I2"):
        miss_a_last_log_that_repeats_another(store)


def read_ahead_of_a_reorg(store: SqliteStore) -> None:
    """Let the chain change after a range was read ahead, and before it is wanted."""
    with world_of(0, store) as world:
        world.finality, world.second, world.window = FINALITY, None, (1_000, 20_000)
        for _ in range(20):
            world.node.mine()
        worker = Worker(world, "one")
        worker.mirror._ahead._executor = SeededExecutor(Random(0))  # type: ignore[assignment]  # noqa: S311, SLF001
        worker.mirror.execute()
        world.node.reorg(FINALITY)
        worker.mirror.run_to_head()
        witness = Witness(world, verified=False)
        witness.look()
        worker.mirror.run_to_head()
        witness.look()


def test_a_range_is_read_ahead_of_a_reorg(store: SqliteStore) -> None:
    read_ahead_of_a_reorg(store)


def test_without_its_check_what_was_read_ahead_of_a_reorg_becomes_final(store: SqliteStore) -> None:
    with without(READ_AHEAD), pytest.raises(ReorgTooDeepError):
        read_ahead_of_a_reorg(store)


def follow_a_node_that_is_parted(store: SqliteStore) -> None:
    """Let the first node go on alone for a while, beside a second one that is not."""
    with world_of(0, store) as world:
        world.finality, world.second, world.required = FINALITY, SecondNode(world.node), True
        world.second_rpc = DirectClient(world.second.exchange)
        for _ in range(6):
            world.node.mine()
        worker = Worker(world, "one")
        worker.mirror.run_to_head()
        world.node.part(1, 2, known=False)
        witness = Witness(world, verified=False)
        for _ in range(3):
            with suppress(LedgerUnavailableError):
                worker.mirror.execute()
            witness.look()
        world.node.branch = None
        worker.mirror.run_to_head()
        witness.look()
        world.second_rpc.close()


def test_a_parted_node_is_not_followed(store: SqliteStore) -> None:
    follow_a_node_that_is_parted(store)


def test_without_a_second_node_a_parted_one_is_followed(store: SqliteStore) -> None:
    with without(WITNESS), pytest.raises(AssertionError, match="I2"):
        follow_a_node_that_is_parted(store)
