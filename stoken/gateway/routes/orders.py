# SPDX-License-Identifier: Apache-2.0
"""Orders: new, cancel, read. Taking one is the hot route: Starlette and msgspec, no more."""

from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from stoken.bootstrap import GatewayServices
from stoken.chain import eip712
from stoken.chain.signatures import recover
from stoken.chain.statements import OrderCancel
from stoken.domain.codes import InvestorClass, OrderType, Role, Side
from stoken.domain.quantities import parse_amount
from stoken.domain.signed_order import SignedOrder
from stoken.errors import InvalidInputError, NotFoundError
from stoken.gateway.access import OVERSEERS, HotRoute, Requires
from stoken.gateway.auth import Principal
from stoken.gateway.problems import DEFAULT_RESPONSE
from stoken.gateway.schemas import Address, Amount, Hash, Schema, Signature
from stoken.gateway.services import Services
from stoken.gateway.tenancy import sees
from stoken.gateway.verdicts import accepted_fields, original, raise_if_refused
from stoken.orders.entries import CancelOrder, NewOrder
from stoken.orders.outcomes import Accepted, CancelAccepted
from stoken.orders.records import OrderRecord
from stoken.orders.state import VenueState

BODY_BYTES_MAX: Final = 4_096
_Decimal = Annotated[str, msgspec.Meta(pattern="^[0-9]+$", max_length=19)]
_Address = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{40}$", max_length=42)]
_Signature = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{130}$", max_length=132)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=2**40)]


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as a broker sends it; venue and cash token of the signed order are this venue's."""

    client_order_id: Annotated[str, msgspec.Meta(pattern="^[!-~]+(?!\\n)$", min_length=1, max_length=64)]
    isin: Annotated[str, msgspec.Meta(min_length=12, max_length=12)]
    account: _Address
    cash_account: _Address
    token: _Address
    side: Literal["BUY", "SELL"]
    price: _Decimal
    quantity: _Decimal
    nonce: _Decimal
    tradable_until: _Seconds
    settle_by: _Seconds
    signature: _Signature
    replaces: _Decimal = "0"
    order_type: OrderType = OrderType.LIMIT
    short_sale: bool = False
    margin: bool = False


class OrderAnswer(msgspec.Struct, frozen=True):
    """An accepted order after it met the book, and what the verdict was given on."""

    client_order_id: str
    order_id: int
    status: str
    leaves_quantity: _Decimal
    cumulative_quantity: _Decimal
    block_number: int
    block_hash: str
    rule_set: int
    rulebook: str


_decode = msgspec.json.Decoder(OrderBody).decode
_encode = msgspec.json.Encoder().encode


def _read(data: bytes) -> OrderBody:
    if len(data) > BODY_BYTES_MAX:
        raise InvalidInputError(f"an order has at most {BODY_BYTES_MAX} bytes")
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, _, path = str(error).partition(" - at `$.")
        field = path.rstrip("`") or (reason.split("`")[1] if "`" in reason else "body")
        raise InvalidInputError(f"{field}: {reason}", {"field": field}) from error


def _signed(services: GatewayServices, body: OrderBody) -> SignedOrder:
    venue = services.venue
    try:
        return SignedOrder(
            venue=venue.member,
            account=bytes.fromhex(body.account[2:]),
            cash_account=bytes.fromhex(body.cash_account[2:]),
            token=bytes.fromhex(body.token[2:]),
            cash=venue.cash,
            side=Side[body.side],
            price=parse_amount(body.price),
            quantity=parse_amount(body.quantity),
            nonce=parse_amount(body.nonce),
            tradable_until=body.tradable_until,
            settle_by=body.settle_by,
            replaces=parse_amount(body.replaces),
        )
    except ValueError as error:
        raise InvalidInputError(str(error)) from error


_BROKER = Requires(Role.ACCOUNT_MANAGER)


async def take_order(request: Request) -> Response:
    """Take one order: verify the token, decode, recover the signer, submit, answer after the commit."""
    state = request.app.state
    caller = _BROKER.admit(state.verifier, request.headers.get("authorization"))
    services: GatewayServices = state.services
    body = _read(await request.body())
    signed = _signed(services, body)
    signature = bytes.fromhex(body.signature[2:])
    entry = NewOrder(
        received_at_ns=0,  # the actor stamps it
        client_order_id=body.client_order_id,
        broker=caller.member,
        isin=body.isin,
        order=signed,
        signature=signature,
        signer=recover(eip712.order(services.venue.separator, signed), signature),
        order_type=body.order_type,
        short_sale=body.short_sale,
        margin=body.margin,
    )
    outcome = await services.actor.submit(entry)
    answer = original(outcome.answer)
    raise_if_refused(answer)
    if not isinstance(answer, Accepted):
        raise TypeError(answer)
    content = _encode({"client_order_id": body.client_order_id, **accepted_fields(answer)})
    return Response(content, 201, media_type="application/json")


HOT_ROUTES: Final = (HotRoute("/orders", take_order, "POST", _BROKER),)


def describe(document: dict[str, Any]) -> None:
    """Add the hot route to an OpenAPI document, which FastAPI cannot see."""
    (body, answer), components = msgspec.json.schema_components(
        (OrderBody, OrderAnswer), ref_template="#/components/schemas/{name}"
    )
    document["components"]["schemas"] |= components
    document["paths"].setdefault("/orders", {})["post"] = {
        "tags": ["orders"],
        "summary": "Take Order",
        "description": "Signed by the broker (EIP-712 `Order`); idempotent by client_order_id within a trading day.",
        "operationId": "take_order",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "201": {"description": "Accepted.", "content": {"application/json": {"schema": answer}}},
            **{str(status): response for status, response in DEFAULT_RESPONSE.items()},
        },
    }


router = APIRouter(prefix="/orders", tags=["orders"])


class OrderView(Schema):
    """An order as it stands."""

    order_id: int
    client_order_id: str
    broker: str
    isin: str
    account: Address
    side: Literal["BUY", "SELL"]
    price: Amount
    quantity: Amount
    leaves_quantity: Amount
    cumulative_quantity: Amount
    nonce: Amount
    tradable_until: int
    settle_by: int
    status: str
    reject_code: str | None
    investor_class: str | None
    class_valid_from: int | None
    class_evidence: Hash | None
    received_at: Amount
    sequence: int
    block_number: int
    block_hash: Hash
    rule_set: int
    rulebook: Hash


class CancelBody(Schema):
    """The broker's signature over OrderCancel(broker, nonce)."""

    signature: Signature


class CancelAnswer(Schema):
    """What was traded of the order before it was withdrawn."""

    order_id: int
    status: Literal["canceled"]
    cumulative_quantity: Amount


def _view(record: OrderRecord) -> OrderView:
    entry, stamp = record.entry, record.stamp
    if stamp is None:
        raise NotFoundError
    return OrderView(
        order_id=record.order_id,
        client_order_id=entry.client_order_id,
        broker=entry.broker.decode(),
        isin=entry.isin,
        account=entry.order.account,
        side=record.side.name,
        price=entry.order.price,
        quantity=entry.order.quantity,
        leaves_quantity=record.leaves_quantity,
        cumulative_quantity=record.cumulative_quantity,
        nonce=entry.order.nonce,
        tradable_until=entry.order.tradable_until,
        settle_by=entry.order.settle_by,
        status=record.status.value,
        reject_code=record.code.value if record.code else None,
        **_class_fields(record),
        received_at=entry.received_at_ns,
        sequence=record.sequence,
        block_number=stamp.block_number,
        block_hash=stamp.block_hash,
        rule_set=stamp.rule_set,
        rulebook=stamp.rulebook,
    )


def _class_fields(record: OrderRecord) -> dict[str, Any]:
    """Return the class by which an order was judged, and what its broker showed for it."""
    held = record.investor_class
    return {
        "investor_class": None if held is None else InvestorClass(held.investor_class).name,
        "class_valid_from": None if held is None else held.valid_from,
        "class_evidence": None if held is None else held.evidence or None,
    }


def _find(state: VenueState, order_id: int, caller: Principal) -> OrderRecord:
    record = state.orders.get(order_id)
    if record is None or not sees(caller, record.entry.broker):
        raise NotFoundError
    return record


def _own(state: VenueState, order_id: int, caller: Principal) -> OrderRecord:
    """Return the caller's order: who oversees others' orders withdraws none of them, nor its own by their number."""
    record = _find(state, order_id, caller)
    if record.entry.broker != caller.member:
        raise NotFoundError
    return record


@router.get("/{order_id}")
async def read_order(
    order_id: int, services: Services, caller: Annotated[Principal, Depends(Requires(Role.ACCOUNT_MANAGER | OVERSEERS))]
) -> OrderView:
    """Return an order of the caller's."""
    return await services.actor.read(lambda venue: _view(_find(venue.state, order_id, caller)))


@router.delete("/{order_id}")
async def cancel_order(
    order_id: int, body: CancelBody, services: Services, caller: Annotated[Principal, Depends(_BROKER)]
) -> CancelAnswer:
    """Withdraw what is left of an order."""
    nonce = await services.actor.read(lambda venue: _own(venue.state, order_id, caller).entry.order.nonce)
    digest = eip712.order_cancel(services.venue.separator, OrderCancel(caller.member, nonce))
    entry = CancelOrder(0, caller.member, nonce, body.signature, recover(digest, body.signature))
    answer = (await services.actor.submit(entry)).answer
    raise_if_refused(answer)
    if not isinstance(answer, CancelAccepted):
        raise TypeError(answer)
    return CancelAnswer(order_id=order_id, status="canceled", cumulative_quantity=answer.cumulative_quantity)
