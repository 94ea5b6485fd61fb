# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows while blocks fold: read once, changed in memory, written in bulk, with before-images."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection

from stoken.db import bulk
from stoken.ledger import tables
from stoken.ledger.rows import ROWS

Key = tuple[Any, ...]
_R = TypeVar("_R", bound=tuple[Any, ...])
_CACHED_MAX: Final = 200_000
_encode = msgspec.msgpack.Encoder().encode


class State:
    """Rows by table and key. A key holds at most one row; None is known to be missing."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.block_number = -1
        self._rows: dict[str, dict[Key, Any]] = {name: {} for name in ROWS}
        self._dirty: dict[str, dict[Key, None]] = {name: {} for name in ROWS}
        self._before: dict[str, dict[Key, Any]] = {name: {} for name in ROWS}
        self._changes: list[Key] = []
        self._undo: list[Key] = []
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

    def prefetch(self, wanted: Iterable[tuple[str, Key]]) -> None:
        """Read many keys at once."""
        missing: dict[str, dict[Key, None]] = {}
        for name, key in wanted:
            if key not in self._rows[name]:
                missing.setdefault(name, {})[key] = None
        for name, keys in missing.items():
            self._read(name, list(keys))

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

    def end_block(self, *, undoable: bool) -> None:
        """Close a block: note its changed positions, and what its rows were before where it may be undone."""
        for name, before in self._before.items():
            if not before:
                continue
            if name == "positions":
                rows, number = self._rows[name], self.block_number
                self._changes += [(*key, number, *rows[key][2:8]) for key in before]
            if undoable:
                self._undo += [
                    (self.block_number, name, _encode(key), None if row is None else _encode(row))
                    for key, row in before.items()
                ]
            self._dirty[name].update(dict.fromkeys(before))
            before.clear()

    def flush(self, connection: Connection) -> None:
        """Write what changed."""
        for name, keys in self._dirty.items():
            rows = self._rows[name]
            # In the order of the key: neighbours share a page of the index.
            written = sorted(row for row in map(rows.__getitem__, keys) if row is not None)
            bulk.upsert_rows(connection, tables.STATE[name], written)
            bulk.delete_rows(connection, tables.STATE[name], [key for key in keys if rows[key] is None])
            keys.clear()
        bulk.insert_rows(connection, tables.position_changes, sorted(self._changes))
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
