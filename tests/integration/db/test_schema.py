# SPDX-License-Identifier: Apache-2.0
"""The schema: migrations add up to the models on both databases, and another version's is refused."""

import pytest
from sqlalchemy import Boolean, Engine, Integer, LargeBinary, inspect, text
from sqlalchemy.types import TypeEngine

from stoken.db import open_engine, schema, unit_of_work
from stoken.db.metadata import SCHEMAS
from stoken.errors import StartupError
from stoken.migrations.tables import complete_metadata


def _kind(column_type: TypeEngine[object]) -> str:
    for kind in (Boolean, Integer, LargeBinary):
        if isinstance(column_type, kind):
            return kind.__name__
    return "Text"


def _models() -> dict[str, object]:
    return {
        f"{table.schema}.{table.name}": (
            {column.name: (_kind(column.type), bool(column.nullable)) for column in table.columns},
            [column.name for column in table.primary_key.columns],
            sorted(tuple(column.name for column in index.columns) for index in table.indexes),
        )
        for table in complete_metadata().tables.values()
    }


def _migrated(engine: Engine) -> dict[str, object]:
    inspector = inspect(engine)
    found: dict[str, object] = {}
    names = [
        (space, name)
        for space in SCHEMAS
        if engine.dialect.name == "postgresql"
        for name in inspector.get_table_names(space)
    ] or [(None, name) for name in inspector.get_table_names() if name != schema.VERSION_TABLE]
    for space, name in names:
        columns = {
            column["name"]: (_kind(column["type"]), bool(column["nullable"]))
            for column in inspector.get_columns(name, space)
        }
        key = inspector.get_pk_constraint(name, space)["constrained_columns"]
        indexes = [
            tuple(str(column) for column in index["column_names"])
            for index in inspector.get_indexes(name, space)
            if not index["unique"]
        ]
        found[f"{space}.{name}" if space else name.replace("_", ".", 1)] = (columns, key, sorted(indexes))
    return found


class TestMigrations:
    def test_they_add_up_to_the_models(self, engine: Engine) -> None:
        assert _migrated(engine) == _models()

    @pytest.mark.parametrize("database_kind", ["postgresql"])
    def test_rows_that_change_again_and_again_have_room(self, engine: Engine) -> None:
        options = inspect(engine).get_table_options("positions", schema="ledger")
        assert options["postgresql_with"] == {"fillfactor": "50"}
        positions = complete_metadata().tables["ledger.positions"]
        assert positions.dialect_options["postgresql"]["with"] == {"fillfactor": 50}

    def test_they_go_down_to_nothing_and_up_again(self, engine: Engine) -> None:
        schema.downgrade(engine, "base")
        assert _migrated(engine) == {}
        schema.upgrade(engine)
        schema.check(engine)


class TestCheck:
    def test_an_empty_database_says_what_to_run(self, empty_database_url: str) -> None:
        engine = open_engine(empty_database_url)
        with pytest.raises(StartupError, match="empty: run `stoken db upgrade`"):
            schema.check(engine)
        engine.dispose()

    @pytest.mark.parametrize("action", [schema.check, schema.upgrade])
    def test_a_newer_schema_is_refused_in_one_line(self, engine: Engine, action: object) -> None:
        with unit_of_work(engine) as connection:
            connection.execute(text("UPDATE stoken_schema SET version_num = '9999'"))
        with pytest.raises(StartupError, match="9999 is newer than this stoken knows") as caught:
            action(engine)  # type: ignore[operator]
        assert "\n" not in str(caught.value)

    def test_a_server_that_does_not_answer_is_one_line(self) -> None:
        engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
        with pytest.raises(StartupError, match="does not open") as caught:
            schema.check(engine)
        assert "\n" not in str(caught.value)
        engine.dispose()
