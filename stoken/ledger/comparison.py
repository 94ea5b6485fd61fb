# SPDX-License-Identifier: Apache-2.0
"""The whole ledger compared with the chain on demand, and healed by folding it anew on an operator's word."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select

from stoken.db import reading, unit_of_work
from stoken.domain.facts import Address
from stoken.ledger import breaks, tables
from stoken.ledger.digest import digest, rebuild
from stoken.ledger.questions import QUESTIONS
from stoken.ledger.reconciliation import holds_at_last, of_venue
from stoken.ledger.verification import INVARIANTS, ROOTS, Difference, Verification
from stoken.mirror import MinedBlock
from stoken.mirror.store import Checkpoint, read_checkpoint, replace_logs

_ROWS: int = 200


class Compared(NamedTuple):
    """What a full comparison found, and the first and the last block at which it asked."""

    first: Checkpoint
    last: Checkpoint
    rows: int
    differences: list[Difference]
    new_cases: int


class Rebuilt(NamedTuple):
    """Digests before and after, and the cases that were closed."""

    before: str
    after: str
    closed: int


def count_rows(connection: Connection) -> int:
    """Return how many rows a full comparison has before it."""
    counts = (select(func.count()).select_from(tables.STATE[name]) for name in QUESTIONS)
    return sum(connection.execute(count).scalar_one() for count in counts)


def compare_all(
    engine: Engine, verification: Verification, now_ns: Callable[[], int], advance: Callable[[int], object] = int
) -> Compared:
    """Compare every row and every total, each batch at the block where the mirror then stands; open cases."""
    with reading(engine) as connection:
        first = last = read_checkpoint(connection)
    rows, new, found = 0, 0, list[Difference]()
    for table in QUESTIONS:
        after, more = None, True
        while more:
            with reading(engine) as connection:
                batch = verification.batch(connection, table, after, _ROWS)
            after, more, last = batch.last, batch.last is not None, batch.at
            rows += batch.rows
            found += batch.differences
            new += _open(engine, batch.differences, last, now_ns())
            advance(batch.rows)
    with reading(engine) as connection:
        last, totals = read_checkpoint(connection), verification.totals(connection)
    return Compared(first, last, rows, found + totals, new + _open(engine, totals, last, now_ns()))


def heal(
    engine: Engine,
    suite: Mapping[str, Address],
    verification: Verification,
    operator: str,
    now_ns: int,
    advance: Callable[[int], object] = int,
    mended: Sequence[MinedBlock] = (),
) -> Rebuilt:
    """Put the rebuilt ledger in the place of the damaged one, and close the cases whose rows then equal the chain.

    `mended` are the blocks that `roots.read_again` returned: their logs take the place of the mirror's.
    """
    with unit_of_work(engine) as connection:
        before = digest(connection)
        for block in mended:
            replace_logs(connection, block)
        after = rebuild(connection, suite, advance)
    with reading(engine) as connection:
        open_cases = breaks.cases(connection, only_open=True)
        healed = [case for case in open_cases if _agrees(connection, verification, case, mended)]
    with unit_of_work(engine) as connection:
        breaks.close_cases(connection, healed, operator, now_ns)
    return Rebuilt(before, after, len(healed))


def _agrees(
    connection: Connection, verification: Verification, case: breaks.Break, mended: Sequence[MinedBlock]
) -> bool:
    if case.table == ROOTS:
        return any(block.number == case.block_number for block in mended)
    if case.table == INVARIANTS:
        if of_venue(*case.key):
            return holds_at_last(connection, *case.key)
        return all(item.key != case.key for item in verification.totals(connection))
    return all(item.field != case.field for item in verification.row(connection, case.table, case.key))


def _open(engine: Engine, found: list[Difference], at: Checkpoint, now_ns: int) -> int:
    if not found:
        return 0
    with unit_of_work(engine) as connection:
        return breaks.open_cases(connection, found, at, now_ns)
