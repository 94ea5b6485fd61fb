# SPDX-License-Identifier: Apache-2.0
"""Requests: signed statements that the gateway keeps and the worker carries to the chain."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from stoken.bootstrap import GatewayServices
from stoken.chain import statements
from stoken.db import reading, unit_of_work
from stoken.domain.codes import Role
from stoken.domain.identifiers import member_id
from stoken.errors import ForbiddenError, InvalidInputError, NotFoundError
from stoken.gateway.access import INSTRUCTING, Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, Amount, AmountIn, Data, Hash, Schema, Seconds, Signature, Uint256
from stoken.gateway.services import Services
from stoken.issuance.entries import entered
from stoken.issuance.queries import RequestStatus, outcome
from stoken.parties import inbox, requests
from stoken.parties.requests import Body, Request
from stoken.transactions.key_policy import HOLDERS_MAX
from stoken.transactions.outbox import Failure

router = APIRouter(prefix="/requests", tags=["requests"])
_Caller = Annotated[Principal, Depends(Requires(INSTRUCTING))]
_RequestId = Annotated[str, Field(pattern="^[!-~]+$", min_length=1, max_length=64)]
_UINT64 = 2**64
_ITEMS_MAX = 500
_KEYS_MAX = 20


class _RequestBody(Schema):
    """Base of all requests: the id is the caller's own, and makes the request idempotent."""

    id: _RequestId


class KeyApprovalItem(Schema):
    """A key holder's approval of exactly this request, until a time."""

    signature: Signature
    deadline: Seconds


class ActBody(_RequestBody):
    """An act of Authority; approvals stand in the order of its policy, those of the venue's key policy in any."""

    kind: Literal["act"]
    target: Address
    data: Annotated[Data, Field(max_length=60_000)]
    basis: Hash
    document: Hash
    salt: Uint256
    deadline: Seconds
    approvals: Annotated[list[Signature], Field(min_length=2, max_length=2)]
    key_approvals: Annotated[list[KeyApprovalItem], Field(max_length=HOLDERS_MAX, default_factory=list)]


class OnboardingItem(Schema):
    """One account to bind, and what is attested of its identity."""

    account: Address
    identity: Address
    country: Annotated[int, Field(ge=1, le=999)]
    investor_class: Annotated[int, Field(ge=1, le=3)]
    owner_type: Annotated[int, Field(ge=1, le=2)]
    topics: Annotated[int, Field(ge=0, lt=_UINT64)]
    until: Seconds


class OnboardBody(_RequestBody):
    """Accounts of the calling broker, attested by a claim issuer."""

    kind: Literal["onboard"]
    claim_issuer: Address
    nonce: Uint256
    deadline: Seconds
    items: Annotated[list[OnboardingItem], Field(min_length=1, max_length=_ITEMS_MAX)]
    manager_signature: Signature
    attestation: Signature


class AttestedItem(Schema):
    """Topics of an identity, attested until a block time."""

    identity: Address
    topics: Annotated[int, Field(ge=0, lt=_UINT64)]
    until: Seconds


class AttestBody(_RequestBody):
    """Claims that their issuer renews."""

    kind: Literal["attest"]
    claim_issuer: Address
    items: Annotated[list[AttestedItem], Field(min_length=1, max_length=_ITEMS_MAX)]
    nonce: Uint256
    deadline: Seconds
    signature: Signature


class RevokeBody(_RequestBody):
    """A claim that its issuer withdraws."""

    kind: Literal["revoke"]
    claim_issuer: Address
    identity: Address
    for_cause: bool
    nonce: Uint256
    deadline: Seconds
    signature: Signature


class CashAccountBody(_RequestBody):
    """A member's account in the deposit token; `account_kind` 1 holds customers' cash, 2 its own."""

    kind: Literal["cash_account"]
    account: Address
    member: Annotated[str, Field(min_length=20, max_length=20)]
    account_kind: Annotated[int, Field(ge=1, le=2)]
    nonce: Uint256
    deadline: Seconds
    signature: Signature


class CashEntryBody(_RequestBody):
    """Cash received (credit) or paid out (debit)."""

    kind: Literal["cash_credit", "cash_debit"]
    account: Address
    amount: AmountIn
    ref: Hash
    deadline: Seconds
    signature: Signature


class KeyItem(Schema):
    """A key with its scopes (bits) and validity in block time."""

    key: Address
    scopes: Annotated[int, Field(ge=1, le=31)]
    since: Seconds
    until: Seconds


class KeyChangeBody(_RequestBody):
    """Keys of the calling member to add, retire or revoke, signed by two of its persons."""

    kind: Literal["key_change"]
    add: Annotated[list[KeyItem], Field(max_length=_KEYS_MAX)]
    retire: Annotated[list[Address], Field(max_length=_KEYS_MAX)]
    revoke: Annotated[list[Address], Field(max_length=_KEYS_MAX)]
    nonce: Uint256
    deadline: Seconds
    signatures: Annotated[list[Signature], Field(min_length=2, max_length=2)]


class EncumberBody(_RequestBody):
    """Units to encumber: a pledge (2) or trust mark (3) with a party, or a certificate (4) with an end and without."""

    kind: Literal["encumber"]
    encumbrance_id: Hash
    token: Address
    units: AmountIn
    account: Address
    until: Seconds
    encumbrance_kind: Annotated[int, Field(ge=2, le=4)]
    party: Address
    reason: Hash
    deadline: Seconds
    account_signature: Signature
    party_signature: Signature | None = None


AnyBody = Annotated[
    ActBody | OnboardBody | AttestBody | RevokeBody | CashAccountBody | CashEntryBody | KeyChangeBody | EncumberBody,
    Field(discriminator="kind"),
]


class RequestView(Schema):
    """What became of a request: received, sent, mined, done (final) or failed (final).

    Of a failure it says why; `approximate` where that comes from a replay on the parent block's state.
    """

    id: str
    kind: str
    status: RequestStatus
    sequence: int
    received_at: Amount
    entered_at: int | None = None
    transaction_hash: Hash | None = None
    block_number: int | None = None
    code: str | None = None
    detail: str | None = None
    details: dict[str, str | int | bool | None] | None = None
    approximate: bool = False


def _act(body: ActBody, _: Principal) -> Body:
    statement = statements.Act(body.target, body.data, body.basis, body.document, body.salt, body.deadline)
    given = tuple(statements.GivenApproval(each.signature, each.deadline) for each in body.key_approvals)
    return requests.ActRequest(statement, tuple(body.approvals), given)


def _onboard(body: OnboardBody, caller: Principal) -> Body:
    items = tuple(statements.Onboarding(**dict(item)) for item in body.items)
    statement = statements.OnboardingBatch(caller.member, body.claim_issuer, body.nonce, body.deadline, items)
    return requests.OnboardRequest(statement, body.manager_signature, body.attestation)


def _attest(body: AttestBody, _: Principal) -> Body:
    items = tuple(statements.Attested(item.identity, item.topics, item.until) for item in body.items)
    statement = statements.Attest(body.claim_issuer, items, body.nonce, body.deadline)
    return requests.AttestRequest(statement, body.signature)


def _revoke(body: RevokeBody, _: Principal) -> Body:
    statement = statements.Revoke(body.claim_issuer, body.identity, body.for_cause, body.nonce, body.deadline)
    return requests.RevokeRequest(statement, body.signature)


def _cash_account(body: CashAccountBody, _: Principal) -> Body:
    try:
        member = member_id(body.member)
    except ValueError as error:
        raise InvalidInputError(f"member: {error}", {"field": "member"}) from error
    statement = statements.CashAccount(body.account, member, body.account_kind, body.nonce, body.deadline)
    return requests.CashAccountRequest(statement, body.signature)


def _cash_entry(body: CashEntryBody, _: Principal) -> Body:
    statement = statements.CashEntry(body.account, body.amount, body.ref, body.deadline)
    kind = requests.CashCreditRequest if body.kind == "cash_credit" else requests.CashDebitRequest
    return kind(statement, body.signature)


def _key_change(body: KeyChangeBody, caller: Principal) -> Body:
    added = tuple(statements.MemberKey(item.key, item.scopes, item.since, item.until) for item in body.add)
    statement = statements.KeyChange(
        caller.member, added, tuple(body.retire), tuple(body.revoke), body.nonce, body.deadline
    )
    first, second = body.signatures
    return requests.KeyChangeRequest(statement, (first, second))


def _encumber(body: EncumberBody, _: Principal) -> Body:
    statement = statements.Encumber(
        body.encumbrance_id,
        body.token,
        body.units,
        body.account,
        body.until,
        body.encumbrance_kind,
        body.party,
        body.reason,
        body.deadline,
    )
    return requests.EncumberRequest(statement, body.account_signature, body.party_signature or b"")


_ACTING = INSTRUCTING & ~(Role.CASH_AGENT | Role.CLAIM_ISSUER)
#: Which roles may send a kind, and how its body becomes what is stored.
_KINDS: dict[type[_RequestBody], tuple[Role, Callable[[Any, Principal], Body]]] = {
    ActBody: (_ACTING, _act),
    OnboardBody: (Role.ACCOUNT_MANAGER, _onboard),
    AttestBody: (Role.CLAIM_ISSUER | Role.ACCOUNT_MANAGER, _attest),
    RevokeBody: (Role.CLAIM_ISSUER | Role.ACCOUNT_MANAGER | Role.SUPERVISOR, _revoke),
    CashAccountBody: (Role.CASH_AGENT, _cash_account),
    CashEntryBody: (Role.CASH_AGENT, _cash_entry),
    KeyChangeBody: (INSTRUCTING, _key_change),
    EncumberBody: (Role.ACCOUNT_MANAGER, _encumber),
}


def _store(services: GatewayServices, tenant: str, request_id: str, body: Body) -> Request:
    with services.inbox_lock, unit_of_work(services.market) as connection:
        return inbox.receive(connection, tenant, request_id, body, services.clock())


def _view(services: GatewayServices, request: Request) -> RequestView:
    with reading(services.ledger) as connection:
        found = outcome(connection, request.tenant, request.id)
        entry = entered(connection, request.sequence)
    view = RequestView(
        id=request.id,
        kind=request.kind,
        status=found.status,
        sequence=request.sequence,
        received_at=request.received_at_ns,
        entered_at=None if entry is None else entry.entered_at,
        transaction_hash=found.transaction_hash,
        block_number=found.block_number,
    )
    return view if found.failure is None else view.model_copy(update=_why(found.failure))


def _why(failure: Failure) -> dict[str, object]:
    return {
        "code": failure.code,
        "detail": failure.error,
        "details": failure.arguments,
        "approximate": failure.approximate,
    }


@router.post("", status_code=202)
async def send_request(body: AnyBody, services: Services, caller: _Caller) -> RequestView:
    """Keep a signed statement for the worker; the same id and body get the same answer, another body 409."""
    roles, build = _KINDS[type(body)]
    if not caller.roles & roles:
        raise ForbiddenError(details={"roles": " | ".join(Requires(roles).names())})
    request = await asyncio.to_thread(_store, services, caller.lei, body.id, build(body, caller))
    return await asyncio.to_thread(_view, services, request)


@router.get("/{request_id}")
async def read_request(request_id: _RequestId, services: Services, caller: _Caller) -> RequestView:
    """Return what became of a request of the caller's institution."""
    request = await asyncio.to_thread(_find, services, caller.lei, request_id)
    if request is None:
        raise NotFoundError
    return await asyncio.to_thread(_view, services, request)


def _find(services: GatewayServices, tenant: str, request_id: str) -> Request | None:
    with reading(services.market) as connection:
        return inbox.find(connection, tenant, request_id)
