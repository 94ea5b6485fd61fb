# SPDX-License-Identifier: Apache-2.0
"""Rows written in bulk are those that were given, on both databases, also where they end alike."""

import pytest
from sqlalchemy import Engine, select

from stoken.db import bulk, reading, unit_of_work
from stoken.ledger import tables


class TestInsertRows:
    @pytest.mark.parametrize("count", [1, 100, 250])
    def test_what_rows_end_with_alike_is_written_with_each(self, engine: Engine, count: int) -> None:
        rows = [(number, 7, 1_000 + number) for number in range(count)]
        with unit_of_work(engine) as connection:
            bulk.insert_rows(connection, tables.position_changes, rows, (4, 3, 2, 1, True))
            bulk.insert_rows(connection, tables.position_changes, [(count, 8, 9, 0, 0, 0, 0, False)])
        with reading(engine) as connection:
            history = tables.position_changes
            found = connection.execute(select(history).order_by(history.c.number)).all()
        assert [tuple(row) for row in found[:-1]] == [(*row, 4, 3, 2, 1, True) for row in rows]
        assert tuple(found[-1]) == (count, 8, 9, 0, 0, 0, 0, False)
