# SPDX-License-Identifier: Apache-2.0
"""Brings final blocks to the venue: tails the ledger's feed and journals each block before it decides anything."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from stoken.db import reading
from stoken.errors import UnavailableError
from stoken.ledger.feed import FeedBlock, decode_facts, final_blocks
from stoken.orders.actor import VenueActor
from stoken.orders.entries import BlockApplied, LedgerHealthChanged
from stoken.orders.venue import Venue

#: Blocks a look at the feed takes.
_BLOCKS_MAX: Final = 500
_NO_FACTS: Final = decode_facts(b"\x90")

#: Trades whose whole transaction failed, by block, for a span of blocks (first, last).
FailedTrades = Callable[[Connection, int, int], Mapping[int, tuple[int, ...]]]


def _none_failed(_connection: Connection, _first: int, _last: int) -> Mapping[int, tuple[int, ...]]:
    return {}


class BlockFeed:
    """Follows work's database, read only; the venue's journal remembers how far it got."""

    def __init__(
        self,
        actor: VenueActor,
        ledger: Engine,
        failed_trades: FailedTrades = _none_failed,
        pause_seconds: float = 0.05,
    ) -> None:
        """Take the venue, the database to follow, and how long to wait where nothing is new."""
        self._actor = actor
        self._ledger = ledger
        self._failed_trades = failed_trades
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Follow until cancelled, or until the actor ends."""
        while True:
            try:
                behind = await self.step()
            except UnavailableError:
                return
            if not behind:
                await asyncio.sleep(self._pause_seconds)

    async def step(self) -> bool:
        """Journal the next blocks; return whether more were waiting than one look takes.

        A database that does not answer makes the venue refuse orders until it does.
        """
        at, current = await self._actor.read(_standing)
        try:
            blocks, failed = await asyncio.to_thread(self._next, at)
        except SQLAlchemyError:
            await self._tell(current=False, before=current)
            return False
        entries = [
            BlockApplied(
                0, block.number, block.hash, block.time, decode_facts(block.facts), failed.get(block.number, ())
            )
            for block in _telling(blocks, failed)
        ]
        # Tasks enter the actor's queue in the order in which they are made, and share its group commits.
        await asyncio.gather(*(self._actor.submit(entry) for entry in entries))
        await self._tell(current=True, before=current)
        return len(blocks) == _BLOCKS_MAX

    def _next(self, at: int) -> tuple[list[FeedBlock], Mapping[int, tuple[int, ...]]]:
        with reading(self._ledger) as connection:
            blocks = final_blocks(connection, at, _BLOCKS_MAX)
            if not blocks:
                return [], {}
            return blocks, self._failed_trades(connection, blocks[0].number, blocks[-1].number)

    async def _tell(self, *, current: bool, before: bool) -> None:
        if current != before:
            await self._actor.submit(LedgerHealthChanged(0, current))


def _standing(venue: Venue) -> tuple[int, bool]:
    return venue.state.chain.block_number, venue.state.ledger_current


def _telling(blocks: list[FeedBlock], failed: Mapping[int, tuple[int, ...]]) -> list[FeedBlock]:
    """Leave out blocks that say nothing, but for the last: a verdict names the last final block."""
    return [
        block
        for block in blocks
        if block is blocks[-1] or block.number in failed or decode_facts(block.facts) != _NO_FACTS
    ]
