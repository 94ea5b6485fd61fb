# SPDX-License-Identifier: Apache-2.0
"""The venue of a world, as one process: the product's actor, journal and feed, and a loop without threads or time."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from stoken.errors import UnavailableError
from stoken.ledger.breaks import broken, halted_tokens
from stoken.mirror.heartbeat import health
from stoken.mirror.verified import verified_to
from stoken.orders.actor import VenueActor
from stoken.orders.entries import Entry
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.orders.outcomes import Outcome
from stoken.settlement.instructions import failures_after
from tests.simulation.faults.founding import admissions, opening
from tests.simulation.faults.process import LIMITS

if TYPE_CHECKING:
    from stoken.orders.venue import Venue


# Asyncio takes no other executor for its own.
class _Inline(ThreadPoolExecutor):
    """Does work at once, in the thread that asks for it; what comes before may fail in its stead."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        super().__init__(1)
        self._before = before

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:  # type: ignore[explicit-override]  # noqa: ANN401
        done: Future[Any] = Future()
        try:
            self._before()
            done.set_result(work(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever asks, a crash as well
            done.set_exception(error)
        return done


class VenueProcess:
    """One process of the venue, from its start on; `failure` says what ended it."""

    def __init__(self, engine: Engine, clock: Callable[[], int], before_commit: Callable[[], None]) -> None:
        """Take the journal over, and rebuild the venue from it."""
        self._clock = clock
        self._actor = VenueActor.open(engine, clock)
        self._actor._writer = _Inline(before_commit)  # noqa: SLF001 - no thread
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_Inline())
        # Without the task that waits for time to pass: no session ends in these worlds.
        self._serving = self._loop.create_task(self._actor._serve())  # noqa: SLF001
        self._feed = BlockFeed(self._actor, engine, failures_after, self._health)

    @property
    def venue(self) -> "Venue":
        """What the journal's entries have led to."""
        return self._actor._venue  # noqa: SLF001 - looked at between two entries only

    @property
    def failure(self) -> BaseException | None:
        """What ended it, None while it lives."""
        return self._actor.failure

    def found(self) -> None:
        """Open the venue, as `stoken serve` does at its start, and enter what it begins with."""
        if self.venue.state.opened is None:
            self.submit([opening()])
        if len(self.venue.state.accounts) < len(admissions()) - 1:
            self.submit(admissions())

    def submit(self, entries: Sequence[Entry]) -> list[Outcome | None]:
        """Enter all at once, as callers do who do not wait for each other; None for each that got no answer."""

        async def ask() -> list[Outcome | BaseException]:
            return await asyncio.gather(*map(self._actor.submit, entries), return_exceptions=True)

        answers = self._loop.run_until_complete(ask())
        unexpected = [each for each in answers if not isinstance(each, Outcome | UnavailableError)]
        assert not unexpected, unexpected
        return [each if isinstance(each, Outcome) else None for each in answers]

    def follow(self) -> None:
        """Take in the next final blocks; raises UnavailableError where the process ended amid that."""
        self._loop.run_until_complete(self._feed.step())

    def close(self) -> None:
        """End the process, as `kill -9` does: its memory is gone."""
        self._serving.cancel()
        self._loop.run_until_complete(asyncio.gather(self._serving, return_exceptions=True))
        self._loop.close()

    def _health(self, connection: Connection) -> LedgerHealth:
        """Say what `stoken serve` would; no clock is skewed and nothing drifts in these worlds."""
        found = health(connection, self._clock(), LIMITS)
        halted = halted_tokens(connection)
        return LedgerHealth(
            found.current, halted, found.head, found.reason, *broken(connection), verified_to(connection)
        )
