# SPDX-License-Identifier: Apache-2.0
"""Up to which block the mirror's logs are those of receipts that hash to their root; commits nothing."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from stoken.db import bulk
from stoken.mirror import tables

_SECOND_NS: Final = 1_000_000_000
#: Built once: each block at the head asks it.
_ROOTS: Final = select(*(tables.roots.c[name] for name in ("number", "blocks", "logs", "period_ns")))


class Roots(NamedTuple):
    """The last block below which none is unverified, -1 for none, and the work of the pass over history in all."""

    number: int = -1
    blocks: int = 0
    logs: int = 0
    period_ns: int = 0

    def per_second(self, done: int) -> int:
        """Return the rate of blocks or logs over the time that the pass took, 0 where it never ran."""
        return done * _SECOND_NS // self.period_ns if self.period_ns else 0


def read_roots(connection: Connection) -> Roots:
    """Return how far roots are verified."""
    row = connection.execute(_ROOTS).one_or_none()
    return Roots() if row is None else Roots(*row)


def write_roots(connection: Connection, roots: Roots) -> None:
    """Note how far roots are verified; the caller compared the blocks up to there, in this unit of work."""
    bulk.upsert_rows(connection, tables.roots, [(1, *roots)])


def follow_head(connection: Connection, before: int, number: int) -> None:
    """Move on to a block that was read by its root, if all up to `before`, the one before it, are verified."""
    roots = read_roots(connection)
    if roots.number == before:
        write_roots(connection, roots._replace(number=number))


def take_back(connection: Connection, to_block: int) -> None:
    """Forget what was verified above a block."""
    roots = read_roots(connection)
    if roots.number > to_block:
        write_roots(connection, roots._replace(number=to_block))
