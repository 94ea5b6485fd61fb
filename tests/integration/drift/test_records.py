# SPDX-License-Identifier: Apache-2.0
"""Differences on record: one open a token, counted, and closed by a name with a cause."""

import pytest
from sqlalchemy import Engine

from stoken.db import reading, unit_of_work
from stoken.drift import records
from stoken.drift.records import Difference
from stoken.errors import NotFoundError

TOKEN, OTHER = b"T" * 20, b"O" * 20


def difference(token: bytes = TOKEN, units: int = 1) -> Difference:
    return Difference(token, b"s" * 20, b"r" * 20, units, 0, 7, b"h" * 32, b"", b"\x01\x02\x03\x04")


class TestRecord:
    def test_a_token_has_one_open_drift_which_counts(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            first = records.record(connection, difference(), 5)
            again = records.record(connection, difference(units=2), 6)
            other = records.record(connection, difference(OTHER), 7)
        assert (first.id, first.seen, again.id, again.seen, other.id) == (1, 1, 1, 2, 2)
        with reading(engine) as connection:
            found = records.drifts(connection)
            assert [(each.id, each.seen, each.found_at_ns) for each in found] == [(1, 2, 5), (2, 1, 7)]
            assert found[0].difference == difference()
            assert records.open_tokens(connection) == {TOKEN, OTHER}


class TestResolve:
    def test_a_resolved_drift_opens_its_token_and_stays_on_record(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            records.record(connection, difference(), 5)
            records.record(connection, difference(OTHER), 5)
            records.resolve(connection, 1, "K. Operator", "node upgraded", 9)
        with reading(engine) as connection:
            assert records.open_tokens(connection) == {OTHER}
            resolved = records.drifts(connection)[0]
        assert (resolved.is_open, resolved.resolved_at_ns) == (False, 9)
        assert (resolved.resolved_by, resolved.cause) == ("K. Operator", "node upgraded")

    def test_what_is_not_open_cannot_be_resolved(self, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            records.record(connection, difference(), 5)
            records.resolve(connection, 1, "operator", "cause", 9)
            for number in (1, 2):
                with pytest.raises(NotFoundError):
                    records.resolve(connection, number, "operator", "cause", 10)
