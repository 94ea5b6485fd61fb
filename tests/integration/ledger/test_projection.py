# SPDX-License-Identifier: Apache-2.0
"""The ledger folds, unwinds and rebuilds to the same rows, on both databases."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, delete, func, select

from stoken.db import open_engine, reading, unit_of_work
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import IssueCreated, RuleSetAnnounced
from stoken.ledger import tables
from stoken.ledger.digest import digest, rebuild
from stoken.ledger.feed import decode_facts, final_blocks
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import ContractKind
from stoken.mirror import MinedBlock, store
from stoken.mirror.store import Checkpoint
from tests.database import Databases
from tests.integration.ledger.histories import random_history
from tests.ledger_events import COMPLIANCE, NOBODY, SUITE, address, block, chain, emitted, encode_log, issue, transfer


def _apply(engine: Engine, projection: LedgerProjection, blocks: Sequence[MinedBlock], final: int) -> None:
    with unit_of_work(engine) as connection:
        store.insert_blocks(connection, blocks)
        projection.apply(connection, blocks, final)
        store.write_checkpoint(connection, Checkpoint(blocks[-1].number, blocks[-1].hash, final))


def _unwind(engine: Engine, projection: LedgerProjection, to_block: int, final: int) -> None:
    with unit_of_work(engine) as connection:
        projection.unwind(connection, to_block)
        store.delete_blocks(connection, to_block, final)


def _digest(engine: Engine) -> str:
    with reading(engine) as connection:
        return digest(connection)


def _numbers(engine: Engine) -> dict[bytes, int]:
    """Return the numbers of the positions by account; every position has a change under its number."""
    held, changes = tables.positions.c, tables.position_changes.c
    with reading(engine) as connection:
        rows = connection.execute(select(held.account, held.number)).all()
        assert set(connection.execute(select(changes.number).distinct()).scalars()) == {row.number for row in rows}
    return {row.account: row.number for row in rows}


class TestUnwinding:
    @pytest.mark.parametrize("seed", range(6))
    def test_is_the_same_as_never_having_applied(self, engine: Engine, seed: int) -> None:
        blocks = chain(random_history(seed, 30))
        projection = LedgerProjection(SUITE)
        expected = {}
        for at, item in enumerate(blocks):
            _apply(engine, projection, [item], final=4)
            expected[at] = _digest(engine)
        for to_block in (27, 20, 5, 4):
            _unwind(engine, projection, to_block, final=4)
            assert _digest(engine) == expected[to_block]
        _apply(engine, projection, blocks[5:], final=4)
        assert _digest(engine) == expected[29]

    def test_goes_on_with_another_branch(self, engine: Engine) -> None:
        common = chain([[issue(), transfer(NOBODY, address(1), 100)]])
        projection = LedgerProjection(SUITE)
        _apply(engine, projection, common, final=0)
        _apply(engine, projection, [block(1, [transfer(address(1), address(2), 60)])], final=0)
        _unwind(engine, projection, 0, final=0)
        other = block(1, [transfer(address(1), address(3), 10)], fork=b"b", parent=common[0].hash)
        _apply(engine, projection, [other], final=0)
        with reading(engine) as connection:
            rows = connection.execute(select(tables.positions.c.account, tables.positions.c.balance))
            assert {row.account: row.balance for row in rows} == {address(1): 90, address(3): 10}

    def test_positions_taken_back_free_their_numbers(self, engine: Engine) -> None:
        common = chain([[issue(), transfer(NOBODY, address(1), 100)]])
        projection = LedgerProjection(SUITE)
        _apply(engine, projection, common, final=0)
        _apply(engine, projection, [block(1, [transfer(address(1), address(2), 60)])], final=0)
        assert _numbers(engine) == {address(1): 0, address(2): 1}
        _unwind(engine, projection, 0, final=0)
        assert _numbers(engine) == {address(1): 0}
        branch = [transfer(address(1), address(4), 10), transfer(address(1), address(3), 10)]
        _apply(engine, projection, [block(1, branch, fork=b"b", parent=common[0].hash)], final=0)
        assert _numbers(engine) == {address(1): 0, address(4): 1, address(3): 2}

    def test_an_issue_that_was_taken_back_is_no_longer_listened_to(self, engine: Engine) -> None:
        projection = LedgerProjection(SUITE)
        _apply(engine, projection, chain([[]]), final=0)
        _apply(engine, projection, [block(1, [issue(), transfer(NOBODY, address(1), 5)])], final=0)
        _unwind(engine, projection, 0, final=0)
        parent = block(0).hash
        _apply(engine, projection, [block(1, [transfer(NOBODY, address(1), 5)], fork=b"b", parent=parent)], final=0)
        with reading(engine) as connection:
            assert connection.execute(select(func.count()).select_from(tables.positions)).scalar_one() == 0

    def test_before_images_go_when_their_block_is_final(self, engine: Engine) -> None:
        projection = LedgerProjection(SUITE)
        blocks = chain(random_history(1, 10))
        _apply(engine, projection, blocks, final=3)
        with unit_of_work(engine) as connection:
            assert connection.execute(select(func.min(tables.undo.c.block_number))).scalar_one() > 3
            projection.apply(connection, (), 9)
            assert connection.execute(select(func.count()).select_from(tables.undo)).scalar_one() == 0


class TestFolding:
    @pytest.mark.parametrize("seed", range(3))
    def test_many_blocks_a_commit_equal_one_block_a_commit(self, engine: Engine, seed: int) -> None:
        blocks = chain(random_history(seed, 40))
        projection = LedgerProjection(SUITE)
        for item in blocks:
            _apply(engine, projection, [item], final=-1)
        stepwise = _digest(engine)
        with unit_of_work(engine) as connection:
            for table in (*tables.STATE.values(), *tables.HISTORY.values(), tables.undo):
                connection.execute(delete(table))
            LedgerProjection(SUITE).apply(connection, blocks, 39)
        assert _digest(engine) == stepwise

    def test_a_commit_that_failed_leaves_no_trace_in_memory(self, engine: Engine) -> None:
        blocks = chain(random_history(2, 20))
        projection = LedgerProjection(SUITE)
        _apply(engine, projection, blocks[:10], final=-1)

        def fail() -> None:
            with unit_of_work(engine) as connection:
                projection.apply(connection, blocks[10:15], -1)
                raise RuntimeError

        for _ in range(2):
            with pytest.raises(RuntimeError):
                fail()
        _apply(engine, projection, blocks[10:], final=-1)
        live = _digest(engine)
        with unit_of_work(engine) as connection:
            assert rebuild(connection, SUITE) == live

    def test_an_issue_comes_before_what_its_contracts_said_in_its_making(self, engine: Engine) -> None:
        rules = emitted(
            ContractKind.COMPLIANCE, "RuleSetAnnounced", 1, 1, (1, 2, 3, 4, 5, False, (0, 0, 0, 0), 6, 7, False)
        )
        _apply(engine, LedgerProjection(SUITE), chain([[rules, issue()]]), final=0)
        with reading(engine) as connection:
            (fed,) = final_blocks(connection, -1)
        created, announced = decode_facts(fed.facts)
        assert isinstance(created, IssueCreated)
        assert isinstance(announced, RuleSetAnnounced)
        assert announced.compliance == COMPLIANCE

    def test_a_malformed_log_is_quarantined_and_the_rest_goes_on(self, engine: Engine) -> None:
        good = encode_log(transfer(NOBODY, address(1), 5), 1, 0)
        bad = good._replace(log_index=1, data=b"\xff" * 32)
        blocks = chain([[issue()]])
        blocks.append(block(1)._replace(logs=[good, bad]))
        _apply(engine, LedgerProjection(SUITE), blocks, final=1)
        with reading(engine) as connection:
            assert connection.execute(select(tables.positions.c.balance)).scalar_one() == 5
            kept = connection.execute(select(tables.quarantine)).one()
        assert (kept.block_number, kept.log_index, kept.address) == (1, 1, bad.address)


class TestFeed:
    def test_holds_only_final_blocks_and_the_venue_folds_them_to_the_same_positions(self, engine: Engine) -> None:
        blocks = chain([[issue(), transfer(NOBODY, address(1), 100)], [], [transfer(address(1), address(2), 30)], []])
        _apply(engine, LedgerProjection(SUITE), blocks, final=2)
        state = ChainState()
        with reading(engine) as connection:
            for fed in final_blocks(connection, -1):
                state.apply_block(fed.number, fed.hash, fed.time, decode_facts(fed.facts))
            rows = list(connection.execute(select(tables.positions)))
            assert [fed.number for fed in final_blocks(connection, 0, limit=1)] == [1]
        assert state.block_number == 2
        token = state.token(rows[0].token)
        assert {account: held.balance for account, held in token.positions.items()} == {
            row.account: row.balance for row in rows
        }


class TestRebuild:
    @pytest.mark.parametrize("seed", range(3))
    def test_gives_the_digest_of_the_live_ledger(self, engine: Engine, seed: int) -> None:
        projection = LedgerProjection(SUITE)
        for item in chain(random_history(seed, 25)):
            _apply(engine, projection, [item], final=item.number - 3)
        live, numbers = _digest(engine), _numbers(engine)
        with unit_of_work(engine) as connection:
            assert rebuild(connection, SUITE) == live
        assert _digest(engine) == live
        assert _numbers(engine) == numbers

    def test_shows_a_row_that_did_not_come_from_the_chain(self, engine: Engine) -> None:
        _apply(engine, LedgerProjection(SUITE), chain(random_history(7, 10)), final=9)
        with unit_of_work(engine) as connection:
            connection.execute(tables.positions.update().values(balance=tables.positions.c.balance + 1))
        tampered = _digest(engine)
        with unit_of_work(engine) as connection:
            assert rebuild(connection, SUITE) != tampered


class TestDigest:
    def test_is_the_same_on_both_databases(self, databases: Databases) -> None:
        found = set()
        for kind in ("sqlite", "postgresql"):
            url = databases.create(kind)
            engine = open_engine(url)
            _apply(engine, LedgerProjection(SUITE), chain(random_history(11, 30)), final=20)
            found.add(_digest(engine))
            engine.dispose()
            databases.remove(url)
        assert len(found) == 1
