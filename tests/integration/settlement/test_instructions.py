# SPDX-License-Identifier: Apache-2.0
"""Failed trades are tried again some at a time: the database hands out no more than are wanted."""

from sqlalchemy import Engine, event, update

from stoken.db import reading, unit_of_work
from stoken.settlement import instructions, tables


def test_no_more_failed_trades_are_read_than_are_tried_again(engine: Engine) -> None:
    with unit_of_work(engine) as connection:
        instructions.create(connection, [(trade, trade, f"settle:{trade}") for trade in range(1, 6)])
        connection.execute(update(tables.instructions).values(status="failed", block_number=7))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, said, *_others: asked.append(said))
    with reading(engine) as connection:
        found = instructions.failed_by(connection, 7, 3, 2)
        assert instructions.failed_by(connection, 6, 3, 2) == []
    assert [each.trade_id for each in found] == [1, 2]
    assert [said for said in asked if "instructions" in said and "LIMIT" not in said] == []
