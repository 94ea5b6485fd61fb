# SPDX-License-Identifier: Apache-2.0
"""The one writer of the venue: takes entries from many callers, journals them in groups, answers after the commit."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy import Engine

from stoken.errors import StartupError, UnavailableError
from stoken.orders import entries, outcomes
from stoken.orders.entries import Entry
from stoken.orders.flow import count
from stoken.orders.journal import Journal
from stoken.orders.outcomes import Outcome
from stoken.orders.replay import JournalRow, replay
from stoken.orders.venue import Venue
from stoken.telemetry.metrics import Counts

_Answer = TypeVar("_Answer")
_Question = Callable[[Venue], Any]
_QUEUE_MAX = 20_000
_GROUP_MAX = 1_000
_TICK = timedelta(milliseconds=500)


class _Job:
    """An entry to apply or a question to answer, and who waits for it."""

    __slots__ = ("future", "work")

    def __init__(self, work: Entry | _Question, future: "asyncio.Future[Any]") -> None:
        self.work = work
        self.future = future


class VenueActor:
    """Owns a `Venue` and its journal; `submit` and `read` may be called from any task of one event loop."""

    def __init__(
        self, venue: Venue, journal: Journal, last_ns: int, clock: Callable[[], int], counts: Counts | None = None
    ) -> None:
        """Take a venue as its journal left it; `open` is the way to get one."""
        self._venue = venue
        self._journal = journal
        self._last_ns = last_ns
        self._clock = clock
        self._counts = counts
        self._queue: asyncio.Queue[_Job | None] = asyncio.Queue(_QUEUE_MAX)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        #: What ended the actor; the process must end too, and start again from the journal.
        self.failure: BaseException | None = None

    @classmethod
    def open(cls, engine: Engine, clock: Callable[[], int] = time.time_ns, counts: Counts | None = None) -> Self:
        """Take over the journal (an older actor can append no more) and rebuild the venue from it.

        `counts` is what order flow is counted in, once it is durable.
        Raises StartupError where this version of stoken decides an entry otherwise than the journal says.
        """
        journal = Journal(engine)
        journal.take_over()
        found = replay(journal.rows())
        if found.mismatch is not None:
            raise StartupError(f"the journal's entry {found.mismatch} replays to another outcome than it holds")
        state = found.venue.state
        return cls(found.venue, journal, state.now_ns - state.clock_offset_ns, clock, counts)

    @property
    def waiting(self) -> int:
        """How many entries and questions wait; may be asked from any thread."""
        return self._queue.qsize()

    async def start(self) -> None:
        """Start the tasks that serve the queue and mark the passing of time."""
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._tick())]

    async def stop(self) -> None:
        """Finish what is queued, then end."""
        self._closed = True
        if self._tasks:
            serving, ticking = self._tasks
            ticking.cancel()
            if not serving.done():
                await self._queue.put(None)
            await asyncio.gather(serving, ticking, return_exceptions=True)
        self._writer.shutdown()

    async def submit(self, entry: Entry) -> Outcome:
        """Stamp, apply and journal an entry; the outcome is returned only once it is durable.

        Raises UnavailableError where the actor has ended: the entry may be durable, or not; ask again by its id.
        """
        outcome: Outcome = await self._enqueue(entry)
        return outcome

    async def read(self, question: Callable[[Venue], _Answer]) -> _Answer:
        """Ask the venue between two commits, so that nothing is shown that is not durable."""
        answer: _Answer = await self._enqueue(question)
        return answer

    async def _enqueue(self, work: Entry | _Question) -> Any:  # noqa: ANN401 - an outcome or an answer
        if self._closed or self.failure is not None:
            raise UnavailableError("the venue has stopped")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Job(work, future))
        return await future

    async def _serve(self) -> None:
        while (job := await self._queue.get()) is not None:
            group = [job]
            ended = False
            while len(group) < _GROUP_MAX and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    ended = True
                    break
                group.append(following)
            await self._carry_out(group)
            if ended:
                return

    async def _carry_out(self, group: list[_Job]) -> None:
        """Apply a group, commit it as one, then answer it; an exception ends the actor, whose memory is then ahead."""
        try:
            done = [(job, self._apply(job.work)) for job in group if not callable(job.work)]
            if done:
                rows = [row for _, (_, row) in done]
                await asyncio.get_running_loop().run_in_executor(self._writer, self._journal.append, rows)
        except BaseException as error:
            self.failure = error
            self._refuse(group)
            raise
        for job, (outcome, _) in done:
            _answer(job, outcome)
            if self._counts is not None:
                count(self._counts, outcome, is_order=isinstance(job.work, entries.NewOrder))
        for job in group:
            if callable(job.work):
                self._ask(job, job.work)

    def _apply(self, entry: Entry) -> tuple[Outcome, JournalRow]:
        self._last_ns = max(self._last_ns + 1, self._clock())
        stamped = msgspec.structs.replace(entry, received_at_ns=self._last_ns)
        outcome = self._venue.apply(stamped)
        return outcome, JournalRow(outcome.sequence, entries.encode(stamped), outcomes.encode(outcome))

    def _ask(self, job: _Job, question: _Question) -> None:
        try:
            _answer(job, question(self._venue))
        except Exception as error:  # noqa: BLE001 - the asker's own error goes back to the asker
            if not job.future.done():
                job.future.set_exception(error)

    def _refuse(self, group: list[_Job]) -> None:
        waiting = list(group)
        while not self._queue.empty():
            job = self._queue.get_nowait()
            if job is not None:
                waiting.append(job)
        for job in waiting:
            if not job.future.done():
                job.future.set_exception(UnavailableError("the venue has stopped"))

    async def _tick(self) -> None:
        """Let the venue know when time alone changes something, so that orders lapse without traffic."""
        while True:
            await asyncio.sleep(_TICK.total_seconds())
            if self._venue.state.opened is not None and self._clock() >= self._venue.due_at_ns():
                await self.submit(entries.ClockTicked(0))


def _answer(job: _Job, value: object) -> None:
    # A caller that went away leaves a cancelled future behind.
    if not job.future.done():
        job.future.set_result(value)
