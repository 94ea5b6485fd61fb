# SPDX-License-Identifier: Apache-2.0
"""Measures, corrections, nodes and anchors as the ledger keeps them."""

from sqlalchemy import Engine, Table, select

from stoken.db import reading, unit_of_work
from stoken.ledger import tables
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import ContractKind
from tests.ledger_events import SUITE, TOKEN, Emitted, address, chain, emitted, issue

_K = ContractKind
_AUTHOR, _APPROVER = b"ZZZZ0000000000000307", b"ZZZZ0000000000001956"
_GROUNDS = (b"\xdd" * 32, _AUTHOR, _APPROVER, b"\xee" * 32, b"\xff" * 32)
_ID, _KEY = b"\xcc" * 32, b"\x01" * 32
_TERMS = (5, TOKEN, address(1), 0, 40)


def _fold(engine: Engine, *blocks: list[Emitted]) -> None:
    with unit_of_work(engine) as connection:
        LedgerProjection(SUITE).apply(connection, chain([[issue()], *blocks]), 0)


def _rows(engine: Engine, table: Table) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(table))]


class TestMeasures:
    def test_a_provisional_measure_is_confirmed_then_lifted(self, engine: Engine) -> None:
        imposed = emitted(_K.LEGAL, "MeasureImposed", 1, *_TERMS, 99, *(True, _GROUNDS))
        confirmed = emitted(_K.LEGAL, "MeasureConfirmed", 1, 500, _GROUNDS)
        lifted = emitted(_K.LEGAL, "MeasureLifted", 1, _GROUNDS)
        _fold(engine, [imposed], [confirmed], [lifted])
        (row,) = _rows(engine, tables.measures)
        assert row == (1, *_TERMS, 500, False, *_GROUNDS[1:], True)

    def test_a_change_of_a_measure_that_was_never_imposed_is_nothing(self, engine: Engine) -> None:
        changes = [
            emitted(_K.LEGAL, "MeasureConfirmed", 9, 500, _GROUNDS),
            emitted(_K.LEGAL, "MeasureLifted", 9, _GROUNDS),
        ]
        _fold(engine, changes)
        assert _rows(engine, tables.measures) == []


class TestRecords:
    def test_a_correction_is_kept_beside_its_original(self, engine: Engine) -> None:
        _fold(engine, [emitted(_K.LEGAL, "CorrectionEntered", 2, _ID, _KEY, _GROUNDS)])
        assert _rows(engine, tables.corrections) == [(2, _ID, _KEY, *_GROUNDS[1:], 1)]

    def test_a_node_is_listed_until_it_is_removed(self, engine: Engine) -> None:
        added = emitted(_K.MEMBERS, "NodeAdded", _ID, _AUTHOR, _KEY, _ID, 1, 0, 99)
        _fold(engine, [added])
        assert _rows(engine, tables.nodes) == [(_ID, _AUTHOR, _KEY + _ID, 1, 0, 99)]

    def test_a_removed_node_is_gone(self, engine: Engine) -> None:
        added = emitted(_K.MEMBERS, "NodeAdded", _ID, _AUTHOR, _KEY, _ID, 1, 0, 99)
        _fold(engine, [added], [emitted(_K.MEMBERS, "NodeRemoved", _ID, _AUTHOR)])
        assert _rows(engine, tables.nodes) == []

    def test_an_anchor_is_kept(self, engine: Engine) -> None:
        _fold(engine, [emitted(_K.ANCHORS, "Anchored", _AUTHOR, 2, 20_261_124, _ID)])
        assert _rows(engine, tables.anchors) == [(_AUTHOR, 2, 20_261_124, _ID, 1)]
