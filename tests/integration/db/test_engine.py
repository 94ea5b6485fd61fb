# SPDX-License-Identifier: Apache-2.0
"""Engine, unit of work, bulk statements and the binding to a chain, on both databases."""

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import OperationalError

from stoken.db import bulk, open_engine, reading, unit_of_work
from stoken.db.binding import bind_chain
from stoken.db.tables import chain
from stoken.errors import StartupError
from stoken.ledger import tables

_TOKEN = bytes([0xFF]) + bytes(19)


def _row(index: int, units: int) -> tuple[object, ...]:
    return (_TOKEN, index.to_bytes(20), index, 7, units, 0, 0, 0, 0, False)


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(tables.positions)).scalar_one()


class TestOpenEngine:
    @pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "nonsense"])
    def test_another_database_is_refused(self, url: str) -> None:
        with pytest.raises(StartupError):
            open_engine(url)

    def test_sqlite_syncs_every_commit(self, engine: Engine) -> None:
        if engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL's default")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


class TestUnitOfWork:
    def test_a_second_writer_who_waited_in_vain_gets_sqlalchemys_error(self, engine: Engine) -> None:
        if engine.dialect.name != "sqlite":
            pytest.skip("one writer at a time is SQLite's")
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=0"))
        with (
            unit_of_work(engine),
            pytest.raises(OperationalError, match="BEGIN IMMEDIATE"),
            unit_of_work(engine),
        ):
            raise AssertionError("two write at once")

    def test_an_error_amid_rows_keeps_no_old_moment_in_the_pool(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            bulk.insert_rows(connection, tables.positions, [_row(each, 5) for each in range(3)])

        def fail() -> None:
            with engine.connect() as connection:
                rows = connection.execute(select(tables.positions))
                for _ in rows:
                    raise RuntimeError

        with pytest.raises(RuntimeError) as kept:
            fail()
        elsewhere = open_engine(engine.url.render_as_string(hide_password=False))
        with unit_of_work(elsewhere) as connection:
            bulk.insert_rows(connection, tables.positions, [_row(3, 5)])
        elsewhere.dispose()
        with unit_of_work(engine) as connection:
            assert _count(connection) == 4
        # Only an error that somebody holds keeps its frames, and the rows in them.
        assert kept.tb is not None

    def test_an_error_leaves_nothing(self, engine: Engine) -> None:
        def fail() -> None:
            with unit_of_work(engine) as connection:
                bulk.insert_rows(connection, tables.positions, [_row(1, 5)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        with reading(engine) as connection:
            assert _count(connection) == 0

    def test_a_reading_sees_one_moment(self, engine: Engine) -> None:
        with reading(engine) as connection:
            assert _count(connection) == 0
            with unit_of_work(engine) as writer:
                bulk.insert_rows(writer, tables.positions, [_row(1, 5)])
            assert _count(connection) == 0
        with reading(engine) as connection:
            assert _count(connection) == 1


class TestBulk:
    def test_rows_are_inserted_replaced_read_and_deleted_by_key(self, engine: Engine) -> None:
        # Not a multiple of what one statement takes.
        rows = [_row(index, 2**63 - 1) for index in range(12_034)]
        with unit_of_work(engine) as connection:
            bulk.insert_rows(connection, tables.positions, rows)
            bulk.upsert_rows(connection, tables.positions, [_row(3, 1), _row(20_000, 2)])
            bulk.upsert_rows(connection, tables.positions, [_row(index, 6) for index in range(500, 905)])
            bulk.delete_rows(connection, tables.positions, [(_TOKEN, (4).to_bytes(20)), (_TOKEN, bytes(19) + b"\xff")])
            found = list(
                bulk.select_rows(connection, tables.positions, [(_TOKEN, index.to_bytes(20)) for index in (3, 4, 5)])
            )
            assert sorted(found) == [_row(3, 1), _row(5, 2**63 - 1)]
            assert _count(connection) == 12_033
            six = select(func.count()).where(tables.positions.c.balance == 6)
            assert connection.execute(six).scalar_one() == 405

    def test_no_rows_are_no_statement(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            bulk.insert_rows(connection, tables.positions, [])
            bulk.upsert_rows(connection, tables.positions, [])
            bulk.delete_rows(connection, tables.positions, [])
            assert list(bulk.select_rows(connection, tables.positions, [])) == []

    def test_a_table_of_keys_alone_is_upserted_too(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            bulk.upsert_rows(connection, tables.claim_topics, [(1,), (2,)])
            bulk.upsert_rows(connection, tables.claim_topics, [(2,), (3,)])
            assert connection.execute(select(func.count()).select_from(tables.claim_topics)).scalar_one() == 3


class TestBindChain:
    def test_the_first_chain_is_the_only_one(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            bind_chain(connection, 1, b"g" * 32)
            bind_chain(connection, 1, b"g" * 32)
            assert connection.execute(select(func.count()).select_from(chain)).scalar_one() == 1
            with pytest.raises(StartupError, match="belongs to chain 1, the node to chain 2"):
                bind_chain(connection, 2, b"g" * 32)
            with pytest.raises(StartupError, match="another chain 1"):
                bind_chain(connection, 1, b"h" * 32)
