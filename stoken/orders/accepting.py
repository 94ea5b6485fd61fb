# SPDX-License-Identifier: Apache-2.0
"""What a broker or the venue's operator sends: orders, cancels, cash, accounts, admissions."""

from stoken.domain.codes import OwnerType, Scope
from stoken.domain.identifiers import is_isin
from stoken.domain.quantities import AMOUNT_MAX
from stoken.domain.refusals import Refusal
from stoken.orders.checks import CHECKS, Candidate, cash_on_chain, check_broker, check_ledger, check_signer, check_token
from stoken.orders.entries import CancelOrder, CashAllocated, InstrumentAdmitted, InstrumentHalted, NewOrder
from stoken.orders.lifecycle import cancel, enter, reserve
from stoken.orders.outcomes import Accepted, CancelAccepted, Done, Refused, Repeated
from stoken.orders.records import OrderRecord
from stoken.orders.state import Decline, Handled, VenueState, decline

_R = Refusal


def new_order(state: VenueState, entry: NewOrder) -> Accepted | Refused | Repeated:
    """Take an order or say why not. The same id with the same body gets the first answer, whatever has changed since.

    An order that is refused before its id counts (ledger, broker) leaves the id free.
    """
    key = (entry.broker, entry.client_order_id)
    handled = state.handled.get(key)
    if handled is not None and _same_body(handled.entry, entry):
        return Repeated(handled.sequence, handled.answer)
    check_ledger(state)
    check_token(state, entry.order.token)
    check_broker(state, entry.broker)
    if handled is not None:
        raise decline(_R.DUPLICATE_ORDER, client_order_id=entry.client_order_id, sequence=handled.sequence)
    answer: Accepted | Refused
    try:
        answer = _accept(state, entry)
    except Decline as because:
        answer = Refused(because.code, because.values, state.stamp(entry.order.token))
    state.handled[key] = Handled(state.sequence, entry, answer)
    return answer


def _same_body(first: NewOrder, second: NewOrder) -> bool:
    return (
        first.order == second.order
        and first.signature == second.signature
        and first.isin == second.isin
        and first.order_type == second.order_type
        and first.short_sale == second.short_sale
        and first.margin == second.margin
    )


def _accept(state: VenueState, entry: NewOrder) -> Accepted:
    candidate = Candidate(state, entry)
    try:
        for check in CHECKS:
            check(candidate)
            if candidate.replaced is not None and not candidate.released:
                # The order that goes makes room for the one that comes.
                reserve(state, candidate.replaced, -candidate.replaced.leaves_quantity)
                candidate.released = True
    except Decline:
        if candidate.released and candidate.replaced is not None:
            reserve(state, candidate.replaced, candidate.replaced.leaves_quantity)
        raise
    record = _record(candidate)
    if candidate.replaced is not None:
        reserve(state, candidate.replaced, candidate.replaced.leaves_quantity)
        cancel(state, candidate.replaced, replaced_by=record.order_id)
    enter(state, record)
    stamp = state.stamp(entry.order.token)
    return Accepted(record.order_id, record.status, record.leaves_quantity, record.cumulative_quantity, stamp)


def _record(candidate: Candidate) -> OrderRecord:
    state = candidate.state
    record = OrderRecord(
        len(state.orders) + 1, candidate.entry, candidate.instrument, candidate.account, candidate.identity
    )
    record.sequence = state.sequence
    record.investor_class = candidate.investor_class
    record.market_time_ns = state.now_ns
    record.year = state.day.year
    record.checked_block = state.chain.block_number
    record.stamp = state.stamp(candidate.order.token)
    return record


def cancel_order(state: VenueState, entry: CancelOrder) -> CancelAccepted | Refused:
    """Withdraw what is left of an order; once withdrawn, the same request gets the same answer."""
    check_signer(state, entry.signer, entry.broker, Scope.ORDER)
    record = state.orders_by_nonce.get((entry.broker, entry.nonce))
    if record is None:
        raise decline(_R.TOO_LATE, nonce=entry.nonce)
    stamp = state.stamp(record.entry.order.token)
    if record.is_open:
        cancel(state, record)
    elif not record.canceled_by_broker:
        return Refused(_R.TOO_LATE, (("status", record.status.value),), stamp, record.order_id)
    return CancelAccepted(record.order_id, record.cumulative_quantity, stamp)


def allocate_cash(state: VenueState, entry: CashAllocated) -> Done:
    """Credit an investor's sub-account; all sub-accounts together stay within the customer cash on chain."""
    key = (entry.broker, entry.nonce)
    known = state.allocations.get(key)
    if known is not None and (known.account, known.amount, known.signature) == (
        entry.account,
        entry.amount,
        entry.signature,
    ):
        return Done()
    check_ledger(state)
    check_broker(state, entry.broker)
    check_signer(state, entry.signer, entry.broker, Scope.CASH)
    if known is not None:
        raise decline(_R.NONCE_REPLAYED, member=entry.broker, nonce=entry.nonce)
    if entry.deadline < state.chain.block_time:
        raise decline(_R.TOO_LATE, deadline=entry.deadline, at=state.chain.block_time)
    _check_allocation(state, entry)
    pool = state.reservations.pool(entry.cash_account)
    available = max(0, cash_on_chain(state.chain, entry.cash_account) - pool.allocated)
    if available < entry.amount:
        raise decline(_R.INSUFFICIENT_CASH, account=entry.cash_account, available=available, needed=entry.amount)
    pool.allocated += entry.amount
    state.reservations.cash(entry.account).allocated += entry.amount
    state.allocations[key] = entry
    return Done()


def _check_allocation(state: VenueState, entry: CashAllocated) -> None:
    account = state.accounts.get(entry.account)
    if account is None:
        raise decline(_R.ACCOUNT_UNKNOWN, account=entry.account)
    # On chain, so that nobody gives cash to an account that turns out to be another broker's.
    bound = state.chain.accounts.get(entry.account)
    if bound is None:
        raise decline(_R.ACCOUNT_UNKNOWN, account=entry.account)
    if not account.broker == bound.manager == entry.broker:
        raise decline(_R.NOT_ACCOUNT_MANAGER, account=entry.account, member=entry.broker)
    cash = state.chain.cash_accounts.get(entry.cash_account)
    customer = OwnerType.CUSTOMER
    if cash is None or cash.member != entry.broker or cash.kind != customer or account.owner_type != customer:
        raise decline(_R.SEGREGATION_VIOLATION, account=entry.account, other=entry.cash_account)


def admit_instrument(state: VenueState, entry: InstrumentAdmitted) -> Done:
    """Admit an instrument that the licence covers and no related party brought."""
    if not is_isin(entry.isin):
        raise decline(_R.IDENTIFIER_INVALID, identifier=entry.isin)
    if entry.instrument_type not in state.rulebook.licensed_types:
        raise decline(_R.INSTRUMENT_TYPE_NOT_LICENSED, instrument_type=entry.instrument_type)
    for party in entry.parties:
        if party in state.rulebook.related_parties:
            raise decline(_R.RELATED_PARTY_INSTRUMENT, party=party)
    known = state.instruments.get(entry.isin)
    if known is not None and known.admission.token != entry.token:
        raise decline(_R.ADMISSION_CRITERIA_UNMET, token=known.admission.token)
    if entry.lot < 1 or entry.net_asset_value < 1 or _highest_price(state, entry) > AMOUNT_MAX:
        raise decline(_R.ADMISSION_CRITERIA_UNMET, lot=entry.lot, net_asset_value=entry.net_asset_value)
    state.admit(entry)
    return Done()


def _highest_price(state: VenueState, entry: InstrumentAdmitted) -> int:
    """Return the upper limit of the wider of the bands that the terms may lead to."""
    return max(state.band(entry.net_asset_value, price).upper for price in (0, entry.reference_price))


def halt_instrument(state: VenueState, entry: InstrumentHalted) -> Done:
    """Suspend or resume an instrument; open orders stay and may be cancelled."""
    instrument = state.instruments.get(entry.isin)
    if instrument is None:
        raise decline(_R.INSTRUMENT_UNKNOWN, isin=entry.isin)
    instrument.halted = entry.halted
    return Done()
