# SPDX-License-Identifier: Apache-2.0
"""The venue's actor on a real database: group commit, restart, replay, fencing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from sqlalchemy import Engine

from stoken.db import unit_of_work
from stoken.domain.codes import Side
from stoken.errors import StartupError, UnavailableError
from stoken.orders import entries, outcomes, tables
from stoken.orders.actor import VenueActor
from stoken.orders.journal import Journal, LeaseLostError, read_rows
from stoken.orders.outcomes import Accepted, Repeated
from stoken.orders.replay import JournalRow, replay
from stoken.orders.venue import BookView
from tests.requirements import requirement
from tests.unit.orders.factories import OPEN_AT, SECOND, Market, open_market


def clock() -> int:
    return OPEN_AT * SECOND


Result = TypeVar("Result")


def run(engine: Engine, play: Callable[[VenueActor], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        actor = VenueActor.open(engine, clock)
        await actor.start()
        try:
            return await play(actor)
        finally:
            await actor.stop()

    return asyncio.run(main())


def day() -> tuple[Market, list[entries.Entry]]:
    """A market, and the entries that made it."""
    market = open_market()
    return market, [entry for entry, _ in market.rows]


async def feed(actor: VenueActor, found: list[entries.Entry]) -> None:
    for entry in found:
        await actor.submit(entry)


class TestSubmit:
    def test_an_answer_is_in_the_journal_when_it_is_given(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> None:
            await feed(actor, opening)
            outcome = await actor.submit(market.order("seller", Side.SELL, 5))
            row = read_rows(engine, outcome.sequence - 1, 10)[0]
            assert outcomes.decode(row.outcome) == outcome
            assert isinstance(outcome.answer, Accepted)

        run(engine, play)

    def test_fifty_copies_at_once_have_one_effect_and_one_answer(self, engine: Engine) -> None:
        market, opening = day()
        order = market.order("seller", Side.SELL, 5)

        async def play(actor: VenueActor) -> list[outcomes.Outcome]:
            await feed(actor, opening)
            return list(await asyncio.gather(*(actor.submit(order) for _ in range(50))))

        answers = [outcome.answer for outcome in run(engine, play)]
        first = [answer for answer in answers if isinstance(answer, Accepted)]
        repeated = [answer for answer in answers if isinstance(answer, Repeated)]
        assert (len(first), len(repeated)) == (1, 49)
        assert {answer.answer for answer in repeated} == set(first)

    def test_the_same_id_gets_the_stored_answer_after_a_restart(self, engine: Engine) -> None:
        market, opening = day()
        order = market.order("seller", Side.SELL, 5)

        async def first(actor: VenueActor) -> outcomes.Outcome:
            await feed(actor, opening)
            return await actor.submit(order)

        async def second(actor: VenueActor) -> outcomes.Outcome:
            return await actor.submit(order)

        before, after = run(engine, first), run(engine, second)
        assert after.answer == Repeated(before.sequence, before.answer)

    def test_waiting_entries_share_one_commit(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        market, opening = day()
        groups: list[int] = []
        append = Journal.append

        def counted(self: Journal, rows: list[JournalRow]) -> None:
            groups.append(len(rows))
            append(self, rows)

        monkeypatch.setattr(Journal, "append", counted)
        orders = [market.order("seller", Side.SELL, 1) for _ in range(100)]

        async def play(actor: VenueActor) -> None:
            await feed(actor, opening)
            groups.clear()
            await asyncio.gather(*(actor.submit(order) for order in orders))

        run(engine, play)
        assert sum(groups) == 100
        assert len(groups) <= 3

    def test_a_caller_that_went_away_leaves_its_entry_in_the_journal(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> int:
            await feed(actor, opening)
            gone = asyncio.create_task(actor.submit(market.order("seller", Side.SELL, 5)))
            await asyncio.sleep(0)
            gone.cancel()
            return await actor.read(lambda venue: len(venue.state.orders))

        assert run(engine, play) == 1
        assert len(read_rows(engine, 0, 100)) == len(opening) + 1

    def test_an_entry_that_no_journal_can_hold_ends_the_actor_and_is_not_kept(self, engine: Engine) -> None:
        _, opening = day()
        last = next(entry for entry in reversed(opening) if isinstance(entry, entries.BlockApplied))

        async def play(actor: VenueActor) -> None:
            await feed(actor, opening)
            waiting = [asyncio.create_task(actor.submit(last)) for _ in range(2)]
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(answer, UnavailableError) for answer in answers)
            assert isinstance(actor.failure, ValueError)

        run(engine, play)
        assert len(read_rows(engine, 0, 100)) == len(opening)

    def test_those_who_still_wait_hear_of_the_end(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> list[object]:
            await feed(actor, opening)
            Journal(engine).take_over()
            first = asyncio.create_task(actor.submit(market.order("seller", Side.SELL, 1)))
            # The first is on its way to the database; these wait behind it, and one of them gives up.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            later = [asyncio.create_task(actor.submit(market.order("seller", Side.SELL, 1))) for _ in range(3)]
            await asyncio.sleep(0)
            later[0].cancel()
            return list(await asyncio.gather(first, *later[1:], return_exceptions=True))

        assert all(isinstance(answer, UnavailableError) for answer in run(engine, play))


class TestStop:
    def test_what_is_queued_is_finished_first(self, engine: Engine) -> None:
        market, opening = day()
        orders = [market.order("seller", Side.SELL, 1) for _ in range(20)]

        async def main() -> int:
            actor = VenueActor.open(engine, clock)
            await actor.start()
            await feed(actor, opening)
            waiting = [asyncio.create_task(actor.submit(order)) for order in orders]
            await asyncio.sleep(0)
            await actor.stop()
            with pytest.raises(UnavailableError):
                await actor.submit(orders[0])
            return len([outcome for outcome in await asyncio.gather(*waiting) if outcome.answer])

        assert asyncio.run(main()) == 20

    def test_an_actor_that_never_started_stops_too(self, engine: Engine) -> None:
        asyncio.run(VenueActor.open(engine, clock).stop())


class TestRead:
    def test_a_reader_sees_only_what_is_durable(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> int:
            await feed(actor, opening)
            accepted = asyncio.create_task(actor.submit(market.order("seller", Side.SELL, 5)))
            seen = await actor.read(lambda venue: len(venue.state.orders))
            await accepted
            rows = read_rows(engine, 0, 1_000)
            return seen - (rows[-1].sequence - len(opening))

        assert run(engine, play) == 0

    def test_a_question_that_fails_fails_its_asker_alone(self, engine: Engine) -> None:
        async def play(actor: VenueActor) -> None:
            with pytest.raises(ZeroDivisionError):
                await actor.read(lambda _: 1 // 0)
            assert await actor.read(lambda venue: venue.state.sequence) == 0

        run(engine, play)


class TestRestart:
    def test_orders_reservations_and_book_come_back(self, engine: Engine) -> None:
        market, opening = day()

        async def first(actor: VenueActor) -> tuple[BookView | None, str]:
            await feed(actor, opening)
            await actor.submit(market.order("seller", Side.SELL, 7))
            return await actor.read(lambda venue: (venue.book("ZZBUSANPL019"), venue.state.chain.digest()))

        async def second(actor: VenueActor) -> tuple[BookView | None, str]:
            return await actor.read(lambda venue: (venue.book("ZZBUSANPL019"), venue.state.chain.digest()))

        assert run(engine, first) == run(engine, second)

    @requirement("ORD-08")
    def test_the_journal_alone_replays_to_identical_bytes(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> None:
            await feed(actor, opening)
            for quantity in range(1, 20):
                await actor.submit(market.order("seller", Side.SELL, quantity))
                await actor.submit(market.order("buyer", Side.BUY, quantity + 1, broker=b"ZZZZ0000000000001762"))

        run(engine, play)
        rows = list(Journal(engine).rows())
        first, second = replay(rows), replay(rows)
        assert first.mismatch is None
        assert first.trades > 10
        assert (first.log_hash, first.trades_hash) == (second.log_hash, second.trades_hash)

    def test_a_journal_that_was_tampered_with_is_not_opened(self, engine: Engine) -> None:
        _, opening = day()
        run(engine, lambda actor: feed(actor, opening))
        with unit_of_work(engine) as connection:
            connection.execute(tables.journal.update().where(tables.journal.c.sequence == 2).values(outcome=b"\x90"))
        with pytest.raises(StartupError, match="entry 2 replays"):
            VenueActor.open(engine, clock)


class TestLease:
    def test_a_second_actor_ends_the_first(self, engine: Engine) -> None:
        market, opening = day()

        async def play(actor: VenueActor) -> None:
            await feed(actor, opening)
            Journal(engine).take_over()
            with pytest.raises(UnavailableError):
                await actor.submit(market.order("seller", Side.SELL, 5))
            assert isinstance(actor.failure, LeaseLostError)
            with pytest.raises(UnavailableError):
                await actor.submit(market.order("seller", Side.SELL, 5))

        run(engine, play)
        assert len(read_rows(engine, 0, 100)) == len(opening)


class TestTick:
    def test_orders_lapse_at_the_close_without_any_traffic(self, engine: Engine) -> None:
        market, opening = day()
        now = [OPEN_AT * SECOND]

        async def main() -> None:
            actor = VenueActor.open(engine, lambda: now[0])
            await actor.start()
            await feed(actor, opening)
            await actor.submit(market.order("seller", Side.SELL, 5))
            now[0] += 6 * 3600 * SECOND
            for _ in range(40):
                await asyncio.sleep(0.05)
                if not await actor.read(lambda venue: venue.state.open_orders):
                    break
            assert not await actor.read(lambda venue: venue.state.open_orders)
            await actor.stop()

        asyncio.run(main())
