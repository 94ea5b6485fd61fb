# SPDX-License-Identifier: Apache-2.0
"""Accounts and investors' cash at the venue, as their broker states them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from stoken.chain import eip712
from stoken.chain.signatures import recover
from stoken.chain.statements import CashAllocation
from stoken.domain.codes import EncumbranceKind, InvestorClass, OwnerType, Role
from stoken.domain.facts import MemberId
from stoken.domain.registrations import NOBODY
from stoken.errors import ConflictError, InvalidInputError, NotFoundError
from stoken.gateway.access import OVERSEERS, Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, Amount, AmountIn, Hash, PositiveIn, Schema, Seconds, Signature
from stoken.gateway.services import Services
from stoken.gateway.tenancy import sees
from stoken.gateway.verdicts import raise_if_refused
from stoken.orders.classes import class_at
from stoken.orders.entries import AccountOpened, CashAllocated, ClassChanged
from stoken.orders.records import ClassRecord
from stoken.orders.state import VenueState

router = APIRouter(tags=["accounts"])
_Broker = Annotated[Principal, Depends(Requires(Role.ACCOUNT_MANAGER))]
_NANOSECONDS = 1_000_000_000
_Reader = Annotated[Principal, Depends(Requires(Role.ACCOUNT_MANAGER | OVERSEERS))]


class AccountBody(Schema):
    """An account; `ci` tells the person apart to the venue's HMAC alone, and is not kept."""

    account: Address
    ci: Annotated[str, Field(min_length=1, max_length=128, repr=False)]
    investor_class: Literal["GENERAL", "PROFESSIONAL", "QUASI_PROFESSIONAL"] = "GENERAL"
    owner_type: Literal["CUSTOMER", "OWN"] = "CUSTOMER"
    closed: bool = False
    blocked: bool = False


class AccountView(Schema):
    """An account as the venue holds it."""

    account: Address
    broker: str
    pseudonym: Hash
    key_id: str
    investor_class: str
    owner_type: str
    closed: bool
    blocked: bool


class ClassBody(Schema):
    """A class from an instant of market time on, now where none is named, and the hash of what shows it."""

    investor_class: Literal["GENERAL", "PROFESSIONAL", "QUASI_PROFESSIONAL"]
    evidence: Hash
    valid_from: Seconds | None = None


class ClassView(Schema):
    """A class of an account: from when it counts, by which journal entry, and its evidence, null at the opening."""

    investor_class: str
    valid_from: int
    evidence: Hash | None
    sequence: int


class ClassesView(Schema):
    """Every class an account had or will have, and the one at the instant asked about."""

    account: Address
    at: int
    held: ClassView | None
    classes: list[ClassView]


class AllocationBody(Schema):
    """CashAllocation as the broker signed it."""

    account: Address
    cash_account: Address
    amount: PositiveIn
    nonce: AmountIn
    deadline: Seconds
    signature: Signature


class AllocationView(Schema):
    """An investor's cash after an allocation."""

    account: Address
    nonce: Amount
    allocated: Amount


class EncumbranceView(Schema):
    """Units of an account that may not move; `until` is null where no time ends it, `party` the pledgee or trustee."""

    id: Hash
    kind: str
    units: Amount
    until: int | None
    party: Address | None
    reason: Hash


class HoldingView(Schema):
    """Units of an account in one instrument, as of the last final block and the orders open now."""

    isin: str
    token: Address
    balance: Amount
    locked_up: Amount
    pledged: Amount
    restricted: Amount
    trust_marked: Amount
    frozen: Amount
    account_frozen: bool
    reserved_sell: Amount
    in_flight: Amount
    available: Amount
    encumbrances: list[EncumbranceView]


class CashView(Schema):
    """Cash of an account at the venue."""

    allocated: Amount
    reserved: Amount
    in_flight: Amount
    available: Amount


class PositionsView(Schema):
    """Everything an account holds."""

    account: Address
    broker: str
    block_number: int
    block_hash: Hash
    positions: list[HoldingView]
    cash: CashView


def _owner(state: VenueState, account: bytes) -> MemberId | None:
    """Return who manages an account: the chain says so, and before it does, the venue's own record."""
    bound = state.chain.accounts.get(account)
    known = state.accounts.get(account)
    return bound.manager if bound else known.broker if known else None


def _require_own(state: VenueState, account: bytes, caller: Principal) -> None:
    owner = _owner(state, account)
    if owner is not None and owner != caller.member:
        raise NotFoundError


def _require_same_class(state: VenueState, body: AccountBody) -> None:
    known = state.accounts.get(body.account)
    if known is not None and known.investor_class != InvestorClass[body.investor_class]:
        raise ConflictError("a class changes by POST /accounts/{account}/classes, with its evidence")


def _encumbrances(state: VenueState, token: bytes, account: bytes) -> list[EncumbranceView]:
    return [
        EncumbranceView(
            id=id_,
            kind=EncumbranceKind(held.kind).name,
            units=held.units,
            until=held.until or None,
            party=None if held.party == NOBODY else held.party,
            reason=held.reason,
        )
        for id_, held in sorted(state.chain.encumbrances.items())
        if held.token == token and held.account == account
    ]


def _holdings(state: VenueState, account: bytes) -> list[HoldingView]:
    found = []
    for token, security in state.chain.tokens.items():
        held = security.positions.get(account)
        if held is None:
            continue
        promised = state.reservations.units(token, account)
        encumbrances = _encumbrances(state, token, account)
        marked = [item for item in encumbrances if item.kind == EncumbranceKind.TRUST_MARK.name]
        found.append(
            HoldingView(
                isin=security.isin,
                token=token,
                balance=held.balance,
                locked_up=held.lockup,
                pledged=held.pledged,
                restricted=held.restricted,
                trust_marked=sum(item.units for item in marked),
                frozen=held.frozen_units,
                account_frozen=held.frozen,
                reserved_sell=promised.reserved,
                in_flight=promised.in_flight,
                available=max(0, held.available - promised.committed),
                encumbrances=encumbrances,
            )
        )
    return found


def _positions(state: VenueState, account: bytes, caller: Principal) -> PositionsView:
    owner = _owner(state, account)
    if owner is None or not sees(caller, owner):
        raise NotFoundError
    cash = state.reservations.cash(account)
    return PositionsView(
        account=account,
        broker=owner.decode(),
        block_number=max(state.chain.block_number, 0),
        block_hash=state.chain.block_hash,
        positions=_holdings(state, account),
        cash=CashView(
            allocated=cash.allocated,
            reserved=cash.reserved,
            in_flight=cash.in_flight,
            available=max(0, cash.allocated - cash.committed),
        ),
    )


@router.post("/accounts", status_code=201)
async def open_account(body: AccountBody, services: Services, caller: _Broker) -> AccountView:
    """Tell the venue about an account, or replace what it was told; the same body leaves things as they are."""
    await services.actor.read(lambda venue: _require_own(venue.state, body.account, caller))
    await services.actor.read(lambda venue: _require_same_class(venue.state, body))
    entry = AccountOpened(
        received_at_ns=0,
        account=body.account,
        broker=caller.member,
        pseudonym=services.pseudonyms.of(body.ci),
        investor_class=InvestorClass[body.investor_class],
        owner_type=OwnerType[body.owner_type],
        closed=body.closed,
        blocked=body.blocked,
    )
    raise_if_refused((await services.actor.submit(entry)).answer)
    return AccountView(
        account=body.account,
        broker=caller.lei,
        pseudonym=entry.pseudonym,
        key_id=services.pseudonyms.key_id,
        investor_class=body.investor_class,
        owner_type=body.owner_type,
        closed=body.closed,
        blocked=body.blocked,
    )


def _class_view(record: ClassRecord) -> ClassView:
    return ClassView(
        investor_class=InvestorClass(record.investor_class).name,
        valid_from=record.valid_from,
        evidence=record.evidence or None,
        sequence=record.sequence,
    )


def _classes(state: VenueState, account: bytes, caller: Principal, at: int | None) -> ClassesView:
    owner = _owner(state, account)
    if owner is None or not sees(caller, owner):
        raise NotFoundError
    moment = state.now_ns // _NANOSECONDS if at is None else at
    held = class_at(state, account, moment)
    return ClassesView(
        account=account,
        at=moment,
        held=None if held is None else _class_view(held),
        classes=[_class_view(record) for record in state.classes.get(account, ())],
    )


@router.post("/accounts/{account}/classes", status_code=201)
async def change_class(account: Address, body: ClassBody, services: Services, caller: _Broker) -> ClassesView:
    """Change an investor's class from an instant on; orders are judged by the class at their receipt."""
    if not any(body.evidence):
        raise InvalidInputError("evidence: names no document", {"field": "evidence"})
    await services.actor.read(lambda venue: _require_own(venue.state, account, caller))
    entry = ClassChanged(
        received_at_ns=0,
        account=account,
        broker=caller.member,
        investor_class=InvestorClass[body.investor_class],
        valid_from=body.valid_from or 0,
        evidence=body.evidence,
    )
    raise_if_refused((await services.actor.submit(entry)).answer)
    return await services.actor.read(lambda venue: _classes(venue.state, account, caller, body.valid_from))


@router.get("/accounts/{account}/classes")
async def read_classes(
    account: Address,
    services: Services,
    caller: _Reader,
    at: Annotated[int | None, Query(ge=0, lt=2**40, description="Seconds of market time; now by default.")] = None,
) -> ClassesView:
    """Return the class of an account at an instant, as an order then received was judged by it, and all others."""
    return await services.actor.read(lambda venue: _classes(venue.state, account, caller, at))


@router.post("/cash/allocations", status_code=201)
async def allocate_cash(body: AllocationBody, services: Services, caller: _Broker) -> AllocationView:
    """Credit an investor out of the broker's customer cash; idempotent by nonce."""
    await services.actor.read(lambda venue: _require_own(venue.state, body.account, caller))
    statement = CashAllocation(
        services.venue.member, body.account, body.cash_account, body.amount, body.nonce, body.deadline
    )
    entry = CashAllocated(
        received_at_ns=0,
        broker=caller.member,
        account=body.account,
        cash_account=body.cash_account,
        amount=body.amount,
        nonce=body.nonce,
        deadline=body.deadline,
        signature=body.signature,
        signer=recover(eip712.cash_allocation(services.venue.separator, statement), body.signature),
    )
    raise_if_refused((await services.actor.submit(entry)).answer)
    allocated = await services.actor.read(lambda venue: venue.state.reservations.cash(body.account).allocated)
    return AllocationView(account=body.account, nonce=body.nonce, allocated=allocated)


@router.get("/positions/{account}")
async def read_positions(account: Address, services: Services, caller: _Reader) -> PositionsView:
    """Return what an account holds: securities with everything that binds them, and cash."""
    return await services.actor.read(lambda venue: _positions(venue.state, account, caller))
