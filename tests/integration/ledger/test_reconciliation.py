# SPDX-License-Identifier: Apache-2.0
"""The quantity invariants within each commit: the same as over every row, at the cost of what changed."""

from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select, update

from stoken.db import reading, unit_of_work
from stoken.ledger import breaks, tables
from stoken.ledger.books import Book, read_books
from stoken.ledger.digest import rebuild
from stoken.ledger.invariants import invariants
from stoken.ledger.reconciliation import Evaluation, SupplyStep, close, evaluations
from stoken.ledger.signatures import ContractKind
from stoken.ledger.verification import Verification
from tests.integration.ledger.followed import CASH, CUSTOMER, ONE, OWN, START, TWO, Answers, Followed, bound, registered
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, Emitted, address, block, emitted, issue, transfer
from tests.requirements import requirement


@pytest.fixture
def followed(engine: Engine) -> Followed:
    return Followed(engine)


class TestInEachCommit:
    def test_the_log_has_what_changed_and_nothing_twice(self, followed: Followed) -> None:
        followed.mine(START)
        followed.mine([])
        followed.mine([transfer(address(1), address(2), 30)])
        followed.mine([transfer(address(1), address(1), 5)])
        followed.mine([transfer(address(2), address(3), 10), transfer(address(1), NOBODY, 20)])
        assert followed.log() == [
            (0, "Q2", ISIN, 100, 1_000, True),
            (0, "Q3", ISIN, 100, 100, True),
            (4, "Q2", ISIN, 80, 1_000, True),
            (4, "Q3", ISIN, 80, 80, True),
        ]
        with reading(followed.engine) as connection:
            assert read_books(connection, [TOKEN]) == {TOKEN: [Book(TOKEN, ONE, 10, 50), Book(TOKEN, TWO, 0, 20)]}
            assert evaluations(connection, 2, 1)[0].block_hash == followed.blocks[4].hash
            assert breaks.cases(connection, only_open=False) == []

    def test_a_range_is_checked_at_its_end(self, followed: Followed) -> None:
        followed.mine(START, *([transfer(address(1), NOBODY, 1)] for _ in range(9)))
        assert {line[0] for line in followed.log()} == {9}
        assert (9, "Q3", ISIN, 91, 91, True) in followed.log()

    @pytest.mark.parametrize("seed", range(6))
    def test_books_are_the_sums_of_the_leaves_whatever_happens(self, engine: Engine, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - it need not be secret
        followed = Followed(engine, final=0)
        followed.mine(START)
        for step in range(40):
            followed.mine(
                *([_act(random, step) for _ in range(random.randint(0, 3))] for _ in range(random.randint(1, 3)))
            )
            if random.random() < 0.2:
                followed.unwind(random.randint(1, len(followed.blocks) - 1))
                followed.mine([transfer(address(1), address(2), 1)], fork=b"%d" % step)
            if random.random() < 0.1:
                followed.restart()
            if random.random() < 0.1:
                with unit_of_work(engine) as connection:
                    rebuild(connection, SUITE)
            with reading(engine) as connection:
                held = read_books(connection, [TOKEN])[TOKEN]
                if held:
                    assert {book[1]: book[2:] for book in held if book.units} == _leaves(connection)
                assert [item for item in invariants(connection) if not item.holds] == []
        assert followed.broken() == []

    def test_an_issue_whose_book_was_forgotten_is_summed_when_only_its_quantity_changes(
        self, followed: Followed
    ) -> None:
        followed.mine(START)
        with unit_of_work(followed.engine) as connection:
            connection.execute(delete(tables.books))
        followed.mine([registered(1_001)])
        assert followed.log()[-1] == (1, "Q2", ISIN, 100, 1_001, True)
        assert followed.broken() == []

    def test_costs_the_same_however_many_hold(self, followed: Followed) -> None:
        followed.mine(START)
        few = _statements(followed, [transfer(address(1), address(2), 1)])
        many = [transfer(NOBODY, address(100 + index), 1) for index in range(300)]
        followed.mine([registered(10_000), *(bound(100 + index) for index in range(300)), *many])
        assert _statements(followed, [transfer(address(1), address(2), 1)]) == few
        assert not any("sum(" in statement.lower() for statement in few)


def _statements(followed: Followed, events: list[Emitted]) -> list[str]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(followed.engine, "before_cursor_execute", note)
    followed.mine(events)
    event.remove(followed.engine, "before_cursor_execute", note)
    return said


def _act(random: Random, step: int) -> Emitted:
    kind = random.random()
    if kind < 0.15:
        return bound(random.randint(1, 6), random.choice((ONE, TWO)), random.choice((CUSTOMER, OWN)))
    if kind < 0.25:
        return registered(1_000 + step)
    # A walk of single units: account 1 has enough for all of them.
    receiver = address(random.randint(1, 3))
    return transfer(address(1), NOBODY if kind < 0.3 else receiver, 1)


def _leaves(connection: Any) -> dict[bytes, tuple[int, int]]:  # noqa: ANN401 - a connection
    held, accounts = tables.positions.c, tables.accounts
    found: dict[bytes, list[int]] = {}
    owners = {row.account: row for row in connection.execute(select(accounts))}
    for row in connection.execute(select(held.account, held.balance)):
        owner = owners.get(row.account)
        book = found.setdefault(b"" if owner is None else owner.manager, [0, 0])
        book[owner is not None and owner.owner_type == CUSTOMER] += row.balance
    return {manager: (own, customers) for manager, (own, customers) in found.items() if own or customers}


class TestBreaks:
    def test_units_that_no_mint_explains(self, followed: Followed) -> None:
        followed.mine(START)
        followed.change(tables.instruments, minted=99)
        followed.mine([transfer(address(1), address(2), 1)])
        assert followed.broken() == [("Q3", ISIN)]

    def test_more_than_is_registered(self, followed: Followed) -> None:
        followed.mine(START)
        followed.mine([registered(99)])
        assert followed.broken() == [("Q2", ISIN)]

    def test_more_held_back_than_there_is(self, followed: Followed) -> None:
        followed.mine(START)
        followed.change(tables.positions, frozen_units=100)
        followed.mine([transfer(address(1), address(2), 1)])
        assert followed.broken() == [("Q5", ISIN)]

    def test_nothing_says_that_none_is_overdrawn_while_an_account_that_did_not_move_is(
        self, followed: Followed
    ) -> None:
        followed.mine(START)
        followed.mine([transfer(address(1), address(2), 30)])
        followed.change(tables.positions, frozen_units=100)
        followed.mine([transfer(address(1), address(2), 1)])
        followed.change(tables.positions, frozen_units=0)
        with unit_of_work(followed.engine) as connection:
            first = tables.positions.c.account == address(1)
            connection.execute(update(tables.positions).where(first).values(frozen_units=100))
        followed.mine([transfer(address(2), address(3), 1)])
        followed.mine([transfer(address(1), address(2), 1)])
        followed.mine([transfer(address(1), address(2), 1)])
        found = [(*line[:1], *line[3:]) for line in followed.log() if line[1] == "Q5"]
        assert found == [(2, 2, 0, False), (4, 1, 0, False), (5, 1, 0, False)]

    def test_a_break_whose_case_was_closed_opens_another_at_the_same_figures(self, followed: Followed) -> None:
        followed.mine(START)
        followed.change(tables.positions, frozen_units=100)
        followed.mine([transfer(address(1), NOBODY, 1)])
        with unit_of_work(followed.engine) as connection:
            breaks.close_cases(connection, breaks.cases(connection, only_open=True), "operator", 5)
        followed.mine([transfer(address(1), NOBODY, 1)])
        with reading(followed.engine) as connection:
            (case,) = breaks.cases(connection, only_open=True)
        assert (case.block_number, case.key) == (2, ("Q5", ISIN))

    def test_cash_that_the_agent_did_not_credit(self, followed: Followed) -> None:
        opened = emitted(ContractKind.DEPOSIT, "CashAccountOpened", address(8), ONE, 1)
        followed.mine([opened, emitted(ContractKind.DEPOSIT, "Transfer", NOBODY, address(8), 5_000)])
        assert followed.log() == [(0, "Q6", CASH, 5_000, 5_000, True)]
        followed.change(tables.cash_totals, credited=4_999)
        followed.mine([emitted(ContractKind.DEPOSIT, "Transfer", address(8), NOBODY, 1)])
        assert followed.log()[1:] == [(1, "Q6", CASH, 4_999, 4_998, False)]
        with reading(followed.engine) as connection:
            assert breaks.broken(connection) == ((b"",), ())

    def test_opens_one_case_and_stamps_its_notices_in_order(self, followed: Followed) -> None:
        followed.mine(START)
        followed.mine([transfer(address(1), address(2), 1)])
        followed.mine([registered(99)])
        followed.mine([transfer(address(1), address(2), 1)])
        with reading(followed.engine) as connection:
            (case,) = breaks.cases(connection, only_open=True)
            told = breaks.notices(connection)
            assert breaks.broken(connection) == ((TOKEN,), ())
        assert (case.block_number, case.block_hash) == (2, followed.blocks[2].hash)
        assert (case.table, case.key, case.mirror, case.chain) == ("invariants", ("Q2", ISIN), "100", "99")
        assert [(each.place, each.recipient, each.institution) for each in told] == [
            (1, "ACCOUNT_MANAGER", ONE),
            (2, "ACCOUNT_MANAGER", TWO),
            (3, "REGISTRAR", b""),
            (4, "SUPERVISOR", b""),
        ]
        assert {each.stamped_at_ns for each in told} == {case.opened_at_ns}

    def test_a_commit_that_failed_leaves_no_line_and_is_not_taken_for_logged(self, followed: Followed) -> None:
        followed.mine(START)
        lost = block(1, [transfer(address(1), NOBODY, 1)], parent=followed.blocks[0].hash)
        with unit_of_work(followed.engine) as connection, connection.begin_nested() as tried:
            for projection in (followed.ledger, followed.reconciliation):
                projection.apply(connection, [lost], 1)
            tried.rollback()
        assert {line[0] for line in followed.log()} == {0}
        followed.mine([transfer(address(1), NOBODY, 1)])
        assert (1, "Q3", ISIN, 99, 99, True) in followed.log()


class TestSupplies:
    def test_q4_of_what_was_touched_at_the_block_of_the_commit(self, followed: Followed) -> None:
        answers = Answers({TOKEN: 100})
        step = _supply_step(followed, answers)
        followed.mine(START)
        for _ in range(2):
            assert step.execute() == 0
        assert answers.asked == [(TOKEN, followed.blocks[0].hash)]
        followed.mine([])
        step.execute()
        assert len(answers.asked) == 1
        answers.supplies = {TOKEN: 101}
        followed.mine([transfer(address(1), address(2), 1)])
        step.execute()
        assert [line for line in followed.log() if line[1] == "Q4"] == [
            (0, "Q4", ISIN, 100, 100, True),
            (2, "Q4", ISIN, 100, 101, False),
        ]
        with reading(followed.engine) as connection:
            assert breaks.broken(connection) == ((TOKEN,), ())

    @pytest.mark.parametrize("restarted", [False, True])
    def test_q4_is_asked_after_a_rebuild_though_nothing_touches_the_token(
        self, followed: Followed, *, restarted: bool
    ) -> None:
        followed.mine(START)
        answers = Answers({TOKEN: 100})
        _supply_step(followed, answers).execute()
        with unit_of_work(followed.engine) as connection:
            rebuild(connection, SUITE)
        if restarted:
            followed.restart()
        answers.supplies = {TOKEN: 101}
        followed.mine([])
        _supply_step(followed, answers).execute()
        assert followed.log()[-1] == (1, "Q4", ISIN, 100, 101, False)

    def test_q4_is_asked_after_a_reorg_though_nothing_touches_the_token(self, engine: Engine) -> None:
        followed = Followed(engine, final=0)
        answers = Answers({TOKEN: 100})
        step = _supply_step(followed, answers)
        followed.mine(START)
        followed.mine([transfer(address(1), address(2), 30)])
        step.execute()
        followed.unwind(1)
        answers.supplies = {TOKEN: 101}
        followed.mine([], fork=b"other")
        step.execute()
        assert followed.log()[-1] == (1, "Q4", ISIN, 100, 101, False)

    @pytest.mark.parametrize(("supply", "holds"), [(0, True), (1, False)])
    def test_q4_of_a_token_of_which_the_mirror_has_no_position(
        self, followed: Followed, supply: int, *, holds: bool
    ) -> None:
        followed.mine([issue(), registered(1_000)])
        _supply_step(followed, Answers({TOKEN: supply})).execute()
        assert followed.log()[-1] == (0, "Q4", ISIN, 0, supply, holds)
        with reading(followed.engine) as connection:
            assert breaks.broken(connection)[0] == (() if holds else (TOKEN,))


def _supply_step(followed: Followed, answers: Answers) -> SupplyStep:
    return SupplyStep(
        followed.engine, Verification(SUITE, answers), followed.reconciliation, lambda: next(followed.clock)
    )


class TestClose:
    def test_every_invariant_over_every_row_is_logged(self, followed: Followed) -> None:
        followed.mine(START)
        found = close(followed.engine, Verification(SUITE, Answers({TOKEN: 100})), 7)
        assert [(item.invariant, item.lhs, item.rhs, item.holds) for item in found] == [
            ("Q1", 100, 100, True),
            ("Q2", 100, 1_000, True),
            ("Q3", 100, 100, True),
            ("Q4", 100, 100, True),
            ("Q5", 0, 0, True),
            ("Q6", 0, 0, True),
        ]
        with reading(followed.engine) as connection:
            assert [item for item in evaluations(connection) if item.at_close] == found
        assert isinstance(found[0], Evaluation)

    @pytest.mark.parametrize("book", [50, 70])
    def test_leaves_that_differ_from_their_institutions_book_halt_that_institution(
        self, followed: Followed, book: int
    ) -> None:
        followed.mine(START)
        followed.mine([transfer(address(1), address(2), 40)])
        with unit_of_work(followed.engine) as connection:
            connection.execute(update(tables.books).where(tables.books.c.manager == ONE).values(customers=book))
        found = close(followed.engine, Verification(SUITE, Answers({TOKEN: 100})), 7)
        assert [(item.subject, item.lhs, item.rhs) for item in found if not item.holds] == [
            (f"{ISIN}/{ONE.decode()}", 60, book)
        ]
        with reading(followed.engine) as connection:
            assert breaks.broken(connection) == ((TOKEN,), (ONE,))
            told = breaks.notices(connection)
        assert [(each.recipient, each.institution) for each in told] == [
            ("ACCOUNT_MANAGER", ONE),
            ("REGISTRAR", b""),
            ("SUPERVISOR", b""),
        ]

    def test_a_book_all_of_whose_leaves_are_lost_does_not_hold(self, followed: Followed) -> None:
        followed.mine(START)
        with unit_of_work(followed.engine) as connection:
            connection.execute(delete(tables.positions))
            found = invariants(connection)
        assert [item[1:] for item in found if item.name == "Q1"] == [(f"{ISIN}/{ONE.decode()}", 0, 100, False)]

    def test_units_that_change_hands_in_the_database_after_a_rebuild_do_not_hold(self, followed: Followed) -> None:
        followed.mine(START, [transfer(address(1), address(2), 40)])
        with unit_of_work(followed.engine) as connection:
            rebuild(connection, SUITE)
        assert _broken_by_a_move(followed) == ["Q1", "Q1"]

    def test_nor_after_a_reorg_though_no_later_block_touches_the_issue(self, engine: Engine) -> None:
        followed = Followed(engine, final=0)
        followed.mine(START, [transfer(address(1), address(2), 40)], [transfer(address(1), address(2), 1)])
        followed.unwind(1)
        followed.mine([], fork=b"other")
        assert _broken_by_a_move(followed) == ["Q1", "Q1"]


def _broken_by_a_move(followed: Followed) -> list[str]:
    """Move units from one institution's customer to another's, behind the chain's back, and say what is broken."""
    held = tables.positions.c
    with unit_of_work(followed.engine) as connection:
        for account, units in ((address(1), -10), (address(2), 10)):
            moved = update(tables.positions).where(held.account == account).values(balance=held.balance + units)
            assert connection.execute(moved).rowcount == 1
        return [item.name for item in invariants(connection) if not item.holds]


@requirement("REC-07")
def test_books_follow_from_events_alone(followed: Followed) -> None:
    followed.mine(START, [transfer(address(1), address(2), 40)])
    with unit_of_work(followed.engine) as connection:
        rebuild(connection, SUITE)
        assert read_books(connection, [TOKEN]) == {TOKEN: [Book(TOKEN, ONE, 0, 60), Book(TOKEN, TWO, 0, 40)]}
    followed.mine([transfer(address(2), address(1), 1)])
    with reading(followed.engine) as connection:
        assert read_books(connection, [TOKEN])[TOKEN] == [Book(TOKEN, ONE, 0, 61), Book(TOKEN, TWO, 0, 39)]
