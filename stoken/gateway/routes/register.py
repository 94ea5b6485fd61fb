# SPDX-License-Identifier: Apache-2.0
"""The register of an issue, as of a final block or of a record date."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from stoken.bootstrap import GatewayServices
from stoken.db import reading
from stoken.domain.codes import Role
from stoken.errors import InvalidInputError
from stoken.gateway.access import Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, Amount, Hash, Isin, Schema
from stoken.gateway.services import Services
from stoken.ledger import queries

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


@router.get("/register/{isin}")
async def read_register(isin: Isin, as_of: Annotated[AsOf, Query()], services: Services, _: _Reader) -> RegisterView:
    """Return the register of an issue."""
    if as_of.block is not None and as_of.date_ is not None:
        raise InvalidInputError("block: a block and a date exclude each other", {"field": "block"})
    return await asyncio.to_thread(_read, services, isin, as_of)
