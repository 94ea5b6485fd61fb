# SPDX-License-Identifier: Apache-2.0
"""What the venue's operator decides: admissions, halts and, in a demo, the market's clock."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from stoken.domain.codes import Role
from stoken.domain.identifiers import is_isin, is_lei
from stoken.domain.refusals import Refusal
from stoken.errors import ForbiddenError, RefusedError
from stoken.gateway.access import Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, AmountIn, Isin, PositiveIn, Schema
from stoken.gateway.services import Services
from stoken.gateway.verdicts import raise_if_refused
from stoken.orders.entries import ClockShifted, InstrumentAdmitted, InstrumentHalted

router = APIRouter(tags=["venue"])
_Operator = Annotated[Principal, Depends(Requires(Role.VENUE))]
_NS = 1_000_000_000
#: A year and a day: a calendar has no days far beyond that.
_SHIFT_MAX = 367 * 86_400


class AdmissionBody(Schema):
    """The terms on which an instrument may trade."""

    isin: Isin
    token: Address
    instrument_type: Annotated[str, Field(min_length=1, max_length=32)]
    lot: PositiveIn
    net_asset_value: PositiveIn
    reference_price: AmountIn = 0
    parties: Annotated[tuple[str, ...], Field(max_length=32)] = ()


class HaltBody(Schema):
    """Suspends trading in an instrument (true), or resumes it (false)."""

    isin: Isin
    halted: bool


class ClockBody(Schema):
    """How far the market's clock runs ahead of UTC."""

    offset_seconds: Annotated[int, Field(ge=-_SHIFT_MAX, le=_SHIFT_MAX)]


class Recorded(Schema):
    """The decision stands in the journal at this sequence."""

    sequence: int


@router.post("/admissions", status_code=201)
async def admit_instrument(body: AdmissionBody, services: Services, _: _Operator) -> Recorded:
    """Admit an instrument, or take new terms of an admitted one."""
    for kind, identifier, valid in (("ISIN", body.isin, is_isin), *(("LEI", lei, is_lei) for lei in body.parties)):
        if not valid(identifier):
            raise RefusedError(Refusal.IDENTIFIER_INVALID, f"{identifier} is not a valid {kind} (check digit)")
    entry = InstrumentAdmitted(
        received_at_ns=0,
        isin=body.isin,
        token=body.token,
        instrument_type=body.instrument_type,
        lot=body.lot,
        net_asset_value=body.net_asset_value,
        reference_price=body.reference_price,
        parties=body.parties,
    )
    outcome = await services.actor.submit(entry)
    raise_if_refused(outcome.answer)
    return Recorded(sequence=outcome.sequence)


@router.post("/halts", status_code=201)
async def halt_instrument(body: HaltBody, services: Services, _: _Operator) -> Recorded:
    """Suspend or resume trading in an instrument."""
    outcome = await services.actor.submit(InstrumentHalted(0, body.isin, body.halted))
    raise_if_refused(outcome.answer)
    return Recorded(sequence=outcome.sequence)


@router.post("/clock", status_code=201)
async def shift_clock(body: ClockBody, services: Services, _: _Operator) -> Recorded:
    """Shift the market's clock: in demo and tests alone, where the settings allow it."""
    if not services.demo_clock:
        raise ForbiddenError("the market's clock is shifted in a demo alone")
    outcome = await services.actor.submit(ClockShifted(0, body.offset_seconds * _NS))
    raise_if_refused(outcome.answer)
    return Recorded(sequence=outcome.sequence)
