# SPDX-License-Identifier: Apache-2.0
"""Q1-Q6 after each block and at a close, with what the venue reserved: from the chain's events to the refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine, event, update

from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role, Scope, Side
from stoken.domain.refusals import Refusal
from stoken.domain.rulebook import Rulebook
from stoken.domain.signed_order import SignedOrder
from stoken.errors import StartupError
from stoken.ledger import breaks
from stoken.ledger.comparison import heal
from stoken.ledger.invariants import Invariant
from stoken.ledger.reconciliation import SupplyStep, close, evaluations, record
from stoken.ledger.signatures import ContractKind
from stoken.ledger.verification import Verification
from stoken.mirror.store import Checkpoint
from stoken.orders import entries, outcomes
from stoken.orders.actor import VenueActor
from stoken.orders.cover_log import CoverStep, close_cover
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.orders.journal import read_rows
from stoken.orders.outcomes import Answer, CoverEvaluated, OrderCanceled
from stoken.orders.tables import journal
from tests.integration.ledger.followed import ONE, Answers, Followed, bound, registered
from tests.ledger_events import NOBODY, SUITE, TOKEN, Emitted, address, emitted, issue, transfer
from tests.requirements import requirement
from tests.unit.orders.factories import BPL1, OPEN_AT, SECOND, VENUE

_K = ContractKind
KEY, SELLER, BUYER, POOL, CASH = b"\x0c" * 20, address(1), address(2), address(8), SUITE["deposit"]
OF_ONE = f"{BPL1}/{ONE.decode()}"
START = [
    issue(BPL1),
    emitted(_K.TOKEN, "Unpaused", NOBODY),
    registered(1_000),
    emitted(_K.MEMBERS, "MemberAdmitted", ONE, Role.ACCOUNT_MANAGER),
    emitted(_K.MEMBERS, "KeyAdded", KEY, ONE, Scope.ORDER | Scope.CASH, 0, 2**40 - 1),
    emitted(_K.DEPOSIT, "CashAccountOpened", POOL, ONE, 1),
    emitted(_K.DEPOSIT, "Transfer", NOBODY, POOL, 5_000),
    bound(1),
    bound(2),
    transfer(NOBODY, SELLER, 100),
]
HOLDS = Invariant("Q5", OF_ONE, 100, 100, holds=True)
FREEZE = [emitted(_K.TOKEN, "TokensFrozen", SELLER, 30)]


class Exchange:
    """A venue that follows a ledger, and the worker's steps that look after the invariants; one database for all."""

    def __init__(self, engine: Engine, decisions: int = entries.DECISIONS) -> None:
        self.engine = engine
        self.followed = Followed(engine)
        self.decisions = decisions
        self.nonce = 0
        self.cover = CoverStep(engine, engine, self.now)
        self.verification = Verification(SUITE, Answers({TOKEN: 100}))
        self.supplies = SupplyStep(engine, self.verification, self.followed.reconciliation, self.now)

    def now(self) -> int:
        return next(self.followed.clock)

    def play(self, scene: Callable[[VenueActor], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever the scene returns
        async def main() -> object:
            actor = VenueActor.open(self.engine, lambda: OPEN_AT * SECOND)
            await actor.start()
            try:
                return await scene(actor)
            finally:
                await actor.stop()

        return asyncio.run(main())

    def open(self) -> None:
        self.followed.mine(START)
        opened = entries.VenueOpened(0, VENUE, 31_337, SUITE["settlement"], CASH, "STKN", Rulebook(), self.decisions)

        async def scene(actor: VenueActor) -> None:
            await actor.submit(opened)
            await BlockFeed(actor, self.engine).step()
            await actor.submit(entries.InstrumentAdmitted(0, BPL1, TOKEN, "BENEFICIARY_CERTIFICATE", 1, 5_000, 5_000))
            await actor.submit(entries.AccountOpened(0, SELLER, ONE, b"person"))
            await actor.submit(entries.AccountOpened(0, BUYER, ONE, b"another"))
            await actor.submit(entries.CashAllocated(0, ONE, BUYER, POOL, 5_000, 1, OPEN_AT, b"s", KEY))

        self.play(scene)

    def sell(self, *quantities: int) -> list[Answer]:
        async def scene(actor: VenueActor) -> list[Answer]:
            return [(await actor.submit(self.order(quantity))).answer for quantity in quantities]

        found: list[Answer] = self.play(scene)
        return found

    def order(self, quantity: int, account: bytes = SELLER, side: Side = Side.SELL) -> entries.NewOrder:
        self.nonce += 1
        until = OPEN_AT + 7_200
        signed = SignedOrder(
            *(VENUE, account, POOL, TOKEN, CASH, side, 5_000, quantity, self.nonce, until, until + 3_600, 0)
        )
        return entries.NewOrder(0, f"c{self.nonce}", ONE, BPL1, signed, b"s" * 65, KEY)

    def mine(self, events: Iterable[Emitted] = ()) -> None:
        """Let a final block reach ledger, venue and log, in this order."""
        self.followed.mine(events)
        self.supplies.execute()
        self.play(lambda actor: BlockFeed(actor, self.engine, health=_health).step())
        self.cover.execute()

    def log(self) -> list[tuple[int, str, int, int, bool]]:
        """Return the venue's lines of the Q1-Q6 log."""
        return [line for number, name, *line in self.followed.log() if name == "Q5" for line in [(number, *line)]]

    def last(self) -> outcomes.Outcome:
        return outcomes.decode(read_rows(self.engine, 0, 1_000)[-1].outcome)

    def overstate(self) -> None:
        """Let the last line of the journal say more is promised than there is."""
        last = read_rows(self.engine, 0, 1_000)[-1]
        said = outcomes.decode(last.outcome)
        events = tuple(
            msgspec.structs.replace(event, promised=event.held + 1) if isinstance(event, CoverEvaluated) else event
            for event in said.events
        )
        forged = outcomes.encode(msgspec.structs.replace(said, events=events))
        with unit_of_work(self.engine) as connection:
            connection.execute(update(journal).where(journal.c.sequence == last.sequence).values(outcome=forged))


def _health(connection: Connection) -> LedgerHealth:
    tokens, institutions = breaks.broken(connection)
    return LedgerHealth(current=True, broken=tokens, institutions=institutions)


@pytest.fixture
def exchange(engine: Engine) -> Exchange:
    made = Exchange(engine)
    made.open()
    return made


@requirement("REC-01")
class TestQuantityInvariants:
    def test_a_freeze_ends_the_youngest_orders_and_all_six_are_on_record(self, exchange: Exchange) -> None:
        exchange.sell(60, 40)
        exchange.mine(FREEZE)
        ended = [event for event in exchange.last().events if isinstance(event, OrderCanceled)]
        assert [(event.order_id, event.code) for event in ended] == [(2, Refusal.INSUFFICIENT_SECURITIES)]
        assert exchange.log() == [(1, OF_ONE, 90, 100, True)]
        logged = {(name, lhs, rhs, holds) for _, name, _, lhs, rhs, holds in exchange.followed.log()}
        assert logged == {
            ("Q2", 100, 1_000, True),
            ("Q3", 100, 100, True),
            ("Q4", 100, 100, True),
            ("Q5", 90, 100, True),
            ("Q6", 5_000, 5_000, True),
        }
        closed = close(exchange.engine, exchange.verification, 7) + close_cover(exchange.engine, exchange.engine, 7)
        assert [(each.invariant, each.subject, each.lhs, each.rhs, each.holds) for each in closed] == [
            ("Q1", OF_ONE, 100, 100, True),
            ("Q2", BPL1, 100, 1_000, True),
            ("Q3", BPL1, 100, 100, True),
            ("Q4", BPL1, 100, 100, True),
            ("Q5", BPL1, 0, 0, True),
            ("Q6", f"0x{CASH.hex()}", 5_000, 5_000, True),
            ("Q5", OF_ONE, 90, 100, True),
            ("Q5", f"0x{CASH.hex()}/{VENUE.decode()}", 0, 0, True),
        ]
        with reading(exchange.engine) as connection:
            assert {item for item in evaluations(connection) if item.at_close} == set(closed)
            assert {item.block_hash for item in closed} == {exchange.followed.blocks[-1].hash}
            assert breaks.cases(connection, only_open=False) == []

    def test_a_break_halts_institution_and_issue_and_stamps_the_notices_in_order(self, exchange: Exchange) -> None:
        exchange.sell(60)
        exchange.followed.mine(FREEZE)
        exchange.play(lambda actor: BlockFeed(actor, exchange.engine).step())
        exchange.overstate()
        assert exchange.cover.execute() == 1
        assert exchange.log() == [(1, OF_ONE, 101, 100, False)]
        with reading(exchange.engine) as connection:
            (case,) = breaks.cases(connection, only_open=True)
            told = breaks.notices(connection)
            assert breaks.broken(connection) == ((TOKEN,), (ONE,))
        assert (case.key, case.block_number, case.block_hash) == (("Q5", OF_ONE), 1, exchange.followed.blocks[1].hash)
        assert (case.token, case.mirror, case.chain) == (TOKEN, "101", "100")
        assert [(each.place, each.recipient, each.institution) for each in told] == [
            (1, "ACCOUNT_MANAGER", ONE),
            (2, "REGISTRAR", b""),
            (3, "SUPERVISOR", b""),
        ]
        with pytest.raises(StartupError, match="replays to another outcome"):
            close_cover(exchange.engine, exchange.engine, 7)

    def test_orders_are_refused_from_a_close_that_finds_a_break_until_an_operator_heals_it(
        self, engine: Engine
    ) -> None:
        # A journal of before blocks cancelled anything: what it left uncovered is found by counting anew.
        exchange = Exchange(engine, decisions=0)
        exchange.open()
        exchange.sell(60, 40)
        exchange.mine(FREEZE)
        assert exchange.log() == []
        (line,) = [each for each in close_cover(engine, engine, 7) if not each.holds]
        assert (line.invariant, line.subject, line.lhs, line.rhs) == ("Q5", OF_ONE, 130, 100)
        exchange.mine()
        (answer,) = exchange.sell(1)
        assert isinstance(answer, outcomes.Refused)
        assert (answer.code, answer.values) == (Refusal.RECONCILIATION_BREAK, (("token", f"0x{TOKEN.hex()}"),))
        assert heal(engine, SUITE, exchange.verification, "operator", 8).closed == 0
        exchange.play(lambda actor: actor.submit(entries.ClockShifted(0, 24 * 3_600 * SECOND)))
        close_cover(engine, engine, 9)
        assert (2, OF_ONE, 0, 0, True) in exchange.log()
        assert heal(engine, SUITE, exchange.verification, "operator", 10).closed == 1
        with reading(engine) as connection:
            assert breaks.broken(connection) == ((), ())


class TestCoverStep:
    def test_a_restart_logs_no_line_twice_and_none_less(self, exchange: Exchange) -> None:
        exchange.sell(60)
        exchange.mine(FREEZE)
        exchange.cover = CoverStep(exchange.engine, exchange.engine, exchange.now)
        exchange.mine([transfer(SELLER, NOBODY, 5)])
        exchange.mine([transfer(SELLER, SELLER, 5)])
        assert exchange.log() == [(1, OF_ONE, 90, 100, True), (2, OF_ONE, 90, 95, True)]

    def test_what_a_failed_commit_lost_is_logged_when_it_is_read_again(self, exchange: Exchange) -> None:
        exchange.cover.execute()
        exchange.sell(60)
        exchange.followed.mine(FREEZE)
        exchange.play(lambda actor: BlockFeed(actor, exchange.engine).step())

        def fail(*said: object) -> None:
            if not str(said[2]).startswith("SELECT"):
                raise ConnectionError

        event.listen(exchange.engine, "before_cursor_execute", fail)
        with pytest.raises(ConnectionError):
            exchange.cover.execute()
        event.remove(exchange.engine, "before_cursor_execute", fail)
        assert exchange.cover.execute() == 1
        assert exchange.log() == [(1, OF_ONE, 90, 100, True)]

    def test_a_block_that_says_another_account_is_covered_closes_no_case(self, exchange: Exchange) -> None:
        names, at = {TOKEN: BPL1}, [Checkpoint(number, bytes([number]) * 32, number) for number in range(4)]
        broken = Invariant("Q5", OF_ONE, 101, 100, holds=False)
        for instant, (at_close, found) in enumerate([(True, broken), (False, HOLDS), (True, HOLDS)], 1):
            with unit_of_work(exchange.engine) as connection:
                record(connection, [found], names, at[instant], instant, at_close=at_close)
            closed = heal(exchange.engine, SUITE, exchange.verification, "operator", 8).closed
            assert closed == int(instant == 3)

    def test_a_long_stretch_that_says_nothing_is_read_once(
        self, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stoken.orders.cover_log._ROWS", 4)
        assert [exchange.cover.execute() for _ in range(3)] == [1, 0, 0]

    def test_a_venue_without_a_journal_says_nothing(self, engine: Engine) -> None:
        assert CoverStep(engine, engine, lambda: 1).execute() == 0

    def test_a_close_counts_what_is_matched_and_not_settled(self, exchange: Exchange) -> None:
        exchange.sell(60)
        bought = exchange.order(1, BUYER, Side.BUY)
        exchange.play(lambda actor: actor.submit(bought))
        assert [type(event).__name__ for event in exchange.last().events] == ["Trade"]
        exchange.mine(FREEZE)
        assert exchange.log() == [(1, OF_ONE, 90, 100, True)]
        found = close_cover(exchange.engine, exchange.engine, 7)
        assert [(each.subject, each.lhs, each.rhs) for each in found if each.lhs] == [(OF_ONE, 90, 100)]

    def test_a_journal_without_a_block_closes_on_nothing(self, engine: Engine) -> None:
        exchange = Exchange(engine)
        opened = entries.VenueOpened(0, VENUE, 31_337, SUITE["settlement"], CASH, "STKN", Rulebook())
        exchange.play(lambda actor: actor.submit(opened))
        assert close_cover(engine, engine, 7) == []
