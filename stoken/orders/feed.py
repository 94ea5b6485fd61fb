# SPDX-License-Identifier: Apache-2.0
"""Brings final blocks to the venue: tails the ledger's feed and journals each block before it decides anything."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from stoken.db import reading
from stoken.domain.facts import Address, MemberId
from stoken.domain.order_states import TradeStatus
from stoken.errors import UnavailableError
from stoken.ledger.feed import FeedBlock, decode_facts, final_blocks
from stoken.orders.actor import VenueActor
from stoken.orders.entries import BlockApplied, LedgerHealthChanged
from stoken.orders.venue import Venue

#: Blocks a look at the feed takes.
_BLOCKS_MAX: Final = 500
_NO_FACTS: Final = decode_facts(b"\x90")
_ALL_TOKENS: Final[Address] = b""
_log = structlog.get_logger(__name__)

#: Trades whose whole transaction failed for good, as (position, trade id) above a position: no event tells of them.
FailedTrades = Callable[[Connection, int], Sequence[tuple[int, int]]]


class LedgerHealth(NamedTuple):
    """What the venue is told of the ledger, in the order of the entry's fields; `reason` is for the log."""

    current: bool
    #: The tokens of which the ledger differs from the chain, in ascending order; an empty one stands for all.
    halted: tuple[Address, ...] = ()
    head: int = -1
    reason: str = ""
    #: Tokens and institutions of which a quantity invariant is broken, likewise.
    broken: tuple[Address, ...] = ()
    institutions: tuple[MemberId, ...] = ()
    #: The last block whose receipts hash to its root: what is above may lack a log, and is not journaled yet.
    verified: int = sys.maxsize


#: Whether the ledger in this database follows its chain closely enough for orders to be judged by it.
ReadHealth = Callable[[Connection], LedgerHealth]


def _none_failed(_connection: Connection, _position: int) -> Sequence[tuple[int, int]]:
    return ()


def _healthy(_connection: Connection) -> LedgerHealth:
    return LedgerHealth(current=True)


class BlockFeed:
    """Follows work's database, read only; the venue's journal remembers how far it got."""

    def __init__(
        self,
        actor: VenueActor,
        ledger: Engine,
        failed_trades: FailedTrades = _none_failed,
        health: ReadHealth = _healthy,
        pause: timedelta = timedelta(milliseconds=50),
    ) -> None:
        """Take the venue, the database to follow, and how long to wait where nothing is new."""
        self._actor = actor
        self._ledger = ledger
        self._failed_trades = failed_trades
        #: From the start again in each process: the venue ignores what it knows.
        self._failures_seen = 0
        self._health = health
        self._pause = pause

    async def run(self) -> None:
        """Follow until cancelled, or until the actor ends."""
        while True:
            try:
                behind = await self.step()
            except UnavailableError:
                return
            if not behind:
                await asyncio.sleep(self._pause.total_seconds())

    async def step(self) -> bool:
        """Journal the next blocks; return whether more were waiting than one look takes.

        A database that does not answer, or whose mirror is not current, makes the venue refuse orders until it does.
        """
        at, before = await self._actor.read(_standing)
        try:
            blocks, failed, health = await asyncio.to_thread(self._next, at)
        except SQLAlchemyError:
            await self._tell(before._replace(current=False, reason="database"), before)
            return False
        unknown = await self._actor.read(lambda venue: _unknown(venue, failed))
        entries = [
            # A failure is told with the next block that comes: nothing depends on which.
            BlockApplied(0, block.number, block.hash, block.time, decode_facts(block.facts), unknown if last else ())
            for last, block in _telling(blocks)
        ]
        # Tasks enter the actor's queue in the order in which they are made, and share its group commits.
        await asyncio.gather(*(self._actor.submit(entry) for entry in entries))
        if blocks and failed:
            self._failures_seen = failed[-1][0]
        await self._tell(health, before)
        return len(blocks) == _BLOCKS_MAX

    def _next(self, at: int) -> tuple[list[FeedBlock], Sequence[tuple[int, int]], LedgerHealth]:
        with reading(self._ledger) as connection:
            health = self._health(connection)
            blocks = [each for each in final_blocks(connection, at, _BLOCKS_MAX) if each.number <= health.verified]
            failed = self._failed_trades(connection, self._failures_seen) if blocks else ()
            return blocks, failed, health

    async def _tell(self, health: LedgerHealth, before: LedgerHealth) -> None:
        current = health.current and _ALL_TOKENS not in health.halted
        if _told(health._replace(current=current)) == _told(before):
            return
        # The staleness log: what the journal's entry says, with the reason, for whoever watches.
        log = _log.info if current else _log.warning
        halted = [f"0x{token.hex()}" for token in health.halted]
        log("ledger.health", current=current, reason=health.reason, head=health.head, halted=halted)
        await self._actor.submit(
            LedgerHealthChanged(0, current, health.halted, health.head, health.broken, health.institutions)
        )


def _told(health: LedgerHealth) -> LedgerHealth:
    """Leave out what is no news to the venue."""
    return health._replace(head=-1, reason="", verified=-1)


def _standing(venue: Venue) -> tuple[int, LedgerHealth]:
    state = venue.state
    health = LedgerHealth(
        state.ledger_current,
        state.halted_tokens,
        state.ledger_head,
        broken=state.broken_tokens,
        institutions=state.broken_institutions,
    )
    return state.chain.block_number, health


def _unknown(venue: Venue, failed: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Return the failed trades of which the venue has not heard."""
    trades = venue.state.trades
    return tuple(
        trade_id for _, trade_id in failed if trade_id not in trades or trades[trade_id].status is TradeStatus.MATCHED
    )


def _telling(blocks: list[FeedBlock]) -> list[tuple[bool, FeedBlock]]:
    """Leave out blocks that say nothing, but for the last (marked): a verdict names the last final block."""
    return [
        (block is blocks[-1], block)
        for block in blocks
        if block is blocks[-1] or decode_facts(block.facts) != _NO_FACTS
    ]
