# SPDX-License-Identifier: Apache-2.0
"""Cases: rows that differ from the chain. While one is open, orders that depend on the row are refused."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, func, select, tuple_, update

from stoken.db import bulk
from stoken.domain.facts import Address, MemberId
from stoken.ledger import tables
from stoken.ledger.verification import INVARIANTS, Difference
from stoken.mirror.store import Checkpoint

_log = structlog.get_logger(__name__)
_encode: Final = msgspec.msgpack.Encoder().encode


class Break(NamedTuple):
    """A case; `closed_at_ns` is None while it is open."""

    block_number: int
    table: str
    key: tuple[Any, ...]
    field: str
    block_hash: bytes
    token: Address
    mirror: str
    chain: str
    opened_at_ns: int
    closed_at_ns: int | None
    closed_by: str | None


class Notice(NamedTuple):
    """One notice of a broken invariant: to whom, the how-manieth, when."""

    block_number: int
    invariant: str
    subject: str
    stamped_at_ns: int
    place: int
    recipient: str
    institution: MemberId

    @property
    def id(self) -> str:
        """Name the notice by what it says, so that no counter need be kept."""
        return sha256("|".join(map(str, self[:5])).encode()).hexdigest()[:32]


class Addressee(NamedTuple):
    """Who reads notices: the roles it is told as, and its institution."""

    recipients: tuple[str, ...]
    institution: MemberId


def open_cases(connection: Connection, found: Sequence[Difference], at: Checkpoint, now_ns: int) -> int:
    """Open a case for each difference that has none yet, raise the alarm, and return how many were new."""
    known = {(case.table, case.key, case.field) for case in cases(connection, only_open=True)} if found else set()
    new = [item for item in found if (item.table, item.key, item.field) not in known]
    for item in new:
        _log.error(
            "ledger_break",
            table=item.table,
            key=[_plain(part) for part in item.key],
            field=item.field,
            mirror=item.mirror,
            chain=item.chain,
            block=at.number,
        )
    rows = [
        (at.number, item.table, _encode(item.key), item.field, at.hash, item.token, item.mirror, item.chain, now_ns)
        for item in new
    ]
    bulk.upsert_rows(connection, tables.ledger_breaks, [(*row, None, None) for row in rows])
    for item in new:
        if item.table == INVARIANTS:
            _notify(connection, item, at, now_ns)
    return len(new)


def _notify(connection: Connection, item: Difference, at: Checkpoint, now_ns: int) -> None:
    """Stamp the notices of a broken invariant in their order: the institutions, the registrar, the supervisor."""
    name, subject = item.key
    lei = subject.partition("/")[2].encode()
    managers = select(tables.books.c.manager).where(tables.books.c.token == item.token, tables.books.c.manager != b"")
    institutions = [lei] if lei else sorted(connection.execute(managers).scalars())
    told = [*(("ACCOUNT_MANAGER", each) for each in institutions), ("REGISTRAR", b""), ("SUPERVISOR", b"")]
    rows = [(at.number, name, subject, now_ns, place, *whom) for place, whom in enumerate(told, 1)]
    bulk.upsert_rows(connection, tables.break_notices, rows)
    for *_, place, recipient, institution in rows:
        _log.error("ledger_break_notice", invariant=name, subject=subject, place=place, to=recipient, who=institution)


def notices(
    connection: Connection, to: Addressee | None = None, offset: int = 0, limit: int | None = None
) -> list[Notice]:
    """Return the notices of broken invariants, oldest first, each break's in its order: all, or those to somebody."""
    table = tables.break_notices
    query = select(table).order_by(*table.primary_key.columns).offset(offset).limit(limit)
    if to is not None:
        to_whom = table.c.recipient.in_(to.recipients), table.c.institution.in_((b"", to.institution))
        query = query.where(*to_whom)
    return [Notice(*row) for row in connection.execute(query)]


def cases(connection: Connection, *, only_open: bool) -> list[Break]:
    """Return the cases, oldest first."""
    table = tables.ledger_breaks
    query = select(table).order_by(*table.primary_key.columns)
    rows = connection.execute(query.where(table.c.closed_at_ns.is_(None)) if only_open else query)
    return [Break(row[0], row[1], tuple(msgspec.msgpack.decode(row[2])), *row[3:]) for row in rows]


def close_cases(connection: Connection, healed: Sequence[Break], operator: str, now_ns: int) -> None:
    """Close cases in an operator's name; the caller compared their rows with the chain again."""
    table = tables.ledger_breaks
    keys = [(case.block_number, case.table, _encode(case.key), case.field) for case in healed]
    same = tuple_(*table.primary_key.columns)
    for key in keys:
        connection.execute(update(table).where(same == tuple_(*key)).values(closed_at_ns=now_ns, closed_by=operator))


def broken(connection: Connection) -> tuple[tuple[Address, ...], tuple[MemberId, ...]]:
    """Return tokens of which a quantity invariant is broken, an empty one for all, and the institutions concerned."""
    found = [case for case in cases(connection, only_open=True) if case.table == INVARIANTS]
    institutions = {case.key[1].partition("/")[2].encode() for case in found} - {b""}
    return tuple(sorted({case.token for case in found})), tuple(sorted(institutions))


def halted_tokens(connection: Connection) -> tuple[Address, ...]:
    """Return in ascending order the tokens of which a row is in question; an empty one stands for all of them."""
    table = tables.ledger_breaks.c
    rows = select(table.token).where(table.closed_at_ns.is_(None), table.table_name != INVARIANTS)
    found = connection.execute(rows.distinct())
    return tuple(sorted(found.scalars()))


def quarantined_logs(connection: Connection) -> int:
    """Return how many logs were malformed and changed nothing."""
    return int(connection.execute(select(func.count()).select_from(tables.quarantine)).scalar_one())


def _plain(part: Any) -> str:  # noqa: ANN401 - a part of any key
    return f"0x{part.hex()}" if isinstance(part, bytes) else str(part)
