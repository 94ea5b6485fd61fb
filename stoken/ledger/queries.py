# SPDX-License-Identifier: Apache-2.0
"""The register and what surrounds it, as of a final block: nothing that may be undone is shown here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal
from stoken.errors import NotFoundError, RefusedError
from stoken.ledger import tables
from stoken.ledger.rows import CashAccount, Instrument, Position, RuleSet, Trade
from stoken.mirror.store import final_number_at, read_checkpoint

MARKET_ZONE: Final = ZoneInfo("Asia/Seoul")


class Moment(NamedTuple):
    """A final block."""

    number: int
    hash: bytes
    time: int


class Holding(NamedTuple):
    """One line of a register."""

    account: Address
    units: int


@dataclass(frozen=True, slots=True)
class Register:
    """Who owned an issue when a block was final; `rule_set` is the version of the rules then in force, 0 for none."""

    isin: str
    token: Address
    block: Moment
    rule_set: int
    holdings: tuple[Holding, ...]

    @property
    def units(self) -> int:
        """Return the sum of the holdings."""
        return sum(holding.units for holding in self.holdings)


@dataclass(frozen=True, slots=True)
class Termination:
    """How an issue ended: its block, the units ever minted and burned, and what is still held: nothing, or a break."""

    isin: str
    token: Address
    block: Moment
    minted: int
    burned: int
    residual: int


def final_block(connection: Connection, number: int | None = None) -> Moment:
    """Return a final block, by default the last; raises LEDGER_NOT_FINAL above it and NotFoundError below zero."""
    final = read_checkpoint(connection).final_number
    at = final if number is None else number
    if at > final:
        raise RefusedError(Refusal.LEDGER_NOT_FINAL, details={"block": at, "final": final})
    columns = tables.blocks.c
    row = connection.execute(select(columns.number, columns.hash, columns.time).where(columns.number == at)).first()
    if row is None:
        raise NotFoundError("there is no such block", {"block": at})
    return Moment(*row)


def block_of_date(connection: Connection, day: date) -> Moment:
    """Return the last final block so far of a day, or of the days before it, in the market's time zone."""
    end = datetime.combine(day + timedelta(days=1), time(), MARKET_ZONE).astimezone(UTC)
    number = final_number_at(connection, int(end.timestamp()))
    if number is None:
        raise NotFoundError("the ledger has no block that early", {"date": day.isoformat()})
    return final_block(connection, number)


def register(
    connection: Connection, isin: str, *, at_block: int | None = None, at_date: date | None = None
) -> Register:
    """Return the register of an issue as of a block or a record date, by default as of the last final block."""
    token = instrument(connection, isin)
    block = final_block(connection, at_block) if at_date is None else block_of_date(connection, at_date)
    rules = rule_set(connection, token.compliance, block.number)
    rows = connection.execute(_positions_at(block.number, tables.positions.c.token == token.token))
    holdings = sorted(Holding(row.account, row.balance) for row in rows if row.balance)
    return Register(isin, token.token, block, 0 if rules is None else rules.version, tuple(holdings))


def termination(connection: Connection, isin: str) -> Termination:
    """Return how an issue ended; NotFoundError where it has not in a final block.

    The residual is counted over the accounts, not taken from the supply, so that each shows an error of the other.
    """
    token = instrument(connection, isin)
    if not token.terminated or token.terminated_block > read_checkpoint(connection).final_number:
        raise NotFoundError("the issue is not terminated", {"isin": isin})
    held = tables.positions.c
    residual = select(func.coalesce(func.sum(held.balance), 0)).where(held.token == token.token)
    block = final_block(connection, token.terminated_block)
    found = int(connection.execute(residual).scalar_one())
    return Termination(isin, token.token, block, token.minted, token.burned, found)


def positions(connection: Connection, account: Address, *, at_block: int | None = None) -> list[Position]:
    """Return what an account holds, issue by issue, as of a final block."""
    block = final_block(connection, at_block)
    held = tables.positions.c
    # By the primary key, which begins with the token: an index by account would cost every transfer.
    wanted = (held.account == account) & held.token.in_(select(tables.instruments.c.token))
    rows = connection.execute(_positions_at(block.number, wanted))
    return sorted(Position(*row) for row in rows)


def instrument(connection: Connection, isin: str) -> Instrument:
    """Return an issue by its ISIN; NotFoundError where none was created."""
    query = select(tables.instruments).where(tables.instruments.c.isin == isin).order_by(tables.instruments.c.token)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("no issue with this ISIN is on the ledger", {"isin": isin})
    return Instrument(*row)


def instruments(connection: Connection) -> list[Instrument]:
    """Return all issues by ISIN, at the mirror's head."""
    rows = connection.execute(select(tables.instruments).where(tables.instruments.c.isin != ""))
    return sorted((Instrument(*row) for row in rows), key=lambda item: item.isin)


def rule_set(connection: Connection, compliance: Address, at_block: int) -> RuleSet | None:
    """Return the rules in force at a block: the latest announced of those already effective."""
    columns = tables.rule_sets.c
    row = connection.execute(
        select(tables.rule_sets)
        .where(columns.compliance == compliance, columns.effective_block <= at_block)
        .order_by(columns.version.desc())
        .limit(1)
    ).first()
    return None if row is None else RuleSet(*row)


def cash_accounts(connection: Connection) -> list[CashAccount]:
    """Return the members' accounts in the deposit token, at the mirror's head."""
    return sorted(CashAccount(*row) for row in connection.execute(select(tables.cash_accounts)))


def settled_trades(connection: Connection, *, after: int = 0, limit: int = 1_000) -> list[Trade]:
    """Return trades that settled in final blocks, in the order of venue and trade id, from above an id."""
    columns = tables.trades.c
    final = read_checkpoint(connection).final_number
    rows = connection.execute(
        select(tables.trades)
        .where(columns.settled, columns.trade_id > after, columns.block_number <= final)
        .order_by(columns.venue, columns.trade_id)
        .limit(limit)
    )
    return [Trade(*row) for row in rows]


def _positions_at(block: int, wanted: ColumnElement[bool]) -> Select[Any]:
    """Select positions as a block left them: the row itself where it is older, else its last change by then."""
    now, then = tables.positions, tables.position_changes
    unchanged = select(now).where(wanted, now.c.changed_block <= block)
    last = (
        select(func.max(then.c.changed_block))
        .where(then.c.number == now.c.number, then.c.changed_block <= block)
        .scalar_subquery()
    )
    moved = (
        select(now.c.token, now.c.account, now.c.number.label("of"), last.label("at"))
        .where(wanted, now.c.changed_block > block)
        .subquery()
    )
    changed = select(moved.c.token, moved.c.account, *then.c).join(
        then, (then.c.number == moved.c.of) & (then.c.changed_block == moved.c.at)
    )
    return select(union_all(unchanged, changed).subquery())
