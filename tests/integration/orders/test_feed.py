# SPDX-License-Identifier: Apache-2.0
"""Final blocks on their way from the ledger to the venue."""

import asyncio
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, schema
from stoken.domain.rulebook import Rulebook
from stoken.orders.actor import VenueActor
from stoken.orders.entries import BlockApplied, Entry, LedgerHealthChanged, VenueOpened, decode
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.orders.journal import Journal
from tests.consortium import VENUE
from tests.integration.compliance.world import World
from tests.requirements import requirement
from tests.unit.orders.factories import CASH_TOKEN, SETTLEMENT


async def opened(folder: Path) -> tuple[VenueActor, Engine]:
    market = open_engine(f"sqlite:///{folder}/market.db")
    schema.upgrade(market)
    actor = VenueActor.open(market)
    await actor.start()
    await actor.submit(VenueOpened(0, VENUE, 31337, SETTLEMENT, CASH_TOKEN, "STKN", Rulebook()))
    return actor, market


def entries_of(market: Engine) -> list[Entry]:
    return [decode(row.entry) for row in Journal(market).rows()]


def blocks_of(market: Engine) -> list[BlockApplied]:
    return [entry for entry in entries_of(market) if isinstance(entry, BlockApplied)]


class TestBlockFeed:
    def test_the_venue_comes_to_the_state_of_the_ledger(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)

        async def play() -> Engine:
            actor, market = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine)
            while await feed.step():
                pass
            assert await actor.read(lambda venue: venue.state.chain.digest()) == world.state.digest()
            # What says nothing is left out, but for the last block, which verdicts name.
            for _ in range(3):
                world.mine()
            await feed.step()
            assert await actor.read(lambda venue: venue.state.chain.block_hash) == world.state.block_hash
            await feed.step()
            await actor.stop()
            return market

        found = blocks_of(asyncio.run(play()))
        assert found[-1].number == world.state.block_number
        assert [block.number for block in found if not block.facts] == [world.state.block_number]

    def test_trades_of_failed_transactions_are_told_once_with_the_next_block(
        self, rpc: RpcClient, tmp_path: Path
    ) -> None:
        world = World(rpc, tmp_path)

        def failed(_connection: Connection, position: int) -> list[tuple[int, int]]:
            return [(1, 7)] if position < 1 else []

        async def play() -> Engine:
            actor, market = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine, failed)
            for _ in range(2):
                world.mine()
                await feed.step()
            await actor.stop()
            return market

        assert [block.failed for block in blocks_of(asyncio.run(play())) if block.failed] == [(7,)]

    @requirement("ORD-14")
    def test_a_mirror_that_is_not_current_stops_orders_until_it_is(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)
        answers = [False, True]

        async def play() -> list[bool]:
            actor, _ = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine, health=lambda _: LedgerHealth(answers.pop(0)))
            seen = []
            for _ in range(2):
                await feed.step()
                seen.append(await actor.read(lambda venue: venue.state.ledger_current))
            await actor.stop()
            return seen

        assert asyncio.run(play()) == [False, True]

    def test_blocks_whose_roots_are_not_verified_reach_no_journal(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)
        upto = world.state.block_number // 2
        closed = LedgerHealth(current=False, reason="unverified", verified=upto)
        answers = [closed, closed._replace(verified=upto + 1), LedgerHealth(current=True, verified=2 * upto + 1)]

        async def play() -> tuple[list[tuple[int, bool]], Engine]:
            actor, market = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine, health=lambda _: answers.pop(0))
            seen = []
            for _ in range(3):
                await feed.step()
                state = await actor.read(lambda venue: venue.state)
                seen.append((state.chain.block_number, state.ledger_current))
            await actor.stop()
            return seen, market

        seen, market = asyncio.run(play())
        assert seen == [(upto, False), (upto + 1, False), (world.state.block_number, True)]
        told = [entry for entry in entries_of(market) if isinstance(entry, LedgerHealthChanged)]
        assert [entry.current for entry in told] == [False, True]

    def test_a_difference_from_the_chain_halts_its_token_or_else_everything(
        self, rpc: RpcClient, tmp_path: Path
    ) -> None:
        world = World(rpc, tmp_path)
        answers: list[tuple[bytes, ...]] = [(world.token,), (b"", world.token), ()]

        async def play() -> list[tuple[bool, tuple[bytes, ...]]]:
            actor, _ = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine, health=lambda _: LedgerHealth(current=True, halted=answers.pop(0)))
            seen = []
            for _ in range(3):
                await feed.step()
                seen.append(await actor.read(lambda venue: (venue.state.ledger_current, venue.state.halted_tokens)))
            await actor.stop()
            return seen

        assert asyncio.run(play()) == [(True, (world.token,)), (False, (b"", world.token)), (True, ())]

    def test_broken_invariants_are_told_to_the_venue_once_and_taken_back(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)
        broken = LedgerHealth(current=True, broken=(world.token,), institutions=(b"BROKER00000000000001",))
        answers = [broken, broken._replace(head=99), LedgerHealth(current=True)]

        async def play() -> tuple[list[tuple[tuple[bytes, ...], tuple[bytes, ...]]], Engine]:
            actor, market = await opened(tmp_path)
            feed = BlockFeed(actor, world.engine, health=lambda _: answers.pop(0))
            seen = []
            for _ in range(3):
                await feed.step()
                seen.append(
                    await actor.read(lambda venue: (venue.state.broken_tokens, venue.state.broken_institutions))
                )
            await actor.stop()
            return seen, market

        seen, market = asyncio.run(play())
        named = ((world.token,), (b"BROKER00000000000001",))
        assert seen == [named, named, ((), ())]
        told = [entry.broken for entry in entries_of(market) if isinstance(entry, LedgerHealthChanged)]
        assert told == [(world.token,), ()]

    def test_without_the_database_orders_are_refused_until_it_answers(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)
        away = create_engine(f"sqlite:///{tmp_path}/nowhere/stoken.db")

        async def play() -> None:
            actor, _ = await opened(tmp_path)
            assert not await BlockFeed(actor, away).step()
            assert not await actor.read(lambda venue: venue.state.ledger_current)
            await BlockFeed(actor, world.engine).step()
            assert await actor.read(lambda venue: venue.state.ledger_current)
            running = asyncio.create_task(BlockFeed(actor, world.engine, pause=timedelta(milliseconds=10)).run())
            await asyncio.sleep(0.05)
            await actor.stop()
            # The feed ends with the actor it feeds.
            await asyncio.wait_for(running, 5)

        asyncio.run(play())
