# SPDX-License-Identifier: Apache-2.0
"""What the ledger answers: registers as of blocks and dates, positions, and the quantity invariants."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, update

from stoken.db import bulk, reading, unit_of_work
from stoken.errors import NotFoundError, RefusedError
from stoken.ledger import queries, tables
from stoken.ledger.invariants import Invariant, invariants
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.queries import Holding
from stoken.ledger.signatures import ContractKind
from stoken.mirror import MinedBlock, store
from stoken.mirror.store import Checkpoint
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, Emitted, address, chain, emitted, issue, transfer

_K = ContractKind
_BROKER = b"BROKER00000000000001"
_RULES = (500, 0, 0, 0, 0, False, (0, 0, 0, 0), 0, 0, False)


def _apply(engine: Engine, blocks: Sequence[MinedBlock], final: int | None = None) -> None:
    last = blocks[-1]
    with unit_of_work(engine) as connection:
        store.insert_blocks(connection, blocks)
        LedgerProjection(SUITE).apply(connection, blocks, last.number if final is None else final)
        store.write_checkpoint(connection, Checkpoint(last.number, last.hash, last.number if final is None else final))


def _terminated() -> Emitted:
    return emitted(_K.TOKEN, "Terminated", address(9), b"D" * 32)


def _simple() -> list[MinedBlock]:
    return chain(
        [
            [issue(), transfer(NOBODY, address(1), 100)],
            [emitted(_K.COMPLIANCE, "RuleSetAnnounced", 1, 2, _RULES)],
            [transfer(address(1), address(2), 30)],
            [transfer(address(2), address(3), 30)],
        ]
    )


class TestTermination:
    def test_says_what_was_burned_what_is_left_and_when(self, engine: Engine) -> None:
        burned = [transfer(address(1), NOBODY, 60), transfer(address(2), NOBODY, 40)]
        moved = [transfer(address(1), address(2), 40)]
        blocks = chain([[issue(), transfer(NOBODY, address(1), 100)], moved, burned, [_terminated()], []])
        _apply(engine, blocks)
        with reading(engine) as connection:
            found = queries.termination(connection, ISIN)
        assert (found.isin, found.token, found.minted, found.burned, found.residual) == (ISIN, TOKEN, 100, 100, 0)
        assert (found.block.number, found.block.hash, found.block.time) == (3, blocks[3].hash, blocks[3].time)

    def test_counts_what_accounts_hold_whatever_the_supply_says(self, engine: Engine) -> None:
        _apply(engine, chain([[issue(), transfer(NOBODY, address(1), 100)], [_terminated()]]))
        with reading(engine) as connection:
            assert queries.termination(connection, ISIN).residual == 100

    def test_an_issue_that_goes_on_has_no_report(self, engine: Engine) -> None:
        _apply(engine, chain([[issue()], [_terminated()]]), final=0)
        with reading(engine) as connection:
            for isin in (ISIN, "ZZ0000000000"):
                with pytest.raises(NotFoundError):
                    queries.termination(connection, isin)


class TestRegister:
    def test_as_of_each_block_is_what_held_then(self, engine: Engine) -> None:
        _apply(engine, _simple())
        expected = {
            0: (Holding(address(1), 100),),
            1: (Holding(address(1), 100),),
            2: (Holding(address(1), 70), Holding(address(2), 30)),
            3: (Holding(address(1), 70), Holding(address(3), 30)),
        }
        with reading(engine) as connection:
            for number, holdings in expected.items():
                found = queries.register(connection, ISIN, at_block=number)
                assert (found.holdings, found.units, found.block.number) == (holdings, 100, number)
            assert queries.register(connection, ISIN).holdings == expected[3]

    def test_names_the_rules_then_in_force(self, engine: Engine) -> None:
        _apply(engine, _simple())
        with reading(engine) as connection:
            versions = [queries.register(connection, ISIN, at_block=number).rule_set for number in range(4)]
        assert versions == [0, 0, 1, 1]

    def test_equals_a_recount_at_every_block(self, engine: Engine) -> None:
        random = Random(1)  # noqa: S311 - a history must be repeatable
        moves = [
            [(address(random.randrange(5)), address(random.randrange(5)), random.randrange(9)) for _ in range(3)]
            for _ in range(40)
        ]
        minted = [transfer(NOBODY, address(index), 1_000) for index in range(5)]
        _apply(engine, chain([[issue(), *minted], *([transfer(*move) for move in block] for block in moves)]))
        held = {address(index): 1_000 for index in range(5)}
        with reading(engine) as connection:
            for number, block in enumerate(moves, 1):
                for sender, receiver, units in block:
                    held[sender] -= units
                    held[receiver] += units
                found = queries.register(connection, ISIN, at_block=number)
                assert dict(found.holdings) == {account: units for account, units in held.items() if units}

    def test_of_a_block_that_is_not_final_is_refused(self, engine: Engine) -> None:
        _apply(engine, _simple(), final=1)
        with reading(engine) as connection:
            with pytest.raises(RefusedError) as caught:
                queries.register(connection, ISIN, at_block=2)
            assert (caught.value.code, caught.value.details) == ("LEDGER_NOT_FINAL", {"block": 2, "final": 1})
            assert queries.register(connection, ISIN).holdings == (Holding(address(1), 100),)

    def test_of_an_unknown_issue_or_an_empty_ledger_is_not_found(self, engine: Engine) -> None:
        with reading(engine) as connection:
            with pytest.raises(NotFoundError):
                queries.register(connection, ISIN)
            with pytest.raises(NotFoundError):
                queries.final_block(connection)


class TestBlockOfDate:
    def test_is_the_last_final_block_of_the_day_in_seoul(self, engine: Engine) -> None:
        midnight = datetime(2026, 3, 2, 15, tzinfo=UTC)  # 2026-03-03 00:00 in Seoul
        times = [midnight - timedelta(days=1), midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=1)]
        blocks = [
            block._replace(time=int(at.timestamp())) for block, at in zip(chain([[], [], [], []]), times, strict=True)
        ]
        _apply(engine, blocks, final=2)
        with reading(engine) as connection:
            assert queries.block_of_date(connection, date(2026, 3, 2)).number == 1
            assert queries.block_of_date(connection, date(2026, 3, 3)).number == 2
            assert queries.block_of_date(connection, date(2027, 1, 1)).number == 2
            with pytest.raises(NotFoundError):
                queries.block_of_date(connection, date(2026, 3, 1))


class TestPositions:
    def test_show_what_is_held_back_and_for_which_reason(self, engine: Engine) -> None:
        encumbered = [
            emitted(
                _K.ENCUMBRANCES,
                "EncumbranceSet",
                bytes([kind]) * 32,
                TOKEN,
                address(1),
                kind,
                kind,
                99,
                NOBODY,
                bytes(32),
            )
            for kind in (1, 2, 3, 5)
        ]
        frozen = [
            emitted(_K.TOKEN, "TokensFrozen", address(1), 7),
            emitted(_K.TOKEN, "AddressFrozen", address(1), *(True, address(9))),
        ]
        _apply(engine, chain([[issue(), transfer(NOBODY, address(1), 100)], [*encumbered, *frozen]]))
        with reading(engine) as connection:
            (found,) = queries.positions(connection, address(1))
            (before,) = queries.positions(connection, address(1), at_block=0)
        assert (found.lockup, found.pledged, found.restricted, found.frozen_units, bool(found.frozen)) == (
            1,
            2,
            8,
            7,
            True,
        )
        assert (found.available, before.available) == (82, 100)

    def test_a_release_follows_units_to_the_successor_of_a_lost_account(self, engine: Engine) -> None:
        lock = emitted(_K.ENCUMBRANCES, "EncumbranceSet", b"i" * 32, TOKEN, address(1), 1, 40, 99, NOBODY, bytes(32))
        moved = emitted(_K.ENCUMBRANCES, "EncumbrancesMoved", TOKEN, address(1), address(2))
        _apply(
            engine,
            chain(
                [
                    [issue(), transfer(NOBODY, address(1), 100), lock],
                    [transfer(address(1), address(2), 100), moved],
                    [emitted(_K.ENCUMBRANCES, "EncumbranceReleased", b"i" * 32)],
                ]
            ),
        )
        with reading(engine) as connection:
            lockups = [
                [
                    held.lockup
                    for account in (1, 2)
                    for held in queries.positions(connection, address(account), at_block=at)
                ]
                for at in range(3)
            ]
        assert lockups == [[40], [0, 40], [0, 0]]

    def test_marks_are_carried_and_converted_with_the_units_they_are_on(self, engine: Engine) -> None:
        mark = emitted(_K.ENCUMBRANCES, "EncumbranceSet", b"m" * 32, TOKEN, address(1), 3, 40, 0, address(3), b"d" * 32)
        _apply(
            engine,
            chain(
                [
                    [issue(), transfer(NOBODY, address(1), 100), mark],
                    [
                        transfer(address(1), address(2), 40),
                        emitted(_K.ENCUMBRANCES, "EncumbranceCarried", b"m" * 32, address(1), address(2)),
                    ],
                    [emitted(_K.ENCUMBRANCES, "EncumbranceRescaled", b"m" * 32, 4)],
                    [emitted(_K.ENCUMBRANCES, "EncumbranceReleased", b"m" * 32)],
                ]
            ),
        )
        with reading(engine) as connection:
            restricted = [
                [
                    held.restricted
                    for account in (1, 2)
                    for held in queries.positions(connection, address(account), at_block=at)
                ]
                for at in range(4)
            ]
        assert restricted == [[40], [0, 40], [0, 4], [0, 0]]


class TestInvariants:
    def test_hold_on_a_sound_ledger(self, engine: Engine) -> None:
        bound = [
            emitted(_K.REGISTRY, "AccountBound", address(index), _BROKER, address(90 + index), 410, 1, 1)
            for index in (1, 2)
        ]
        cash = [
            emitted(_K.DEPOSIT, "CashAccountOpened", address(8), _BROKER, 1),
            emitted(_K.DEPOSIT, "Transfer", NOBODY, address(8), 5_000),
            emitted(_K.DEPOSIT, "Transfer", address(8), NOBODY, 2_000),
        ]
        minted = [emitted(_K.QUANTITY, "QuantityRegistered", TOKEN, 150), transfer(NOBODY, address(1), 100)]
        moved = [transfer(address(1), address(2), 30), transfer(address(1), NOBODY, 10)]
        _apply(engine, chain([[issue(), *bound], [*minted, *moved, *cash]]))
        with reading(engine) as connection:
            found = invariants(connection, {TOKEN: 90})
        assert found == [
            Invariant("Q1", f"{ISIN}/{_BROKER.decode()}", 90, 90, holds=True),
            Invariant("Q2", ISIN, 90, 150, holds=True),
            Invariant("Q3", ISIN, 90, 90, holds=True),
            Invariant("Q4", ISIN, 90, 90, holds=True),
            Invariant("Q5", ISIN, 0, 0, holds=True),
            Invariant("Q6", f"0x{SUITE['deposit'].hex()}", 3_000, 3_000, holds=True),
        ]

    def test_show_what_does_not_add_up(self, engine: Engine) -> None:
        _apply(engine, chain([[issue(), transfer(NOBODY, address(1), 100)]]))
        with unit_of_work(engine) as connection:
            bulk.upsert_rows(connection, tables.cash_accounts, [(address(8), _BROKER, 1, 5)])
            bulk.upsert_rows(connection, tables.accounts, [(address(1), _BROKER, address(9), 410, 1, 1)])
            connection.execute(update(tables.positions).values(balance=99, lockup=120))
        with reading(engine) as connection:
            broken = {item.name for item in invariants(connection, {TOKEN: 100}) if not item.holds}
        assert broken == {"Q2", "Q3", "Q4", "Q5", "Q6"}
