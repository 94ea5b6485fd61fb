# SPDX-License-Identifier: Apache-2.0
"""The venue's checks of a new order, one function a step, in the order that decisions.md fixes."""

from collections.abc import Callable

from stoken.compliance.verdict import NO_COMMITMENTS, Commitments, Verdict, buyer_verdict, seller_verdict
from stoken.domain.calendar import INSTANT_MAX, Session
from stoken.domain.chain_state import ChainState
from stoken.domain.codes import MemberStatus, OrderType, OwnerType, Role, Scope, Side
from stoken.domain.facts import Address, MemberId
from stoken.domain.identifiers import is_isin
from stoken.domain.quantities import AMOUNT_MAX
from stoken.domain.refusals import Refusal
from stoken.domain.ticks import tick_at
from stoken.orders.classes import class_now
from stoken.orders.entries import AccountOpened, NewOrder
from stoken.orders.records import ClassRecord, Instrument, OrderRecord
from stoken.orders.standings import Held, not_held
from stoken.orders.state import VenueState, decline, declined_by

_R = Refusal


class Candidate:
    """An order on its way through the checks, with what they look up on the way."""

    __slots__ = (
        "account",
        "entry",
        "identity",
        "instrument",
        "investor_class",
        "order",
        "released",
        "replaced",
        "state",
        "value",
    )

    def __init__(self, state: VenueState, entry: NewOrder) -> None:
        """Take an order as it came."""
        self.state = state
        self.entry = entry
        self.order = entry.order
        self.value = entry.order.price * entry.order.quantity
        self.identity = state.chain.counted_as(entry.order.account, entry.order.token)
        self.replaced: OrderRecord | None = None
        #: Whether the reservations of the order to be replaced are given back for the time of the checks.
        self.released = False
        self.instrument: Instrument
        self.account: AccountOpened
        self.investor_class: ClassRecord


Check = Callable[[Candidate], None]


def check_ledger(state: VenueState) -> None:
    """Refuse while the mirror is not current, or has no block yet."""
    if not state.ledger_current or state.chain.block_number < 0:
        raise decline(_R.LEDGER_UNAVAILABLE, mirror_height=state.chain.block_number, head=state.ledger_head)


def check_token(state: VenueState, token: Address) -> None:
    """Refuse while a token's mirror, or the verdict on it, differs from the chain, until an operator resolves it.

    A broken quantity invariant, of the token or of the cash, is named as such.
    """
    if token in state.broken_tokens or b"" in state.broken_tokens:
        raise decline(_R.RECONCILIATION_BREAK, token=token)
    if token in state.halted_tokens:
        raise decline(_R.LEDGER_UNAVAILABLE, token=token)


def check_broker(state: VenueState, broker: MemberId) -> None:
    """Refuse whoever is not an active account manager, or whose book of some issue does not add up."""
    if broker in state.broken_institutions:
        raise decline(_R.RECONCILIATION_BREAK, member=broker)
    member = state.chain.members.get(broker)
    if member is None or not member.roles & Role.ACCOUNT_MANAGER or member.status == MemberStatus.REVOKED:
        raise decline(_R.BROKER_NOT_MEMBER, member=broker)
    if member.status != MemberStatus.ACTIVE:
        raise decline(_R.BROKER_SUSPENDED, member=broker)


def check_signer(state: VenueState, signer: bytes, broker: MemberId, scope: Scope) -> None:
    """Refuse a signature that is not by an active key of the broker within the scope."""
    if not state.chain.key_may(signer, broker, scope):
        raise decline(_R.SIGNATURE_INVALID, signer=signer)


def check_signature(candidate: Candidate) -> None:
    """Refuse what the broker did not sign, or signed for another venue or another kind of cash."""
    state, entry = candidate.state, candidate.entry
    if entry.order.venue != state.venue or entry.order.cash != state.cash:
        raise decline(_R.SIGNATURE_INVALID, signer=entry.signer)
    check_signer(state, entry.signer, entry.broker, Scope.ORDER)


def check_nonce(candidate: Candidate) -> None:
    """Refuse a nonce that was accepted before or is void on chain, and a replacement of what is no longer open."""
    state, broker, order = candidate.state, candidate.entry.broker, candidate.order
    used = (broker, order.nonce)
    if order.nonce < 1 or used in state.orders_by_nonce or used in state.chain.canceled:
        raise decline(_R.NONCE_REPLAYED, member=broker, nonce=order.nonce)
    if order.replaces:
        candidate.replaced = _replaced(state, broker, candidate)


def _replaced(state: VenueState, broker: MemberId, candidate: Candidate) -> OrderRecord:
    """Find the order to be replaced. While a trade of it is in flight it stays: its cancellation would void that."""
    order = candidate.order
    record = state.orders_by_nonce.get((broker, order.replaces))
    if record is None or not record.is_open or record.in_flight:
        raise decline(_R.TOO_LATE, replaces=order.replaces)
    old = record.entry.order
    if (old.account, old.token, old.side) != (order.account, order.token, order.side):
        raise decline(_R.SETTLEMENT_UNMATCHED, field="replaces")
    return record


def check_session(candidate: Candidate) -> None:
    """Refuse outside of the session, and deadlines that passed or leave no time to settle (block time)."""
    state, order = candidate.state, candidate.order
    if state.session is not Session.OPEN:
        raise decline(_R.MARKET_CLOSED, session=state.session.value)
    at = state.chain.block_time
    if order.tradable_until < at:
        raise decline(_R.TOO_LATE, deadline=order.tradable_until, at=at)
    if order.tradable_until > INSTANT_MAX:
        raise decline(_R.TOO_LATE, deadline=order.tradable_until, at=INSTANT_MAX)
    book = state.rulebook
    least = state.calendar.settle_by_least(
        order.tradable_until, book.settlement_cycle_days, book.settlement_margin_seconds
    )
    if order.settle_by < least:
        raise decline(_R.TOO_LATE, deadline=order.settle_by, at=least)


def check_instrument(candidate: Candidate) -> None:
    """Refuse what is not admitted, or is halted."""
    isin = candidate.entry.isin
    instrument = candidate.state.instruments.get(isin)
    if instrument is None and not is_isin(isin):
        raise decline(_R.IDENTIFIER_INVALID, identifier=isin)
    if instrument is None or instrument.admission.token != candidate.order.token:
        raise decline(_R.INSTRUMENT_UNKNOWN, isin=isin)
    if instrument.halted:
        raise decline(_R.INSTRUMENT_SUSPENDED, isin=isin)
    candidate.instrument = instrument


def check_form(candidate: Candidate) -> None:
    """Refuse everything but a plain limit order."""
    entry, side = candidate.entry, candidate.order.side
    if entry.order_type != OrderType.LIMIT or side not in {Side.BUY, Side.SELL}:
        raise decline(_R.ORDER_TYPE_UNSUPPORTED, order_type=entry.order_type.value, side=side)
    if entry.short_sale:
        raise decline(_R.SHORT_SALE_PROHIBITED, side=side)
    if entry.margin:
        raise decline(_R.MARGIN_PROHIBITED, side=side)


def check_price(candidate: Candidate) -> None:
    """Refuse a price outside of the day's band, or between two ticks."""
    price, band = candidate.order.price, candidate.instrument.band
    if not band.lower <= price <= band.upper:
        raise decline(_R.PRICE_OUT_OF_BAND, price=price, lower=band.lower, upper=band.upper)
    tick = tick_at(price)
    if price % tick:
        raise decline(_R.TICK_INVALID, price=price, tick=tick)


def check_lot(candidate: Candidate) -> None:
    """Refuse a quantity that is no positive multiple of the lot, or whose value no account can hold."""
    units, lot = candidate.order.quantity, candidate.instrument.admission.lot
    if units <= 0 or units % lot or candidate.value > AMOUNT_MAX:
        raise decline(_R.LOT_INVALID, units=units, lot=lot)


def check_account(candidate: Candidate) -> None:
    """Refuse accounts that are unknown, closed or another broker's, and cash of the wrong kind."""
    state, entry, order = candidate.state, candidate.entry, candidate.order
    account = state.accounts.get(order.account)
    if account is None:
        raise decline(_R.ACCOUNT_UNKNOWN, account=order.account)
    if account.closed:
        raise decline(_R.ACCOUNT_CLOSED, account=order.account)
    bound = state.chain.accounts.get(order.account)
    manager = account.broker if bound is None else bound.manager
    if not account.broker == manager == entry.broker:
        raise decline(_R.NOT_ACCOUNT_MANAGER, account=order.account, member=entry.broker)
    owner_type = account.owner_type if bound is None else bound.owner_type
    cash = state.chain.cash_accounts.get(order.cash_account)
    if cash is None or cash.member != entry.broker or not cash.kind == account.owner_type == owner_type:
        raise decline(_R.SEGREGATION_VIOLATION, account=order.account, other=order.cash_account)
    candidate.account = account


def check_investor(candidate: Candidate) -> None:
    """Judge a buyer by its class at receipt: refuse one that its broker showed to be of a class the issue excludes.

    An account's class on chain is asked with the chain's conditions; it, too, is that of the last block at receipt.
    """
    state, order = candidate.state, candidate.order
    held = candidate.investor_class = class_now(state, order.account)
    security = state.chain.tokens.get(order.token)
    if order.side != Side.BUY or not held.evidence or security is None:
        return
    if not security.rules_at(state.chain.block_number).admits(held.investor_class):
        # The arguments as in the contracts' error, whose second one is a keyword here.
        values: dict[str, bytes | int | str] = {
            "account": order.account,
            "class": held.investor_class,
            "valid_from": held.valid_from,
        }
        raise decline(_R.INVESTOR_CLASS_NOT_ELIGIBLE, **values)


def check_chain_and_cover(candidate: Candidate) -> None:
    """Refuse what the chain would, then what exceeds the annual limit, the units or the cash not yet promised."""
    refused = _side_verdict(candidate, _commitments(candidate))
    if refused is not None:
        # What the chain alone says goes first; what is promised elsewhere counts only after the annual limit.
        chain = _side_verdict(candidate, NO_COMMITMENTS)
        if chain is not None:
            raise declined_by(chain)
    if candidate.order.side == Side.BUY:
        _check_annual_limit(candidate)
    if refused is not None:
        raise declined_by(refused)
    if candidate.order.side == Side.BUY:
        _check_cash(candidate)


def _side_verdict(candidate: Candidate, commitments: Commitments) -> Verdict | None:
    order = candidate.order
    verdict = buyer_verdict if order.side == Side.BUY else seller_verdict
    return verdict(candidate.state.chain, order.token, order.account, order.quantity, commitments)


def _commitments(candidate: Candidate) -> Commitments:
    state, order = candidate.state, candidate.order
    if order.side == Side.SELL:
        reserved = state.reservations.reserved_units(order.token, order.account)
        return Commitments(selling=reserved + not_held(state, Held(order.token, order.account)))
    buying = state.reservations.buying(order.token, candidate.identity).committed
    return Commitments(buying=buying, new_holders=new_holders(state, order.token, candidate.identity))


def new_holders(state: VenueState, token: bytes, identity: bytes) -> int:
    """Count the other identities that hold nothing yet and have buys open or in flight."""
    security = state.chain.tokens.get(token)
    if security is None or not security.rules_at(state.chain.block_number).holder_limit:
        return 0
    buyers = state.reservations.buyers(token)
    return sum(1 for buyer in buyers if buyer != identity and buyer not in security.identities)


def _check_annual_limit(candidate: Candidate) -> None:
    state, account = candidate.state, candidate.account
    use = state.limits.use(account.pseudonym, state.day.year, candidate.investor_class.investor_class)
    if use is not None and candidate.value > use.remaining:
        raise decline(
            _R.ANNUAL_NET_PURCHASE_LIMIT,
            limit=use.limit,
            used=use.used,
            reserved=use.reserved,
            remaining=use.remaining,
            needed=candidate.value,
        )


def _check_cash(candidate: Candidate) -> None:
    state, order, needed = candidate.state, candidate.order, candidate.value
    if candidate.account.owner_type == OwnerType.CUSTOMER:
        own = state.reservations.cash(order.account)
        available = max(0, own.allocated - own.committed)
        if available < needed:
            raise decline(_R.INSUFFICIENT_CASH, account=order.account, available=available, needed=needed)
    pool = state.reservations.pool(order.cash_account)
    promised = pool.reserved + not_held(state, Held(order.cash, order.cash_account))
    available = max(0, cash_on_chain(state.chain, order.cash_account) - promised)
    if available < needed:
        raise decline(_R.INSUFFICIENT_CASH, account=order.cash_account, available=available, needed=needed)


def cash_on_chain(chain: ChainState, cash_account: bytes) -> int:
    """Return what an account of the deposit token holds free of trades of a later day."""
    account = chain.cash_accounts.get(cash_account)
    return 0 if account is None else account.balance - account.held


def check_surveillance(candidate: Candidate) -> None:
    """Refuse accounts that surveillance blocks; a meeting with oneself is judged at the match."""
    if candidate.account.blocked:
        raise decline(_R.SURVEILLANCE_BLOCK, account=candidate.order.account)


#: Ledger, broker and the client's order id come before these, in `accepting`.
CHECKS: tuple[Check, ...] = (
    check_signature,
    check_nonce,
    check_session,
    check_instrument,
    check_form,
    check_price,
    check_lot,
    check_account,
    check_investor,
    check_chain_and_cover,
    check_surveillance,
)
