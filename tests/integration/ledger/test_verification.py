# SPDX-License-Identifier: Apache-2.0
"""The ledger against the contracts, row by row: an undamaged one agrees, and each kind of damage is named."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, select, update

from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.ledger import tables
from stoken.ledger.breaks import cases, close_cases, halted_tokens
from stoken.ledger.questions import QUESTIONS
from stoken.ledger.sweep import Sweep, VerifyStep, read_sweep
from stoken.ledger.verification import Difference, Verification
from stoken.mirror.pinned import PinnedCalls
from stoken.network.anvil import Anvil
from tests.integration.compliance.world import ACCOUNTS, World

NOW = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Anvil(block_seconds=None) as node, RpcClient(node.url) as rpc:
        made = World(rpc, tmp_path_factory.mktemp("world"))
        made.on_token("setAddressFrozen", ACCOUNTS["b"], True)  # noqa: FBT003 - a value of the ABI
        made.on_token("freezePartialTokens", ACCOUNTS["a"], 7)
        made.lock("a", 5)
        made.encumber("c", 2, 3)
        made.revoke("d", for_cause=True)
        yield made


@pytest.fixture
def clean(world: World) -> Iterator[World]:
    """The world, whose damage and cases are undone afterwards."""
    with reading(world.engine) as connection:
        held = {name: [tuple(row) for row in connection.execute(select(table))] for name, table in tables.STATE.items()}
    yield world
    with unit_of_work(world.engine) as connection:
        for name, table in tables.STATE.items():
            connection.execute(delete(table))
            for row in held[name]:
                connection.execute(table.insert().values(row))
        connection.execute(delete(tables.ledger_breaks))
        connection.execute(delete(tables.ledger_sweep))


def sweep_of(world: World) -> Sweep:
    return Sweep(world.engine, Verification(world.suite.contracts, PinnedCalls(world.rpc)), lambda: NOW)


def swept(world: World, limit: int = 200) -> list[Difference]:
    """Compare everything once."""
    sweep, found = sweep_of(world), list[Difference]()
    while True:
        found += sweep.advance(limit)[1]
        with reading(world.engine) as connection:
            if read_sweep(connection).completed_at_ns:
                return found


def damage(world: World, table: Table, column: str, value: object, **where: object) -> None:
    with unit_of_work(world.engine) as connection:
        statement = update(table).values({column: value})
        changed = connection.execute(statement.where(*(table.c[name] == held for name, held in where.items())))
        assert changed.rowcount > 0


class TestSweep:
    @pytest.mark.parametrize("limit", [200, 1])
    def test_an_undamaged_ledger_agrees_in_every_row(self, clean: World, limit: int) -> None:
        assert swept(clean, limit) == []
        with reading(clean.engine) as connection:
            rows = [connection.execute(select(func.count()).select_from(tables.STATE[name])) for name in QUESTIONS]
            assert read_sweep(connection).completed_rows == sum(row.scalar_one() for row in rows) >= 30
            assert cases(connection, only_open=False) == []

    @pytest.mark.parametrize(
        ("table", "column", "value", "where"),
        [
            (tables.positions, "balance", 99, {"account": ACCOUNTS["a"]}),
            (tables.positions, "frozen", False, {"account": ACCOUNTS["b"]}),
            (tables.positions, "frozen_units", 0, {"account": ACCOUNTS["a"]}),
            (tables.positions, "lockup", 4, {"account": ACCOUNTS["a"]}),
            (tables.positions, "pledged", 0, {"account": ACCOUNTS["c"]}),
            (tables.encumbrances, "units", 50, {"kind": 1}),
            (tables.instruments, "supply", 141, {}),
            (tables.instruments, "registered", 7, {}),
            (tables.instruments, "paused", False, {}),
            (tables.rule_sets, "cap_units", 1, {"version": 2}),
            (tables.rule_sets, "modules", b"\x11" * 20, {"version": 2}),
            (tables.claims, "until", 1, {"revoked": False}),
            (tables.claims, "for_cause", False, {"revoked": True}),
            (tables.claims, "revoked", False, {"revoked": True}),
            (tables.accounts, "country", 8, {"account": ACCOUNTS["a"]}),
            (tables.accounts, "identity", b"\x01" * 20, {"account": ACCOUNTS["a"]}),
            (tables.accounts, "investor_class", 9, {"account": ACCOUNTS["a"]}),
            (tables.accounts, "manager", b"ZZZZ0000000000001859", {"account": ACCOUNTS["a"]}),
            (tables.claim_topics, "topic", 9, {}),
            (tables.claim_issuers, "topics", b"\x90", {}),
            (tables.members, "status", 3, {}),
            (tables.keys, "scopes", 31, {}),
        ],
    )
    def test_each_kind_of_damage_is_named(
        self, clean: World, table: Table, column: str, value: object, where: dict[str, Any]
    ) -> None:
        damage(clean, table, column, value, **where)
        found = swept(clean)
        # What a contract keeps only as a commitment, or as topics that are gone, is named by that.
        named = {"units": "record", "revoked": "topics"}.get(column, column)
        assert (table.name, named) in {(item.table, item.field) for item in found}
        with reading(clean.engine) as connection:
            opened = {(case.table, case.field) for case in cases(connection, only_open=True)}
        assert opened == {(item.table, item.field) for item in found}

    def test_a_missing_position_shows_in_the_sum(self, clean: World) -> None:
        with unit_of_work(clean.engine) as connection:
            connection.execute(delete(tables.positions).where(tables.positions.c.account == ACCOUNTS["c"]))
        found = [item for item in swept(clean) if item.table == "invariants"]
        assert {item.field for item in found} == {"Q3", "Q4"}
        assert {item.token for item in found} == {clean.token}

    def test_what_a_token_does_not_share_halts_all_and_its_own_rows_halt_it_alone(self, clean: World) -> None:
        damage(clean, tables.positions, "frozen_units", 0, account=ACCOUNTS["a"])
        swept(clean)
        with reading(clean.engine) as connection:
            assert halted_tokens(connection) == (clean.token,)
        damage(clean, tables.members, "status", 3)
        with unit_of_work(clean.engine) as connection:
            connection.execute(delete(tables.ledger_sweep))
        swept(clean)
        with reading(clean.engine) as connection:
            assert halted_tokens(connection) == (b"", clean.token)

    def test_a_case_is_opened_once_and_stays_until_an_operator_closes_it(self, clean: World) -> None:
        damage(clean, tables.positions, "frozen_units", 0, account=ACCOUNTS["a"])
        for _ in range(2):
            swept(clean)
            with unit_of_work(clean.engine) as connection:
                connection.execute(delete(tables.ledger_sweep))
        with reading(clean.engine) as connection:
            (case,) = cases(connection, only_open=True)
        assert (case.mirror, case.chain, case.token, case.closed_by) == ("0", "7", clean.token, None)
        damage(clean, tables.positions, "frozen_units", 7, account=ACCOUNTS["a"])
        swept(clean)
        with unit_of_work(clean.engine) as connection:
            assert halted_tokens(connection) == (clean.token,)
            close_cases(connection, [case], "duty officer", NOW + 1)
            assert halted_tokens(connection) == ()
            (closed,) = cases(connection, only_open=False)
        assert (closed.closed_by, closed.closed_at_ns) == ("duty officer", NOW + 1)


class TestVerifyStep:
    def test_compares_at_its_pace(self, clean: World) -> None:
        now = [NOW]
        step = VerifyStep(sweep_of(clean), 2, lambda: now[0])

        def position() -> tuple[str, int]:
            with reading(clean.engine) as connection:
                at = read_sweep(connection)
            return at.table, at.rows

        assert step.execute() == 0
        first = position()
        assert step.execute() == 0
        assert position() == first
        now[0] += 1_000_000_000
        step.execute()
        assert position() != first

    def test_at_a_pace_of_zero_it_never_compares(self, clean: World) -> None:
        VerifyStep(sweep_of(clean), 0, lambda: NOW).execute()
        with reading(clean.engine) as connection:
            assert read_sweep(connection).table == next(iter(QUESTIONS))

    def test_a_node_that_has_let_go_of_the_block_only_delays_it(self, clean: World) -> None:
        with RpcClient("http://127.0.0.1:1", timeout=1) as nobody:
            sweep = Sweep(clean.engine, Verification(clean.suite.contracts, PinnedCalls(nobody)), lambda: NOW)
            assert VerifyStep(sweep, 100, lambda: NOW).execute() == 0
