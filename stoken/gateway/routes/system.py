# SPDX-License-Identifier: Apache-2.0
"""What needs no token: is the gateway alive, is it ready, and what does a problem's code mean."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Depends, Response

from stoken.bootstrap import GatewayServices
from stoken.db import reading, schema
from stoken.errors import NotFoundError, StartupError, UnavailableError
from stoken.gateway.access import Anybody
from stoken.gateway.problems import known_codes
from stoken.gateway.schemas import Schema
from stoken.gateway.services import Services
from stoken.mirror.utc import last_reading
from stoken.orders.venue import Venue

router = APIRouter(tags=["system"])
_PUBLIC = [Depends(Anybody())]


class Health(Schema):
    """The process answers."""

    status: Literal["up"]


class Readiness(Schema):
    """Whether orders are taken; if not, what stands in the way.

    `clock_within` says whether the clock was within its limit at the last reading, null before the first.
    """

    ready: bool
    journal: bool
    schema_current: bool
    ledger_current: bool
    #: Closed to orders because a row or a verdict differs from the chain's.
    halted_tokens: list[str]
    block_number: int
    clock_within: bool | None


class ProblemPage(Schema):
    """What a problem's code means."""

    code: str
    title: str


@router.get("/health", dependencies=_PUBLIC)
async def health() -> Health:
    """Say that the process answers."""
    return Health(status="up")


@router.get("/ready", dependencies=_PUBLIC, responses={503: {"model": Readiness, "description": "Not ready."}})
async def ready(services: Services, response: Response) -> Readiness:
    """Say whether the actor runs, both schemas are right, the mirror is current and no token is halted."""
    schema_current = await asyncio.to_thread(_schema_current, services)
    clock_within = await asyncio.to_thread(_clock_within, services) if schema_current else None
    try:
        block, current, halted = await services.actor.read(_ledger)
    except UnavailableError:
        block, current, halted, journal = -1, False, (), False
    else:
        journal = True
    state = Readiness(
        ready=schema_current and current and journal and not halted,
        journal=journal,
        schema_current=schema_current,
        ledger_current=current,
        halted_tokens=[f"0x{token.hex()}" for token in halted if token],
        block_number=block,
        clock_within=clock_within,
    )
    response.status_code = 200 if state.ready else 503
    return state


def _ledger(venue: Venue) -> tuple[int, bool, tuple[bytes, ...]]:
    state = venue.state
    block = state.chain.block_number
    return block, state.ledger_current and block >= 0, tuple(state.halted_tokens)


def _schema_current(services: GatewayServices) -> bool:
    try:
        schema.check(services.market)
        schema.check(services.ledger)
    except StartupError:
        return False
    return True


def _clock_within(services: GatewayServices) -> bool | None:
    with reading(services.market) as connection:
        last = last_reading(connection, "serve")
    return None if last is None else last.within


@router.get("/problems/{code}", dependencies=_PUBLIC)
async def explain_problem(code: str) -> ProblemPage:
    """Explain a code, as the `type` of a problem promises."""
    title = known_codes().get(code)
    if title is None:
        raise NotFoundError
    return ProblemPage(code=code, title=title)
