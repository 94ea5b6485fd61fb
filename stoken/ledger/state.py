# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows while blocks fold: read once, changed in memory, written in bulk, with before-images."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection

from stoken.db import bulk
from stoken.domain.facts import Address
from stoken.ledger import tables
from stoken.ledger.rows import ROWS, Position

Key = tuple[Any, ...]
_R = TypeVar("_R", bound=tuple[Any, ...])
_CACHED_MAX: Final = 200_000
_ACCOUNT: Final = itemgetter(1)
#: What a named tuple's own constructor calls, after a call of its own.
_tuple: Final = tuple.__new__
_encode = msgspec.msgpack.Encoder().encode


class State:
    """Rows by table and key. A key holds at most one row; None is known to be missing."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.block_number = -1
        self._rows: dict[str, dict[Key, Any]] = {name: {} for name in ROWS}
        self._dirty: dict[str, dict[Key, Any]] = {name: {} for name in ROWS}
        self._before: dict[str, dict[Key, Any]] = {name: {} for name in ROWS}
        self._positions: dict[Key, Position | None] = self._rows["positions"]
        self._positions_before: dict[Key, Position | None] = self._before["positions"]
        self._changes: list[Any] = []
        self._undo: list[Key] = []
        self._touched: dict[str, dict[Key, Any]] = {}
        self._connection: Connection | None = None

    def begin(self, connection: Connection) -> None:
        """Read what is missing from this connection until the next `begin`; forget rows where there are too many."""
        self._connection = connection
        if sum(map(len, self._rows.values())) > _CACHED_MAX:
            self.forget()

    def forget(self) -> None:
        """Drop everything known and everything not written."""
        for held in (self._rows, self._dirty, self._before):
            for rows in held.values():
                rows.clear()
        self._changes.clear()
        self._undo.clear()

    def prefetch(self, wanted: Mapping[str, set[Key]]) -> None:
        """Read many keys at once."""
        for name, keys in wanted.items():
            self._read(name, list(keys - self._rows[name].keys()))

    def get(self, row_type: type[_R], name: str, *key: Any) -> _R | None:  # noqa: ANN401, ARG002 - the type is the caller's
        """Return a row, None where there is none; `row_type` says which type the table's rows have."""
        rows = self._rows[name]
        if key not in rows:
            self._read(name, [key])
        found: _R | None = rows[key]
        return found

    def put(self, name: str, key: Key, row: Key | None) -> None:
        """Set a row, or remove it with None."""
        rows, before = self._rows[name], self._before[name]
        if key not in before:
            if key not in rows:
                self._read(name, [key])
            before[key] = rows[key]
        rows[key] = row

    def add_units(self, token: Address, account: Address, units: int) -> None:
        """Change a balance: what a `get` and a `put` would do, unrolled for the one fact that comes by the million."""
        key, rows = (token, account), self._positions
        held = rows.get(key)
        if held is None:
            held = self.get(Position, "positions", token, account)
        before = self._positions_before
        if key not in before:
            before[key] = held
        if held is None:
            rows[key] = Position(token, account, units, changed_block=self.block_number)
        else:
            _, _, balance, frozen_units, lockup, pledged, restricted, frozen, _ = held
            rows[key] = _tuple(
                Position,
                (token, account, balance + units, frozen_units, lockup, pledged, restricted, frozen, self.block_number),
            )

    def end_block(self, *, undoable: bool) -> None:
        """Close a block: note its changed positions, and what its rows were before where it may be undone."""
        for name, before in self._before.items():
            if not before:
                continue
            if name == "positions":
                self._changes += map(self._rows[name].__getitem__, before)
            if undoable:
                self._undo += [
                    (self.block_number, name, _encode(key), None if row is None else _encode(row))
                    for key, row in before.items()
                ]
            dirty = self._dirty[name]
            # The first image of a commit stays: what `touched` compares with.
            first = before.keys() - dirty.keys() if dirty else before
            dirty.update(zip(first, map(before.__getitem__, first), strict=True))
            before.clear()

    def rows(self, name: str) -> Mapping[Key, Any]:
        """Return the rows that are known, as they are now: at least those that the last commit changed."""
        return self._rows[name]

    def touched(self, name: str) -> dict[Key, Any]:
        """Return the keys that the last commit changed, each with its row before, None for none."""
        return self._touched.get(name, {})

    def flush(self, connection: Connection) -> None:
        """Write what changed."""
        self._touched = {name: dict(keys) for name, keys in self._dirty.items() if keys}
        for name, keys in self._dirty.items():
            rows = self._rows[name]
            # In the order of the key: neighbours share a page of the index.
            written = [row for row in map(rows.__getitem__, keys) if row is not None]
            bulk.upsert_rows(connection, tables.STATE[name], sorted(written))
            bulk.delete_rows(connection, tables.STATE[name], [key for key in keys if rows[key] is None])
            keys.clear()
        self._changes.sort(key=_ACCOUNT)
        bulk.insert_rows(connection, tables.position_changes, self._changes)
        bulk.insert_rows(connection, tables.undo, self._undo)
        self._changes.clear()
        self._undo.clear()

    def _read(self, name: str, keys: list[Key]) -> None:
        if self._connection is None:
            raise RuntimeError("the state was not begun")
        row_type, width = ROWS[name]
        rows = self._rows[name]
        rows.update(dict.fromkeys(keys))
        for row in bulk.select_rows(self._connection, tables.STATE[name], keys):
            rows[tuple(row[:width])] = row_type.__new__(row_type, *row)
