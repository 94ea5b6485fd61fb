# SPDX-License-Identifier: Apache-2.0
"""The quantity invariants of what a commit touched, checked within it; a broken one opens a case and stamps notices."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, Engine, select

from stoken.db import bulk, reading, unit_of_work
from stoken.domain.facts import Address
from stoken.errors import UnavailableError
from stoken.ledger import books, breaks, tables
from stoken.ledger.invariants import Invariant, cash_invariant
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.rows import Instrument
from stoken.ledger.state import Held
from stoken.ledger.verification import Verification, broken_of
from stoken.mirror import MinedBlock
from stoken.mirror.store import Checkpoint, read_checkpoint

_log = structlog.get_logger(__name__)
_CASH: Final = (tables.cash_accounts.name, tables.cash_totals.name)


class Evaluation(NamedTuple):
    """A line of the log: an invariant of an issue, an institution's book of it or the cash, at a block."""

    block_number: int
    invariant: str
    subject: str
    evaluated_at_ns: int
    block_hash: bytes
    lhs: int
    rhs: int
    holds: bool
    at_close: bool


class Reconciliation:
    """Follows the ledger's projection in the same commit; `Q4` of the tokens it names is asked by a step of its own.

    What is checked is what the commit changed, from the institutions' books: no sum over holders. `Q1` holds here
    by construction and is left to the close. `Q5` is told of the accounts that moved, and only where it is broken: that
    none is overdrawn is for the close to say.
    """

    def __init__(self, ledger: LedgerProjection, clock: Callable[[], int]) -> None:
        """Take the projection that it follows, and a clock in nanoseconds UTC."""
        self._ledger = ledger
        self._clock = clock
        self._at = b""
        self._generation = 0
        #: The figures last logged, by invariant and subject; forgotten where a commit failed.
        self._logged: dict[tuple[str, str], tuple[int, int]] = {}
        #: The tokens whose supply may differ from the chain's; None for all.
        self.unasked: set[Address] | None = None

    def apply(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:  # noqa: ARG002
        """Check what these blocks touched, whether final or not: a break is told as soon as it is seen."""
        if not blocks:
            return
        resumed = self._at != blocks[0].parent_hash
        if resumed:
            self._logged.clear()
        self._at = blocks[-1].hash
        if self._generation != self._ledger.generation:
            self._generation, self.unasked = self._ledger.generation, None
        touched = books.follow(connection, self._ledger.state)
        if resumed:
            books.complete(connection)
        last = blocks[-1]
        at = Checkpoint(last.number, last.hash, -1, last.time)
        found, tokens = self._evaluate(connection, touched)
        if self.unasked is not None:
            self.unasked |= tokens.keys()
        # What is broken is always told: its case may have been closed since.
        news = [item for item in found if not item.holds or self._logged.get(item[:2]) != (item.left, item.right)]
        self._logged.update({(item.name, item.subject): (item.left, item.right) for item in news})
        record(connection, news, tokens, at, self._clock())

    def unwind(self, connection: Connection, to_block: int) -> None:
        """Forget the books of what is unwound: the next commit sums them anew; `Q4` is due for all."""
        self._at = b""
        self.unasked = None
        books.forget(connection, to_block)

    def _evaluate(self, connection: Connection, touched: set[Address]) -> tuple[list[Invariant], dict[Address, str]]:
        state = self._ledger.state
        held, tokens, found = books.read_books(connection, touched), dict[Address, str](), list[Invariant]()
        overdrawn = _overdrawn(held for held, _ in state.moved())
        for token in touched:
            issue = state.get(Instrument, tables.instruments.name, token)
            if issue is None or not issue.isin:
                continue
            tokens[token] = issue.isin
            found += _of_issue(issue, held[token], overdrawn.get(token, 0))
        if any(state.touched(name) for name in _CASH):
            found.append(cash_invariant(connection))
        return found, tokens


def record(
    connection: Connection,
    found: Sequence[Invariant],
    tokens: dict[Address, str],
    at: Checkpoint,
    now_ns: int,
    *,
    at_close: bool = False,
) -> list[Evaluation]:
    """Log evaluations, open a case with its notices for each that does not hold, and return the lines."""
    rows = [
        Evaluation(at.number, each.name, each.subject, now_ns, at.hash, each.left, each.right, each.holds, at_close)
        for each in found
    ]
    bulk.upsert_rows(connection, tables.reconciliations, rows)
    broken = broken_of(found, {isin: token for token, isin in tokens.items()})
    breaks.open_cases(connection, broken, at, now_ns)
    return rows


def evaluations(connection: Connection, after_block: int = -1, limit: int = 1_000) -> list[Evaluation]:
    """Return the log above a block, oldest first."""
    table = tables.reconciliations
    rows = connection.execute(
        select(table).where(table.c.block_number > after_block).order_by(*table.primary_key.columns).limit(limit)
    )
    return [Evaluation(*row) for row in rows]


def of_venue(invariant: str, subject: str) -> bool:
    """Tell whether an invariant is that of a venue's open orders, which no table of the ledger has: Q5 of a broker."""
    return invariant == "Q5" and "/" in subject


def holds_at_last(connection: Connection, invariant: str, subject: str) -> bool:
    """Tell whether the last close on record holds: what a block says of a broker may be of another account."""
    logged = tables.reconciliations.c
    query = select(logged.holds).where(logged.invariant == invariant, logged.subject == subject, logged.at_close)
    latest = query.order_by(logged.block_number.desc(), logged.evaluated_at_ns.desc()).limit(1)
    return bool(connection.execute(latest).scalar())


def close(engine: Engine, verification: Verification, now_ns: int) -> list[Evaluation]:
    """Evaluate every invariant over every row, `Q4` by the chain's word, log all of them, and open cases."""
    with reading(engine) as connection:
        at, found = read_checkpoint(connection), verification.invariants(connection)
        tokens = isins(connection)
    with unit_of_work(engine) as connection:
        record(connection, found, tokens, at, now_ns, at_close=True)
        return _logged_at(connection, now_ns)


def _logged_at(connection: Connection, now_ns: int) -> list[Evaluation]:
    table = tables.reconciliations
    rows = connection.execute(
        select(table).where(table.c.evaluated_at_ns == now_ns, table.c.at_close).order_by(*table.primary_key.columns)
    )
    return [Evaluation(*row) for row in rows]


class SupplyStep:
    """`Q4` of what the last commits touched: the sum of the books is the supply that the token answers at the block."""

    def __init__(
        self, engine: Engine, verification: Verification, reconciliation: Reconciliation, clock: Callable[[], int]
    ) -> None:
        """Take the database, who asks the contracts, what was touched, and a clock in nanoseconds UTC."""
        self._engine = engine
        self._verification = verification
        self._reconciliation = reconciliation
        self._clock = clock

    def execute(self) -> int:
        """Ask for what is due; never counts as work. What the node does not answer is asked again."""
        due = self._reconciliation.unasked
        if due is not None and not due:
            return 0
        try:
            with reading(self._engine) as connection:
                at, tokens = read_checkpoint(connection), isins(connection)
                asked = [token for token in tokens if due is None or token in due]
                supplies = self._verification.supplies(at, asked)
                held = books.read_or_sum(connection, asked)
        except UnavailableError as error:
            _log.warning("supplies.unavailable", reason=str(error))
            return 0
        found = [_supply(tokens[token], held[token], supplies[token]) for token in asked]
        with unit_of_work(self._engine) as connection:
            record(connection, found, tokens, at, self._clock())
        self._reconciliation.unasked = set()
        return 0


def isins(connection: Connection) -> dict[Address, str]:
    """Return the tokens that are issues, with their ISINs."""
    known = tables.instruments.c
    rows = connection.execute(select(known.token, known.isin).where(known.isin != ""))
    return {row.token: row.isin for row in rows}


def _of_issue(issue: Instrument, held: Sequence[books.Book], overdrawn: int) -> list[Invariant]:
    booked = sum(book.units for book in held if book.manager != books.NOBODY)
    total, issued = sum(book.units for book in held), issue.minted - issue.burned
    found = [
        Invariant("Q2", issue.isin, booked, issue.registered, booked <= issue.registered),
        Invariant("Q3", issue.isin, issued, total, issued == total),
    ]
    return [*found, Invariant("Q5", issue.isin, overdrawn, 0, holds=False)] if overdrawn else found


def _supply(isin: str, held: Sequence[books.Book], supply: int) -> Invariant:
    total = sum(book.units for book in held)
    return Invariant("Q4", isin, total, supply, total == supply)


def _overdrawn(positions: Iterable[Held]) -> dict[Address, int]:
    """Count by token the accounts of which more is held back than they have."""
    found: dict[Address, int] = {}
    for token, _, _, _, balance, frozen_units, lockup, pledged, restricted, _ in positions:
        if frozen_units + lockup + pledged + restricted > balance:
            found[token] = found.get(token, 0) + 1
    return found
