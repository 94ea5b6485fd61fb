# SPDX-License-Identifier: Apache-2.0
"""Notices of broken invariants: each addressee reads and acknowledges its own, and both are stamped."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from stoken.bootstrap import GatewayServices
from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role
from stoken.errors import NotFoundError
from stoken.gateway.access import Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Amount, Schema
from stoken.gateway.services import Services
from stoken.ledger import breaks
from stoken.ledger.breaks import Addressee, Notice
from stoken.parties import receipts
from stoken.parties.receipts import Receipt

router = APIRouter(prefix="/notices", tags=["notices"])
_ADDRESSEES = Role.ACCOUNT_MANAGER | Role.REGISTRAR | Role.SUPERVISOR
_Caller = Annotated[Principal, Depends(Requires(_ADDRESSEES))]


class NoticeView(Schema):
    """A notice of a broken invariant: the how-manieth of its break, and when it was stamped, read, acknowledged."""

    id: str
    block_number: int
    invariant: str
    subject: str
    place: int
    recipient: str
    institution: str | None
    stamped_at: Amount
    read_at: Amount
    acknowledged_at: Amount | None
    acknowledged_by: str | None


class Page(Schema):
    """A page of notices: how many older ones are passed over, and how many follow at most."""

    offset: Annotated[int, Query(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000


def _addressee(caller: Principal) -> Addressee:
    return Addressee(tuple(role.name for role in _ADDRESSEES & caller.roles if role.name), caller.member)


def _read(services: GatewayServices, caller: Principal, page: Page) -> list[NoticeView]:
    with reading(services.ledger) as connection:
        own = breaks.notices(connection, _addressee(caller), page.offset, page.limit)
    if not own:
        return []
    ids = [each.id for each in own]
    with reading(services.market) as connection:
        found = receipts.receipts(connection, ids)
    if len(found) < len(ids):
        with services.inbox_lock, unit_of_work(services.market) as connection:
            receipts.note_read(connection, ids, _name(caller), services.clock())
            found = receipts.receipts(connection, ids)
    return [_view(each, found) for each in own]


def _acknowledge(services: GatewayServices, caller: Principal, notice: str) -> NoticeView:
    with reading(services.ledger) as connection:
        own = next((each for each in breaks.notices(connection, _addressee(caller)) if each.id == notice), None)
    if own is None:
        raise NotFoundError
    with services.inbox_lock, unit_of_work(services.market) as connection:
        receipts.acknowledge(connection, notice, _name(caller), services.clock())
        return _view(own, receipts.receipts(connection, [notice]))


def _name(caller: Principal) -> str:
    return f"{caller.subject}@{caller.lei}"


def _view(notice: Notice, found: Mapping[str, Receipt]) -> NoticeView:
    receipt = found[notice.id]
    return NoticeView(
        id=notice.id,
        block_number=notice.block_number,
        invariant=notice.invariant,
        subject=notice.subject,
        place=notice.place,
        recipient=notice.recipient,
        institution=notice.institution.decode("ascii", "replace") or None,
        stamped_at=notice.stamped_at_ns,
        read_at=receipt.read_at_ns,
        acknowledged_at=receipt.acknowledged_at_ns,
        acknowledged_by=receipt.acknowledged_by,
    )


@router.get("")
async def read_notices(page: Annotated[Page, Query()], services: Services, caller: _Caller) -> list[NoticeView]:
    """Return the notices to the caller, oldest first; those of the page that it never saw are stamped as read."""
    return await asyncio.to_thread(_read, services, caller, page)


@router.post("/{notice}/acknowledgement")
async def acknowledge_notice(
    notice: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], services: Services, caller: _Caller
) -> NoticeView:
    """Acknowledge a notice to the caller; again, it answers the same."""
    return await asyncio.to_thread(_acknowledge, services, caller, notice)
