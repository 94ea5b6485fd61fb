# SPDX-License-Identifier: Apache-2.0
"""Each institution's book of an issue: what it holds itself and for customers, kept by the changes of positions.

Keeping a book costs what changed, not what is held. A token of which no book is known, as after a reorg, is summed
once from its positions; a rebuild keeps the books anew as it folds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import BigInteger, Connection, cast, delete, exists, func, select

from stoken.db import bulk
from stoken.domain.codes import OwnerType
from stoken.domain.facts import Address, MemberId
from stoken.ledger import tables
from stoken.ledger.rows import Account, Position
from stoken.ledger.state import State

#: Whose book an account without a manager is in: nobody's.
NOBODY: Final[MemberId] = b""
_CUSTOMER: Final = int(OwnerType.CUSTOMER)
_TOKEN, _ACCOUNT, _BALANCE = map(Position._fields.index, ("token", "account", "balance"))
_Name = tuple[Address, MemberId]


class Book(NamedTuple):
    """Units of an issue with one institution: on its own accounts, and on its customers'."""

    token: Address
    manager: MemberId
    own: int
    customers: int

    @property
    def units(self) -> int:
        """Return all of them."""
        return self.own + self.customers


def read_books(connection: Connection, tokens: Collection[Address]) -> dict[Address, list[Book]]:
    """Return the books of issues, each a list by institution."""
    found: dict[Address, list[Book]] = {token: [] for token in tokens}
    columns = tables.books.c
    for token in tokens:
        rows = connection.execute(select(tables.books).where(columns.token == token).order_by(columns.manager))
        found[token] = [Book(*row) for row in rows]
    return found


def read_or_sum(connection: Connection, tokens: Collection[Address]) -> dict[Address, list[Book]]:
    """Return the books of issues, summed from the positions where none is kept; none where there is no position."""
    return {token: kept or _summed(connection, token) for token, kept in read_books(connection, tokens).items()}


def follow(connection: Connection, state: State) -> set[Address]:
    """Bring the books up to what the last fold changed; return the tokens it touched."""
    deltas = _deltas(connection, state)
    tokens = {token for token, _ in deltas} | {key[0] for key in state.touched("instruments")}
    known = {token for token in tokens if _is_kept(connection, token)}
    kept = [name for name in deltas if name[0] in known]
    before = {tuple(row[:2]): row[2:] for row in bulk.select_rows(connection, tables.books, kept)}
    books = [
        (*name, *(was + more for was, more in zip(before.get(name, (0, 0)), deltas[name], strict=True)))
        for name in kept
    ]
    for token in tokens - known:
        books += _summed(connection, token)
    bulk.upsert_rows(connection, tables.books, books)
    return tokens


def complete(connection: Connection) -> None:
    """Sum the books of issues of which none is kept: what is damaged from now on differs from them."""
    kept, issue = tables.books.c, tables.instruments.c
    lacking = select(issue.token).where(~exists().where(kept.token == issue.token))
    for token in connection.execute(lacking).scalars().all():
        bulk.upsert_rows(connection, tables.books, _summed(connection, token))


def forget(connection: Connection, to_block: int) -> None:
    """Drop the books of issues whose positions are about to be unwound; of all where accounts changed hands."""
    undo = tables.undo.c
    rows = connection.execute(select(undo.table_name, undo.row_key).where(undo.block_number > to_block)).all()
    if any(row.table_name == tables.accounts.name for row in rows):
        connection.execute(delete(tables.books))
        return
    keys = (msgspec.msgpack.decode(row.row_key) for row in rows if row.table_name == tables.positions.name)
    for token in {key[0] for key in keys}:
        connection.execute(delete(tables.books).where(tables.books.c.token == token))


def _deltas(connection: Connection, state: State) -> dict[_Name, list[int]]:
    moved, rebound = state.moved(), state.touched("accounts")
    state.prefetch({"accounts": {(held[_ACCOUNT],) for held, _ in moved}})
    found: dict[_Name, list[int]] = defaultdict(lambda: [0, 0])
    accounts, names = state.rows("accounts"), set[tuple[Address, Address]]()
    for held, old in moved:
        token, account, new = held[_TOKEN], held[_ACCOUNT], held[_BALANCE]
        now = accounts[account,]
        if (account,) in rebound:
            _add(found, token, rebound[account,], -old)
            _add(found, token, now, new)
        elif now is None:
            found[token, NOBODY][0] += new - old
        else:
            found[token, now.manager][now.owner_type == _CUSTOMER] += new - old
        if rebound:
            names.add((token, account))
    for token, account in _elsewhere(connection, state, rebound):
        units = state.position(token, account).balance
        if (token, account) not in names and units:
            _add(found, token, rebound[account,], -units)
            _add(found, token, state.get(Account, "accounts", account), units)
    return found


def _elsewhere(
    connection: Connection, state: State, rebound: Iterable[tuple[Address]]
) -> list[tuple[Address, Address]]:
    """Return where accounts that changed hands may hold units: new ones only where nobody's book has some."""
    before = state.touched("accounts")
    changed = [key[0] for key in rebound if _place(before[key]) != _place(state.get(Account, "accounts", *key))]
    if not changed:
        return []
    tokens = connection.execute(select(tables.instruments.c.token)).scalars().all()
    loose = {book.token for books in read_books(connection, tokens).values() for book in books if book[1] == NOBODY}
    keys = [
        (token, account) for account in changed for token in tokens if token in loose or before[account,] is not None
    ]
    state.prefetch({"positions": set(keys)})
    return keys


def _add(found: dict[_Name, list[int]], token: Address, account: Account | None, units: int) -> None:
    manager, is_customer = _place(account)
    found[token, manager][is_customer] += units


def _place(account: Account | None) -> tuple[MemberId, bool]:
    """Return in whose book an account's units stand, and whether as a customer's."""
    return (NOBODY, False) if account is None else (account.manager, account.owner_type == _CUSTOMER)


def _is_kept(connection: Connection, token: Address) -> bool:
    return bool(connection.execute(select(exists().where(tables.books.c.token == token))).scalar())


def _summed(connection: Connection, token: Address) -> list[Book]:
    held, bound = tables.positions.c, tables.accounts.c
    rows = connection.execute(
        select(bound.manager, bound.owner_type, cast(func.sum(held.balance), BigInteger).label("units"))
        .select_from(tables.positions)
        .outerjoin(tables.accounts, held.account == bound.account)
        .where(held.token == token)
        .group_by(bound.manager, bound.owner_type)
    )
    found: dict[MemberId, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        found[row.manager or NOBODY][row.owner_type == _CUSTOMER] += row.units
    return [Book(token, manager, *units) for manager, units in found.items()]
