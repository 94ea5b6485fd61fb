# SPDX-License-Identifier: Apache-2.0
"""What the venue shows of its market: instruments, books, trades."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from stoken.domain.book import Level
from stoken.errors import NotFoundError
from stoken.gateway.access import ANY_MEMBER, Requires
from stoken.gateway.auth import Principal
from stoken.gateway.schemas import Address, Amount, Hash, Isin, Schema
from stoken.gateway.services import Services
from stoken.gateway.tenancy import sees
from stoken.orders.records import Instrument, TradeRecord
from stoken.orders.state import VenueState

router = APIRouter(tags=["market"])
_Member = Annotated[Principal, Depends(Requires(ANY_MEMBER))]
_PAGE_MAX = 1_000


class InstrumentView(Schema):
    """An admitted instrument: its terms at the venue, its prices of the day, its quantities on chain."""

    isin: str
    token: Address
    instrument_type: str
    mic: str
    lot: Amount
    net_asset_value: Amount
    reference_price: Amount
    lower_limit: Amount
    upper_limit: Amount
    halted: bool
    paused: bool
    registered: Amount
    minted: Amount
    supply: Amount
    rule_set: int


class LevelView(Schema):
    """One price of the book."""

    price: Amount
    quantity: Amount
    orders: int


class BookView(Schema):
    """The whole book of an instrument, best prices first, as of one entry of the journal."""

    isin: str
    mic: str
    bids: list[LevelView]
    asks: list[LevelView]
    sequence: int
    block_number: int
    block_hash: Hash


class TradeView(Schema):
    """A trade; which order was one's own is told to its broker and to those who oversee the venue."""

    trade_id: int
    isin: str
    mic: str
    price: Amount
    quantity: Amount
    matched_at: Amount
    settlement_date: str
    status: str
    block_number: int | None
    buy_order_id: int | None
    sell_order_id: int | None


class TradeQuery(Schema):
    """Which trades: of one instrument, after a trade id."""

    isin: Isin | None = None
    after: int = 0
    limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = _PAGE_MAX


def _mic(state: VenueState) -> str:
    return state.opened.mic if state.opened else ""


def _instrument(state: VenueState, instrument: Instrument) -> InstrumentView:
    terms = instrument.admission
    token = state.chain.tokens.get(terms.token)
    return InstrumentView(
        isin=terms.isin,
        token=terms.token,
        instrument_type=terms.instrument_type,
        mic=_mic(state),
        lot=terms.lot,
        net_asset_value=terms.net_asset_value,
        reference_price=instrument.reference_price,
        lower_limit=instrument.band.lower,
        upper_limit=instrument.band.upper,
        halted=instrument.halted,
        paused=token.paused if token else True,
        registered=token.registered if token else 0,
        minted=token.minted if token else 0,
        supply=token.supply if token else 0,
        rule_set=state.stamp(terms.token).rule_set,
    )


def _levels(levels: list[Level]) -> list[LevelView]:
    return [LevelView(price=level.price, quantity=level.quantity, orders=level.orders) for level in levels]


def _book(state: VenueState, isin: str) -> BookView:
    instrument = state.instruments.get(isin)
    if instrument is None:
        raise NotFoundError
    return BookView(
        isin=isin,
        mic=_mic(state),
        bids=_levels(instrument.book.bids()),
        asks=_levels(instrument.book.asks()),
        sequence=state.sequence,
        block_number=max(state.chain.block_number, 0),
        block_hash=state.chain.block_hash,
    )


def _trade(record: TradeRecord, caller: Principal) -> TradeView:
    trade = record.trade
    return TradeView(
        trade_id=trade.trade_id,
        isin=trade.isin,
        mic=trade.mic,
        price=trade.price,
        quantity=trade.quantity,
        matched_at=trade.matched_at_ns,
        settlement_date=trade.settlement_date,
        status=record.status.value,
        block_number=record.block_number,
        buy_order_id=trade.buy_order_id if sees(caller, trade.buyer_broker) else None,
        sell_order_id=trade.sell_order_id if sees(caller, trade.seller_broker) else None,
    )


def _trades(state: VenueState, query: TradeQuery, caller: Principal) -> list[TradeView]:
    found: list[TradeView] = []
    for record in state.trades.values():
        if record.trade.trade_id > query.after and query.isin in {None, record.trade.isin}:
            found.append(_trade(record, caller))
            if len(found) == query.limit:
                break
    return found


@router.get("/instruments")
async def list_instruments(services: Services, _: _Member) -> list[InstrumentView]:
    """Return every admitted instrument."""
    return await services.actor.read(
        lambda venue: [_instrument(venue.state, instrument) for instrument in venue.state.instruments.values()]
    )


@router.get("/book/{isin}")
async def read_book(isin: Isin, services: Services, _: _Member) -> BookView:
    """Return the whole book of an instrument."""
    return await services.actor.read(lambda venue: _book(venue.state, isin))


@router.get("/trades")
async def list_trades(query: Annotated[TradeQuery, Query()], services: Services, caller: _Member) -> list[TradeView]:
    """Return trades in the order in which they were matched."""
    return await services.actor.read(lambda venue: _trades(venue.state, query, caller))
