# SPDX-License-Identifier: Apache-2.0
"""The venue follows the ledger: final blocks in order, once each, across restarts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Engine, text

from stoken.db import unit_of_work
from stoken.domain.rulebook import Rulebook
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import MinedBlock, store
from stoken.mirror.store import Checkpoint
from stoken.orders.actor import VenueActor
from stoken.orders.entries import BlockApplied, VenueOpened, decode
from stoken.orders.feed import BlockFeed
from stoken.orders.journal import read_rows
from stoken.orders.venue import Venue
from tests.ledger_events import NOBODY, SUITE, TOKEN, address, chain, issue, transfer
from tests.unit.orders.factories import CASH_TOKEN, OPEN_AT, SECOND, SETTLEMENT, VENUE

OPENED = VenueOpened(0, VENUE, 31_337, SETTLEMENT, CASH_TOKEN, "STKN", Rulebook())
BLOCKS = chain([[issue(), transfer(NOBODY, address(1), 100)], [], [], [transfer(address(1), address(2), 30)], []])


def mirror(engine: Engine, blocks: Sequence[MinedBlock], final: int) -> None:
    """Store blocks as the worker would."""
    with unit_of_work(engine) as connection:
        store.insert_blocks(connection, blocks)
        LedgerProjection(SUITE).apply(connection, blocks, final)
        store.write_checkpoint(connection, Checkpoint(blocks[-1].number, blocks[-1].hash, final))


def play(engine: Engine, scene: Callable[[VenueActor, BlockFeed], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever the scene returns
    async def main() -> object:
        actor = VenueActor.open(engine, lambda: OPEN_AT * SECOND)
        await actor.start()
        try:
            if await actor.read(lambda venue: venue.state.opened) is None:
                await actor.submit(OPENED)
            return await scene(actor, BlockFeed(actor, engine))
        finally:
            await actor.stop()

    return asyncio.run(main())


def journalled(engine: Engine) -> list[int]:
    entries = [decode(row.entry) for row in read_rows(engine, 0, 1_000)]
    return [entry.number for entry in entries if isinstance(entry, BlockApplied)]


def balance(venue: Venue, index: int) -> int:
    return venue.state.chain.token(TOKEN).held_by(address(index)).balance


class TestStep:
    def test_blocks_that_say_something_and_the_last_one_are_journalled(self, engine: Engine) -> None:
        mirror(engine, BLOCKS, final=4)

        async def scene(actor: VenueActor, feed: BlockFeed) -> tuple[int, int, int]:
            assert not await feed.step()
            return await actor.read(
                lambda venue: (venue.state.chain.block_number, balance(venue, 1), balance(venue, 2))
            )

        assert play(engine, scene) == (4, 70, 30)
        assert journalled(engine) == [0, 3, 4]

    def test_a_block_that_is_not_final_waits(self, engine: Engine) -> None:
        mirror(engine, BLOCKS, final=2)
        play(engine, lambda _, feed: feed.step())
        assert journalled(engine) == [0, 2]

    def test_a_restart_goes_on_where_the_journal_ends(self, engine: Engine) -> None:
        mirror(engine, BLOCKS[:2], final=1)
        play(engine, lambda _, feed: feed.step())
        mirror(engine, BLOCKS[2:], final=4)
        play(engine, lambda _, feed: feed.step())
        play(engine, lambda _, feed: feed.step())
        assert journalled(engine) == [0, 1, 3, 4]

    def test_a_database_that_does_not_answer_closes_the_market_until_it_does(self, engine: Engine) -> None:
        mirror(engine, BLOCKS, final=4)
        name = "ledger.blocks" if engine.dialect.name == "postgresql" else "ledger_blocks"
        away = name.replace(".", "_") + "_away"

        def rename(before: str, after: str) -> None:
            with unit_of_work(engine) as connection:
                connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

        async def scene(actor: VenueActor, feed: BlockFeed) -> list[bool]:
            seen = []
            rename(name, away)
            for _ in range(2):
                await feed.step()
                seen.append(await actor.read(lambda venue: venue.state.ledger_current))
            schema = "ledger." if engine.dialect.name == "postgresql" else ""
            rename(schema + away, name.partition(".")[2] or name)
            await feed.step()
            return [*seen, await actor.read(lambda venue: venue.state.ledger_current)]

        assert play(engine, scene) == [False, False, True]

    def test_following_ends_with_the_actor(self, engine: Engine) -> None:
        async def scene(actor: VenueActor, feed: BlockFeed) -> None:
            following = asyncio.create_task(feed.run())
            await asyncio.sleep(0.2)
            await actor.stop()
            await asyncio.wait_for(following, 5)

        play(engine, scene)
