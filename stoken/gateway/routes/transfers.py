# SPDX-License-Identifier: Apache-2.0
"""Whether a transfer would be refused, before anybody signs it: asked of the mirrored state, never of the node."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from stoken.compliance import verdict
from stoken.compliance.moves import Channel, Move
from stoken.compliance.rules import About, Failing
from stoken.domain.codes import Role
from stoken.domain.facts import Address as AddressBytes
from stoken.domain.facts import MemberId
from stoken.errors import InvalidInputError, NotFoundError, RefusedError
from stoken.gateway.access import OVERSEERS, Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, AmountIn, Hash, Isin, Schema
from stoken.gateway.services import Services
from stoken.gateway.tenancy import sees
from stoken.orders.checks import check_ledger, check_token
from stoken.orders.state import Decline, VenueState, declined_by

router = APIRouter(tags=["transfers"])
_Caller = Annotated[Principal, Depends(Requires(Role.ACCOUNT_MANAGER | OVERSEERS))]


class PreCheckBody(Schema):
    """Units between two accounts; `trust_mark` names the mark that its trustee would let go with them."""

    isin: Isin
    sender: Address
    receiver: Address
    quantity: AmountIn
    channel: Literal["PLAIN", "VENUE", "INSTRUCTED"] = "PLAIN"
    trust_mark: Hash | None = None


class RefusalView(Schema):
    """A rule that says no; `values` is null where they tell of an account that another institution manages."""

    rule: str
    code: str
    values: Annotated[dict[str, str] | None, Field(description="The arguments of the Solidity error, by name.")]


class PreCheckView(Schema):
    """What the contracts would answer in a call at this block; `refusals` holds the first, or with `explain` all."""

    allowed: bool
    code: str | None
    rule: str | None
    refusals: list[RefusalView]
    block_number: int
    block_hash: Hash
    block_time: int
    rule_set: int
    rulebook: Hash


def _token(state: VenueState, isin: str) -> AddressBytes:
    admitted = state.instruments.get(isin)
    if admitted is not None:
        return admitted.admission.token
    found = next((token for token, security in state.chain.tokens.items() if security.isin == isin), None)
    if found is None:
        raise NotFoundError("no issue with this ISIN is on the ledger", {"isin": isin})
    return found


def _manager(state: VenueState, account: bytes) -> MemberId | None:
    bound = state.chain.accounts.get(account)
    return None if bound is None else bound.manager


def _move(state: VenueState, body: PreCheckBody) -> Move:
    chain, token = state.chain, _token(state, body.isin)
    opened = 0
    if body.trust_mark is not None:
        held = verdict.mark_of(chain, body.trust_mark)
        if held is None or (held.token, held.account, held.units) != (token, body.sender, body.quantity):
            raise InvalidInputError("trust_mark: marks no such units of the sender", {"field": "trust_mark"})
        if body.channel != Channel.PLAIN.name:
            raise InvalidInputError("channel: trust-marked units move by PLAIN alone", {"field": "channel"})
        opened = held.units
    return Move(
        chain,
        token,
        body.sender,
        body.receiver,
        body.quantity,
        chain.block_number,
        chain.block_time,
        Channel[body.channel],
        opened=opened,
    )


def _shown(failing: Failing, *, withheld: frozenset[About]) -> RefusalView:
    values = None
    if failing.rule.about not in withheld:
        values = {name: str(value) for name, value in declined_by(failing.verdict).values}
    return RefusalView(rule=failing.rule.id, code=failing.verdict.refusal.value, values=values)


def _check(state: VenueState, body: PreCheckBody, caller: Principal, *, every: bool) -> PreCheckView:
    manager = _manager(state, body.sender)
    if not sees(caller, manager or b""):
        raise NotFoundError
    move = _move(state, body)
    try:
        check_ledger(state)
        check_token(state, move.issue)
    except Decline as because:
        details = {name: str(value) for name, value in because.values}
        raise RefusedError(because.code, details=details) from because
    foreign = not sees(caller, _manager(state, body.receiver) or b"")
    # The code must be told, since the contracts would tell it; what another broker's customer holds need not.
    withheld = frozenset({About.RECEIVER, About.PAIR} if foreign else ())
    failing = list(verdict.explain(move))
    refusals = [_shown(each, withheld=withheld) for each in (failing if every else failing[:1])]
    stamp = state.stamp(move.issue)
    return PreCheckView(
        allowed=not failing,
        code=refusals[0].code if refusals else None,
        rule=refusals[0].rule if refusals else None,
        refusals=refusals,
        block_number=stamp.block_number,
        block_hash=stamp.block_hash,
        block_time=state.chain.block_time,
        rule_set=stamp.rule_set,
        rulebook=stamp.rulebook,
    )


@router.post("/pre-checks")
async def pre_check(
    body: PreCheckBody,
    services: Services,
    caller: _Caller,
    *,
    explain: Annotated[bool, Query(description="Name every rule that says no, in the order of the contracts.")] = False,
) -> PreCheckView:
    """Say what the contracts would answer to a transfer at the last final block; nothing is stored or sent.

    A broker asks about accounts that it manages as sender.
    """
    return await services.actor.read(lambda venue: _check(venue.state, body, caller, every=explain))
