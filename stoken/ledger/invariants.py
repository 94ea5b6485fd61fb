# SPDX-License-Identifier: Apache-2.0
"""The quantity invariants Q1-Q6 of REC-01, computed from the ledger's tables at the mirror's head.

Accounts are held directly, so the total of a broker's customers is a derived sum: **on the chain Q1 holds by
construction**. Here its right side is the book that each commit keeps, its left side the sum over the leaves; they must
be equal, which is stricter than the law's <=, so that a lost or doubled change of either shows. Q4 needs the chain's
own supplies and is left out without them; Q5 of open orders is the venue's: `stoken.orders.standings`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, case, cast, func, select

from stoken.domain.codes import OwnerType
from stoken.domain.facts import Address, MemberId
from stoken.ledger import tables


class Invariant(NamedTuple):
    """One comparison; `subject` is an ISIN, an ISIN and an institution's LEI, or a cash token's address in hex."""

    name: str
    subject: str
    left: int
    right: int
    holds: bool


def invariants(connection: Connection, chain_supplies: Mapping[Address, int] | None = None) -> list[Invariant]:
    """Return every invariant; `chain_supplies` maps a token to its totalSupply() at the same block."""
    found = _customers(connection)
    for row in _issues(connection):
        found += [
            Invariant("Q2", row.isin, row.booked, row.registered, row.booked <= row.registered),
            Invariant("Q3", row.isin, row.minted - row.burned, row.held, row.minted - row.burned == row.held),
            Invariant("Q5", row.isin, row.overdrawn, 0, row.overdrawn == 0),
        ]
        if chain_supplies is not None:
            supply = chain_supplies.get(row.token, 0)
            found.append(Invariant("Q4", row.isin, row.held, supply, row.held == supply))
    return sorted([*found, cash_invariant(connection)])


def subject_of(isin: str, manager: MemberId) -> str:
    """Return how an institution's book of an issue is called."""
    return f"{isin}/{manager.decode('ascii', 'replace')}"


def _customers(connection: Connection) -> list[Invariant]:
    """Q1: units of an institution's customers, summed leaf by leaf, = its customer-management book of the issue.

    A book without any leaf counts too. Where none is kept, as between a reorg and the next block, the sum is the book.
    """
    held, bound, issue = tables.positions.c, tables.accounts.c, tables.instruments.c
    known = select(tables.books, issue.isin).join(tables.instruments, tables.books.c.token == issue.token)
    rows = list(connection.execute(known.where(issue.isin != "")))
    kept = {row.token for row in rows}
    books = {(row.token, row.manager): (row.isin, row.customers) for row in rows}
    leaves = connection.execute(
        select(issue.token, issue.isin, bound.manager, _total(held.balance).label("units"))
        .join_from(tables.positions, tables.accounts, held.account == bound.account)
        .join(tables.instruments, held.token == issue.token)
        .where(bound.owner_type == int(OwnerType.CUSTOMER), issue.isin != "")
        .group_by(issue.token, issue.isin, bound.manager)
    )
    found = []
    for row in leaves:
        book = books.pop((row.token, row.manager), (row.isin, 0))[1] if row.token in kept else row.units
        found.append(Invariant("Q1", subject_of(row.isin, row.manager), row.units, book, row.units == book))
    left = [(subject_of(isin, manager), units) for (_, manager), (isin, units) in books.items() if units]
    return found + [Invariant("Q1", subject, 0, units, holds=False) for subject, units in left]


def _issues(connection: Connection) -> list[Row[tuple[object, ...]]]:
    """Sum each issue: units booked to registered accounts (Q2), all balances (Q3), accounts that owe units (Q5)."""
    issue, held, bound = tables.instruments.c, tables.positions.c, tables.accounts.c
    held_back = held.frozen_units + held.lockup + held.pledged + held.restricted
    booked = case((bound.account.is_not(None), held.balance), else_=0)
    overdrawn = case((held.balance < held_back, 1), else_=0)
    query = (
        select(
            issue.isin,
            issue.token,
            issue.registered,
            issue.minted,
            issue.burned,
            *(_total(column).label(name) for name, column in (("held", held.balance), ("booked", booked))),
            _total(overdrawn).label("overdrawn"),
        )
        .select_from(tables.instruments)
        .outerjoin(tables.positions, held.token == issue.token)
        .outerjoin(tables.accounts, held.account == bound.account)
        .where(issue.isin != "")
        .group_by(issue.token, issue.isin, issue.registered, issue.minted, issue.burned)
    )
    return list(connection.execute(query))


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    # PostgreSQL sums BIGINT to NUMERIC, which the driver would hand over as a Decimal.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def cash_invariant(connection: Connection) -> Invariant:
    """Q6: the members' cash accounts hold what the cash agent credited and did not debit."""
    totals = list(connection.execute(select(tables.cash_totals)))
    held = connection.execute(select(_total(tables.cash_accounts.c.balance))).scalar_one()
    at_agent = sum(row.credited - row.debited for row in totals)
    subject = ",".join(sorted(f"0x{row.token.hex()}" for row in totals))
    return Invariant("Q6", subject, int(held), at_agent, int(held) == at_agent)
