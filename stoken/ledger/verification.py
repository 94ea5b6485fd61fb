# SPDX-License-Identifier: Apache-2.0
"""The ledger's rows against the contracts, in batches, each at the block at which the mirror stands in that moment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection, literal, select, tuple_

from stoken.domain.facts import Address
from stoken.ledger import tables
from stoken.ledger.invariants import Invariant, invariants
from stoken.ledger.questions import Contracts, questions, token_of
from stoken.ledger.rows import ROWS
from stoken.mirror.pinned import ViewCall
from stoken.mirror.store import Checkpoint, read_checkpoint

Key = tuple[Any, ...]
#: The name under which a broken quantity invariant is reported in place of a table's.
INVARIANTS: Final = "invariants"
#: What cases name in the place of a table where a block lacks logs that its receipts have.
ROOTS: Final = "roots"
_TOTAL_SUPPLY: Final = bytes.fromhex("18160ddd")


class Chain(Protocol):
    """Whoever can ask the contracts at a block."""

    def ask(self, calls: Sequence[ViewCall], block_hash: bytes) -> list[bytes | None]:
        """Return what each view answers, None where it reverts."""
        ...


class Difference(NamedTuple):
    """A field of a row in which ledger and chain differ."""

    table: str
    key: Key
    token: Address
    field: str
    mirror: str
    chain: str


class Batch(NamedTuple):
    """What a comparison of some rows found; `last` is the key of the last one, None at the end of the table."""

    at: Checkpoint
    rows: int
    last: Key | None
    differences: list[Difference]


def broken_of(found: Iterable[Invariant], tokens: Mapping[str, Address]) -> list[Difference]:
    """Return the invariants that do not hold as differences, each of the token that its subject's ISIN names."""
    return [
        Difference(
            INVARIANTS,
            (item.name, item.subject),
            tokens.get(item.subject.partition("/")[0], b""),
            item.name,
            str(item.left),
            str(item.right),
        )
        for item in found
        if not item.holds
    ]


class Verification:
    """Compares one database with the contracts of one suite."""

    def __init__(self, suite: Mapping[str, Address], chain: Chain) -> None:
        """Take the addresses of the suite file, and who asks the contracts."""
        self._suite = suite
        self._chain = chain

    def batch(self, connection: Connection, table: str, after: Key | None, limit: int) -> Batch:
        """Compare the next rows of a table; the connection must see one moment of the database."""
        rows = _rows_after(connection, table, after, limit)
        at = read_checkpoint(connection)
        found = self._compare(connection, at, table, rows)
        return Batch(at, len(rows), rows[-1][: ROWS[table][1]] if len(rows) == limit else None, found)

    def row(self, connection: Connection, table: str, key: Key) -> list[Difference]:
        """Compare one row; nothing differs where there is none."""
        columns = list(tables.STATE[table].primary_key.columns)
        same = [column == value for column, value in zip(columns, key, strict=True)]
        rows = [tuple(row) for row in connection.execute(select(tables.STATE[table]).where(*same))]
        return self._compare(connection, read_checkpoint(connection), table, rows)

    def invariants(self, connection: Connection) -> list[Invariant]:
        """Return the quantity invariants, Q4 with the supplies that the tokens answer at the mirror's block."""
        known = tables.instruments.c
        tokens = list(connection.execute(select(known.token).where(known.compliance != b"")).scalars())
        return invariants(connection, self.supplies(read_checkpoint(connection), tokens))

    def supplies(self, at: Checkpoint, tokens: Sequence[Address]) -> dict[Address, int]:
        """Return what tokens answer to totalSupply() at a block, zero where one does not answer."""
        calls = [ViewCall(token, _TOTAL_SUPPLY) for token in tokens]
        answers = self._chain.ask(calls, at.hash) if calls else []
        return {token: int.from_bytes(answer or b"") for token, answer in zip(tokens, answers, strict=True)}

    def totals(self, connection: Connection) -> list[Difference]:
        """Return the broken invariants: a position that is missing shows in its token's sum, if nowhere else."""
        known = tables.instruments.c
        tokens: dict[str, Address] = {
            row.isin: row.token for row in connection.execute(select(known.isin, known.token))
        }
        return broken_of(self.invariants(connection), tokens)

    def _compare(self, connection: Connection, at: Checkpoint, table: str, rows: Sequence[Key]) -> list[Difference]:
        if not rows:
            return []
        contracts = Contracts(self._suite, _tokens(connection))
        row_type, width = ROWS[table]
        asked = [(row, question) for row in rows for question in questions(contracts, table, row)]
        calls = [ViewCall(question.to, question.calldata) for _, question in asked]
        answers = self._chain.ask(calls, at.hash) if calls else []
        return [
            Difference(table, row[:width], token_of(contracts, row_type(*row)), field, _text(mirror), _text(chain))
            for (row, question), answer in zip(asked, answers, strict=True)
            for field, mirror, chain in question.differences(answer)
        ]


def _rows_after(connection: Connection, table: str, after: Key | None, limit: int) -> list[Key]:
    held = tables.STATE[table]
    columns = list(held.primary_key.columns)
    query = select(held).order_by(*columns).limit(limit)
    if after is not None:
        bounds = [literal(value, column.type) for value, column in zip(after, columns, strict=True)]
        query = query.where(tuple_(*columns) > tuple_(*bounds))
    return [tuple(row) for row in connection.execute(query)]


def _tokens(connection: Connection) -> dict[Address, Address]:
    known = tables.instruments.c
    rows = connection.execute(select(known.compliance, known.token).where(known.compliance != b""))
    return {row.compliance: row.token for row in rows}


def _text(value: object) -> str:
    """Write a value as the case shows it."""
    if value is None:
        return "no answer"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    return str(value)
