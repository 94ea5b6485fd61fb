# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows while blocks fold: read once, changed in memory, written in bulk, with before-images."""

from collections.abc import KeysView, Mapping
from operator import itemgetter
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from stoken.db import bulk
from stoken.domain.facts import Address
from stoken.ledger import tables
from stoken.ledger.rows import ROWS, Position

Key = tuple[Any, ...]
#: A position as a list in the order of its columns: nearly all facts of a dense history change one, in place.
Held = list[Any]
_R = TypeVar("_R", bound=tuple[Any, ...])
_CACHED_MAX: Final = 200_000
_POSITIONS: Final = tables.positions.name
_NUMBER, _CHANGED, _BALANCE = map(Position._fields.index, ("number", "changed_block", "balance"))
_HELD_BACK: Final = _BALANCE + 1
_NOTHING: Final = [*Position._field_defaults.values()][_HELD_BACK - _NUMBER :]
_FIRST: Final = itemgetter(0)
_KEY: Final = itemgetter(0, 1)
_encode = msgspec.msgpack.Encoder().encode


class State:
    """Rows by table and key. A key holds at most one row; None is known to be missing."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.block_number = -1
        self._undoable = False
        self._first = 0
        self._rows: dict[str, dict[Key, Any]] = {name: {} for name in ROWS if name != _POSITIONS}
        self._dirty: dict[str, dict[Key, Any]] = {name: {} for name in self._rows}
        self._before: dict[str, dict[Key, Any]] = {name: {} for name in self._rows}
        self._positions: dict[Key, Held] = {}
        #: Positions changed in this block, and in any block since the last flush.
        self._touched: list[Held] = []
        self._written: list[Held] = []
        #: Their balances before it, in the same order, and both of the last flush.
        self._former: list[int] = []
        self._moved: list[tuple[Held, int]] = []
        #: Rows of the history: those that hold nothing back end with the balance.
        self._balances: list[Held] = []
        self._changes: list[Held] = []
        self._next_number = -1
        self._undo: list[Key] = []
        self._committed: dict[str, dict[Key, Any]] = {}
        self._connection: Connection | None = None

    @property
    def known_positions(self) -> KeysView[Key]:
        """The positions that need not be read, each a token and an account."""
        return self._positions.keys()

    def begin(self, connection: Connection, first_block: int) -> None:
        """Read what is missing from this connection until the next `begin`; forget rows where there are too many.

        Blocks follow in ascending order from `first_block` on; no row is of one of them yet.
        """
        self._connection = connection
        self._first = first_block
        if len(self._positions) + sum(map(len, self._rows.values())) > _CACHED_MAX:
            self.forget()

    def forget(self) -> None:
        """Drop everything known and everything not written."""
        for held in (self._rows, self._dirty, self._before):
            for rows in held.values():
                rows.clear()
        self._positions.clear()
        self._touched.clear()
        self._moved.clear()
        self._clear_written()
        self._next_number = -1

    def prefetch(self, wanted: Mapping[str, set[Key]]) -> None:
        """Read many keys at once."""
        for name, keys in wanted.items():
            if name == _POSITIONS:
                # By the dictionary: a difference with its keys would walk through all that is known.
                self._read_positions(list(keys.difference(self._positions)))
            else:
                self._read(name, list(keys.difference(self._rows[name])))

    def begin_block(self, number: int, *, undoable: bool) -> None:
        """Open a block; where it may be undone, note what its rows were before."""
        self.block_number = number
        self._undoable = undoable

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

    def position(self, token: Address, account: Address) -> Position:
        """Return a position; an empty one that is not kept yet where there is none."""
        return Position(*(self._positions.get((token, account)) or self._find(token, account)))

    def put_position(self, row: Position) -> None:
        """Set what an account holds, and what of it may not move."""
        self.add_units(row.token, row.account, 0)
        self._positions[row.token, row.account][_BALANCE:] = row[_BALANCE:]

    def add_units(self, token: Address, account: Address, units: int) -> None:
        """Change a balance."""
        held = self._positions.get((token, account))
        if held is None:
            held = self._find(token, account)
        if held[_CHANGED] != self.block_number:
            self._change(held)
        held[_BALANCE] += units

    def end_block(self) -> None:
        """Close a block: note its changed positions, and what its other rows were before where it may be undone."""
        # Nearly all positions hold nothing back: those are written without it.
        self._balances += [held[_NUMBER:_HELD_BACK] for held in self._touched if held[_HELD_BACK:] == _NOTHING]
        self._changes += [held[_NUMBER:] for held in self._touched if held[_HELD_BACK:] != _NOTHING]
        self._touched.clear()
        for name, before in self._before.items():
            if not before:
                continue
            if self._undoable:
                self._undo += [
                    (self.block_number, name, _encode(key), None if row is None else _encode(row))
                    for key, row in before.items()
                ]
            dirty = self._dirty[name]
            # The first image of a commit stays: what `touched` compares with.
            first = set(before).difference(dirty) if dirty else before
            dirty.update(zip(first, map(before.__getitem__, first), strict=True))
            before.clear()

    def rows(self, name: str) -> Mapping[Key, Any]:
        """Return the rows that are known, as they are now: at least those that the last commit changed.

        Positions are asked for by `position` and `moved`.
        """
        return self._rows[name]

    def touched(self, name: str) -> dict[Key, Any]:
        """Return the keys that the last commit changed, each with its row before, None for none."""
        return self._committed.get(name, {})

    def moved(self) -> list[tuple[Held, int]]:
        """Return the positions that the last commit changed, each with its balance before; only to be read."""
        return self._moved

    def flush(self, connection: Connection) -> None:
        """Write what changed."""
        self._committed = {name: dict(keys) for name, keys in self._dirty.items() if keys}
        for name, keys in self._dirty.items():
            rows = self._rows[name]
            # In the order of the key: neighbours share a page of the index.
            written = [row for row in map(rows.__getitem__, keys) if row is not None]
            bulk.upsert_rows(connection, tables.STATE[name], sorted(written))
            bulk.delete_rows(connection, tables.STATE[name], [key for key in keys if rows[key] is None])
            keys.clear()
        bulk.upsert_rows(connection, tables.positions, sorted(self._written, key=_KEY))
        self._balances.sort(key=_FIRST)
        bulk.insert_rows(connection, tables.position_changes, self._balances, _NOTHING)
        bulk.insert_rows(connection, tables.position_changes, self._changes)
        bulk.insert_rows(connection, tables.undo, self._undo)
        self._moved = list(zip(self._written, self._former, strict=True))
        self._clear_written()

    def _clear_written(self) -> None:
        for changed in (self._written, self._former, self._balances, self._changes, self._undo):
            changed.clear()

    def _change(self, held: Held) -> None:
        """Note that this block changes a position, before it does: its number, and that it is not yet written."""
        if self._undoable:
            before = None if held[_NUMBER] < 0 else _encode(held)
            self._undo.append((self.block_number, _POSITIONS, _encode((held[0], held[1])), before))
        if held[_NUMBER] < 0:
            held[_NUMBER] = self._number()
        if held[_CHANGED] < self._first:
            self._written.append(held)
            self._former.append(held[_BALANCE])
        held[_CHANGED] = self.block_number
        self._touched.append(held)

    def _find(self, token: Address, account: Address) -> Held:
        """Return a position that is not known yet from the database, an empty one where it is not there either."""
        self._read_positions([(token, account)])
        return self._positions[token, account]

    def _number(self) -> int:
        """Return the number of a new position: the next one, since each number has changes."""
        if self._next_number < 0:
            last = select(func.max(tables.position_changes.c.number))
            found = self._connected().execute(last).scalar()
            self._next_number = 0 if found is None else found + 1
        self._next_number += 1
        return self._next_number - 1

    def _read_positions(self, keys: list[Key]) -> None:
        self._positions.update((key, list(Position(*key))) for key in keys)
        for row in bulk.select_rows(self._connected(), tables.positions, keys):
            self._positions[row[0], row[1]] = list(row)

    def _read(self, name: str, keys: list[Key]) -> None:
        row_type, width = ROWS[name]
        rows = self._rows[name]
        rows.update(dict.fromkeys(keys))
        for row in bulk.select_rows(self._connected(), tables.STATE[name], keys):
            rows[tuple(row[:width])] = row_type.__new__(row_type, *row)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the state was not begun")
        return self._connection
