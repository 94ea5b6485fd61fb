# SPDX-License-Identifier: Apache-2.0
"""The register of an issue, as of a final block or of a record date."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from stoken.bootstrap import GatewayServices
from stoken.db import reading
from stoken.domain.codes import Role
from stoken.errors import InvalidInputError
from stoken.gateway.access import Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, Amount, Hash, Isin, Schema
from stoken.gateway.services import Services
from stoken.issuance import entries
from stoken.issuance.queries import RequestStatus
from stoken.ledger import queries, statements
from stoken.ledger.final_blocks import final_block_record
from stoken.mirror.seals import quorum

router = APIRouter(tags=["register"])
_Reader = Annotated[Principal, Depends(Requires(Role.REGISTRAR | Role.SUPERVISOR | Role.VENUE))]


class HoldingView(Schema):
    """One line of the register."""

    account: Address
    units: Amount


class RegisterView(Schema):
    """Who held an issue, as of a final block."""

    isin: str
    token: Address
    block_number: int
    block_hash: Hash
    block_time: int
    rule_set: int
    units: Amount
    holdings: list[HoldingView]


class TrustMarkView(Schema):
    """Units of a line that a trustee holds for others."""

    id: Hash
    trustee: Address
    units: Amount


class LineView(Schema):
    """One owner: all its units, and those of them that may not move; `restricted` is without the trust marks."""

    account: Address
    units: Amount
    locked_up: Amount
    pledged: Amount
    trust_marked: Amount
    restricted: Amount
    frozen: Amount
    held: Amount
    account_frozen: bool
    trust_marks: list[TrustMarkView]


class StatementView(Schema):
    """Who held an issue at a record date; the lines add up to `supply`, the units that then existed."""

    isin: str
    token: Address
    record_date: int
    record_block: int
    block_hash: Hash
    block_time: int
    supply: Amount
    lines: list[LineView]


class RecordDateOf(Schema):
    """A declared record date, by its id, its block or its day in Seoul; by default the last one."""

    record_date: Annotated[int | None, Query(ge=1, lt=2**24)] = None
    block: Annotated[int | None, Query(ge=0, lt=2**63)] = None
    date_: Annotated[date | None, Field(alias="date")] = None


class AsOf(Schema):
    """As of a block or of the end of a date in Seoul; by default as of the last final block."""

    block: Annotated[int | None, Query(ge=0, lt=2**63)] = None
    date_: Annotated[date | None, Field(alias="date")] = None


def _read(services: GatewayServices, isin: str, as_of: AsOf) -> RegisterView:
    with reading(services.ledger) as connection:
        found = queries.register(connection, isin, at_block=as_of.block, at_date=as_of.date_)
    return RegisterView(
        isin=found.isin,
        token=found.token,
        block_number=found.block.number,
        block_hash=found.block.hash,
        block_time=found.block.time,
        rule_set=found.rule_set,
        units=found.units,
        holdings=[HoldingView(account=holding.account, units=holding.units) for holding in found.holdings],
    )


class EntryView(Schema):
    """A request by its place in the order of receipt, and its place in the register; nulls until it is entered."""

    sequence: int
    tenant: str
    id: str
    kind: str | None
    status: RequestStatus
    received_at: Amount
    entered_at: int | None
    block_number: int | None
    transaction_hash: Hash | None


class After(Schema):
    """A page of what was asked for, from above a sequence."""

    after: Annotated[int, Query(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000


def _entries(services: GatewayServices, page: After) -> list[EntryView]:
    with reading(services.ledger) as connection:
        found = entries.entries(connection, page.after, page.limit)
    return [
        EntryView(
            sequence=each.sequence,
            tenant=each.tenant,
            id=each.id,
            kind=each.kind,
            status=each.status,
            received_at=each.received_at_ns,
            entered_at=each.entered_at,
            block_number=each.block_number,
            transaction_hash=each.transaction_hash,
        )
        for each in found
    ]


class FinalBlockView(Schema):
    """A final block that says something of ours; without validators and seals where the engine has none."""

    block_number: int
    block_hash: Hash
    block_time: int
    final_at: Amount
    rule: str
    round: int | None
    quorum: int
    commit_seals: list[Address]
    validators: list[Address]


def _final_block(services: GatewayServices, number: int) -> FinalBlockView:
    with reading(services.ledger) as connection:
        found = final_block_record(connection, number)
    return FinalBlockView(
        block_number=found.number,
        block_hash=found.hash,
        block_time=found.time,
        final_at=found.final_at_ns,
        rule=found.rule,
        round=found.round,
        quorum=quorum(len(found.validators)),
        commit_seals=list(found.signers),
        validators=list(found.validators),
    )


@router.get("/final-blocks/{number}")
async def read_final_block(
    number: Annotated[int, Path(ge=0, lt=2**63)], services: Services, _: _Reader
) -> FinalBlockView:
    """Say since when a block is final, by which rule and whose seals; refused above the last final block."""
    return await asyncio.to_thread(_final_block, services, number)


@router.get("/register-entries")
async def read_entries(page: Annotated[After, Query()], services: Services, _: _Reader) -> list[EntryView]:
    """Return what institutions asked to be entered, in the order of receipt, and when it was."""
    return await asyncio.to_thread(_entries, services, page)


@router.get("/register/{isin}")
async def read_register(isin: Isin, as_of: Annotated[AsOf, Query()], services: Services, _: _Reader) -> RegisterView:
    """Return the register of an issue."""
    if as_of.block is not None and as_of.date_ is not None:
        raise InvalidInputError("block: a block and a date exclude each other", {"field": "block"})
    return await asyncio.to_thread(_read, services, isin, as_of)


def _state(services: GatewayServices, isin: str, named: RecordDateOf) -> StatementView:
    with reading(services.ledger) as connection:
        found = statements.owner_statement(
            connection, isin, record_date=named.record_date, at_block=named.block, at_date=named.date_
        )
    return StatementView(
        isin=found.isin,
        token=found.token,
        record_date=found.record_date,
        record_block=found.block.number,
        block_hash=found.block.hash,
        block_time=found.block.time,
        supply=found.supply,
        lines=[_line(line) for line in found.lines],
    )


def _line(line: statements.Line) -> LineView:
    marks = [TrustMarkView(**mark._asdict()) for mark in line.trust_marks]
    return LineView(**(line._asdict() | {"trust_marks": marks}))


@router.get("/register/{isin}/statement")
async def read_statement(
    isin: Isin, named: Annotated[RecordDateOf, Query()], services: Services, _: _Reader
) -> StatementView:
    """Return the owner statement of a declared record date, refused where its lines do not add up to the issue."""
    return await asyncio.to_thread(_state, services, isin, named)
