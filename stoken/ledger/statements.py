# SPDX-License-Identifier: Apache-2.0
"""The owner statement of a record date: who held an issue, in which state, and that the lines add up to the issue.

A record date is a place within a block: what moved after it in the same block does not count. The lines come from the
positions as that block left them, less those moves; supply and encumbrances from the feed, folded to that very place.
Two ways to one figure, so that a row that was changed behind the ledger's back is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from stoken.domain import facts
from stoken.domain.chain_records import Position
from stoken.domain.chain_state import ChainState
from stoken.domain.codes import EncumbranceKind
from stoken.domain.facts import Address, Fact
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.ledger import tables
from stoken.ledger.feed import decode_facts, final_blocks
from stoken.ledger.queries import MARKET_ZONE, Moment, final_block, instrument, register
from stoken.ledger.rows import RecordDate

#: Facts of one token that its positions follow from.
_OF_TOKEN: Final = (facts.Transferred, facts.AddressFrozen, facts.UnitsFrozen)
#: Facts that name what they end by its id, so those of every token are followed.
_BY_ID: Final = (
    facts.EncumbranceSet,
    facts.EncumbranceReleased,
    facts.EncumbrancesMoved,
    facts.EncumbranceCarried,
    facts.EncumbranceRescaled,
    facts.TradeHeld,
    facts.HoldReleased,
    facts.TradeSettled,
)


class TrustMark(NamedTuple):
    """Units of a line that a trustee holds for others."""

    id: bytes
    trustee: Address
    units: int


class Line(NamedTuple):
    """One owner: all its units, and those of them that may not move; `restricted` is without the trust marks."""

    account: Address
    units: int
    locked_up: int
    pledged: int
    trust_marked: int
    restricted: int
    frozen: int
    held: int
    account_frozen: bool
    trust_marks: tuple[TrustMark, ...]


@dataclass(frozen=True, slots=True)
class OwnerStatement:
    """Who held an issue at a record date; the lines add up to `supply`, the units that then existed."""

    isin: str
    token: Address
    record_date: int
    block: Moment
    supply: int
    lines: tuple[Line, ...]


def owner_statement(
    connection: Connection,
    isin: str,
    *,
    record_date: int | None = None,
    at_block: int | None = None,
    at_date: date | None = None,
) -> OwnerStatement:
    """Return the statement of a declared record date, named by id, block or day in the market's zone; else the last.

    Raises CA_RECORD_DATE_INVALID where none was declared there, LEDGER_NOT_FINAL above the last final block and
    RECONCILIATION_BREAK where lines and issue differ.
    """
    token = instrument(connection, isin).token
    declared = _declared(connection, token, record_date, at_block, at_date)
    block = final_block(connection, declared.block_number)
    state, later = _fold(connection, declared)
    held = dict(register(connection, isin, at_block=block.number).holdings)
    for fact in later:
        held[fact.sender] = held.get(fact.sender, 0) + fact.units
        held[fact.receiver] = held.get(fact.receiver, 0) - fact.units
    held.pop(bytes(20), None)
    security = state.token(token)
    _require_equal(isin, {account: units for account, units in held.items() if units}, state, token)
    marks = _trust_marks(state, token)
    lines = sorted(_line(account, security.held_by(account), marks.get(account, ())) for account in held)
    return OwnerStatement(isin, token, declared.id, block, security.supply, tuple(line for line in lines if line.units))


def record_dates(connection: Connection, isin: str) -> list[RecordDate]:
    """Return the record dates that were declared of an issue, at the mirror's head."""
    token = instrument(connection, isin).token
    columns = tables.record_dates.c
    rows = connection.execute(select(tables.record_dates).where(columns.token == token).order_by(columns.id))
    return [RecordDate(*row) for row in rows]


def _declared(
    connection: Connection, token: Address, record_date: int | None, at_block: int | None, at_date: date | None
) -> RecordDate:
    """Return the record date meant; of several in one block or on one day the last."""
    columns = tables.record_dates.c
    query = select(tables.record_dates).where(columns.token == token).order_by(columns.id.desc())
    for row in connection.execute(query):
        found = RecordDate(*row)
        wanted = (
            record_date in {None, found.id}
            and at_block in {None, found.block_number}
            and at_date in {None, datetime.fromtimestamp(found.time, MARKET_ZONE).date()}
        )
        if wanted:
            return found
    named: dict[str, Any] = {"id": record_date, "block": at_block, "date": at_date and at_date.isoformat()}
    details = {name: value for name, value in named.items() if value is not None}
    raise RefusedError(Refusal.CA_RECORD_DATE_INVALID, "no record date was declared there", details)


def _fold(connection: Connection, declared: RecordDate) -> tuple[ChainState, list[facts.Transferred]]:
    """Fold the feed to a record date; return with it the moves of the token that its block made afterwards."""
    state, later = ChainState(), list[facts.Transferred]()
    while state.block_number < declared.block_number:
        for block in final_blocks(connection, state.block_number):
            told = decode_facts(block.facts)
            if block.number == declared.block_number:
                place = _place(told, declared) + 1
                told, rest = told[:place], told[place:]
                later = [one for one in rest if isinstance(one, facts.Transferred) and one.token == declared.token]
            state.apply_block(block.number, block.hash, block.time, _relevant(told, declared.token))
            if block.number == declared.block_number:
                break
    return state, later


def _place(told: tuple[Fact, ...], declared: RecordDate) -> int:
    for place, fact in enumerate(told):
        if isinstance(fact, facts.RecordDateSet) and (fact.token, fact.id) == (declared.token, declared.id):
            return place
    raise RefusedError(Refusal.RECONCILIATION_BREAK, details={"id": declared.id, "block": declared.block_number})


def _relevant(told: tuple[Fact, ...], token: Address) -> Iterator[Fact]:
    for fact in told:
        if isinstance(fact, _BY_ID) or (isinstance(fact, _OF_TOKEN) and fact.token == token):
            yield fact


def _require_equal(isin: str, held: dict[Address, int], state: ChainState, token: Address) -> None:
    security = state.token(token)
    told = {account: each.balance for account, each in security.positions.items() if each.balance}
    if sum(held.values()) == security.supply and held == told:
        return
    apart = sorted(account for account in {*held, *told} if held.get(account) != told.get(account))
    raise RefusedError(
        Refusal.RECONCILIATION_BREAK,
        "the lines of the statement differ from the issue",
        {
            "isin": isin,
            "units": str(sum(held.values())),
            "supply": str(security.supply),
            "account": f"0x{apart[0].hex()}" if apart else None,
        },
    )


def _trust_marks(state: ChainState, token: Address) -> dict[Address, tuple[TrustMark, ...]]:
    found: dict[Address, tuple[TrustMark, ...]] = {}
    for id_, held in sorted(state.encumbrances.items()):
        if held.token == token and held.kind == EncumbranceKind.TRUST_MARK:
            found[held.account] = (*found.get(held.account, ()), TrustMark(id_, held.party, held.units))
    return found


def _line(account: Address, position: Position, marks: tuple[TrustMark, ...]) -> Line:
    marked = sum(mark.units for mark in marks)
    return Line(
        account,
        position.balance,
        position.lockup,
        position.pledged,
        marked,
        position.restricted - marked,
        position.frozen_units,
        position.held,
        position.frozen,
        marks,
    )
