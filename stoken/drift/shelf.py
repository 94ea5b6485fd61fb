# SPDX-License-Identifier: Apache-2.0
"""Tables of a chain state in a temporary file: the worker asks about a few accounts and need not hold all of them."""

import pickle
import sqlite3
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from typing_extensions import override

#: What SQLite keeps of the file in memory.
_CACHE_KIB: Final = 8_192
#: Values in memory before they are put away.
_OPEN_MAX: Final = 20_000


class Shelf(MutableMapping[bytes, Any]):
    """One table by address or id; what was asked for may be changed in place until it is put away."""

    def __init__(self, file: sqlite3.Connection, number: int) -> None:
        """Take the file, and the table's number in it."""
        self._file = file
        self._number = number
        self._open: dict[bytes, Any] = {}

    @property
    def open(self) -> int:
        """Return how many values are in memory."""
        return len(self._open)

    @override
    def __getitem__(self, key: bytes) -> Any:
        if key not in self._open:
            found = self._file.execute("SELECT value FROM items WHERE shelf = ? AND key = ?", (self._number, key))
            row = found.fetchone()
            if row is None:
                raise KeyError(key)
            self._open[key] = pickle.loads(row[0])  # noqa: S301 - written by this process, to a file without a name
        return self._open[key]

    @override
    def __setitem__(self, key: bytes, value: Any) -> None:
        self._open[key] = value

    @override
    def __delitem__(self, key: bytes) -> None:
        self[key]
        del self._open[key]
        self._file.execute("DELETE FROM items WHERE shelf = ? AND key = ?", (self._number, key))

    @override
    def __iter__(self) -> Iterator[bytes]:
        self.put_away()
        rows = self._file.execute("SELECT key FROM items WHERE shelf = ?", (self._number,)).fetchall()
        return (row[0] for row in rows)

    @override
    def __len__(self) -> int:
        self.put_away()
        (count,) = self._file.execute("SELECT count(*) FROM items WHERE shelf = ?", (self._number,)).fetchone()
        return int(count)

    def near(self, key: bytes, count: int) -> list[bytes]:
        """Return up to so many keys in their order from this one on, and after the last from the first on."""
        self.put_away()
        found: list[bytes] = []
        for side in (">=", "<"):
            query = f"SELECT key FROM items WHERE shelf = ? AND key {side} ? ORDER BY key LIMIT ?"  # noqa: S608 - two
            rows = self._file.execute(query, (self._number, key, count - len(found)))
            found += [row[0] for row in rows]
        return found

    def put_away(self) -> None:
        """Write what is in memory, and hold it no longer: what was got before is no part of the table any more."""
        rows = [(self._number, key, pickle.dumps(value)) for key, value in self._open.items()]
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", rows)
        self._file.execute("COMMIT")
        self._open.clear()


class Shelves:
    """The tables of one state, in a file that nobody else can open and that ends with it."""

    def __init__(self) -> None:
        """Open the file; SQLite names none that is temporary."""
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute(
            "CREATE TABLE items (shelf INTEGER, key BLOB, value BLOB, PRIMARY KEY (shelf, key)) WITHOUT ROWID"
        )
        self._shelves: list[Shelf] = []

    def table(self) -> Shelf:
        """Return a new table."""
        self._shelves.append(Shelf(self._file, len(self._shelves)))
        return self._shelves[-1]

    def tidy(self) -> None:
        """Put away what is in memory where that is much; nobody may hold a value at that moment."""
        if sum(shelf.open for shelf in self._shelves) > _OPEN_MAX:
            for shelf in self._shelves:
                shelf.put_away()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
