# SPDX-License-Identifier: Apache-2.0
"""Investors' classes by when they hold: a change is announced with its evidence and never reaches back."""

from typing import Final

from stoken.domain.codes import InvestorClass
from stoken.domain.refusals import Refusal
from stoken.orders.entries import AccountOpened, ClassChanged
from stoken.orders.records import ClassRecord
from stoken.orders.state import VenueState, decline

_NANOSECONDS: Final = 1_000_000_000


def open_class(state: VenueState, entry: AccountOpened) -> None:
    """Note the class that an account is opened with; stated again it changes nothing, another counts from now on."""
    known = state.accounts.get(entry.account)
    if known is None or known.investor_class != entry.investor_class:
        _note(state, entry.account, ClassRecord(_now(state), state.sequence, entry.investor_class))


def change_class(state: VenueState, entry: ClassChanged) -> ClassRecord:
    """Note a class that counts from an instant on; orders that were received before keep theirs."""
    account = state.accounts.get(entry.account)
    if account is None:
        raise decline(Refusal.ACCOUNT_UNKNOWN, account=entry.account)
    bound = state.chain.accounts.get(entry.account)
    manager = account.broker if bound is None else bound.manager
    if not account.broker == manager == entry.broker:
        raise decline(Refusal.NOT_ACCOUNT_MANAGER, account=entry.account, member=entry.broker)
    now = _now(state)
    if entry.valid_from and entry.valid_from < now:
        raise decline(Refusal.TOO_LATE, deadline=entry.valid_from, at=now)
    record = ClassRecord(entry.valid_from or now, state.sequence, entry.investor_class, entry.evidence)
    _note(state, entry.account, record)
    return record


def class_at(state: VenueState, account: bytes, at: int) -> ClassRecord | None:
    """Return the class of an account at an instant of market time, None before it had any."""
    held = None
    for record in state.classes.get(account, ()):
        if record.valid_from > at:
            break
        held = record
    return held


def class_now(state: VenueState, account: bytes) -> ClassRecord:
    """Return the class by which an order of this moment is judged."""
    return class_at(state, account, _now(state)) or ClassRecord(0, 0, InvestorClass.GENERAL)


def _note(state: VenueState, account: bytes, record: ClassRecord) -> None:
    # By the instant; of two for the same one, the later statement counts.
    state.classes[account] = tuple(sorted((*state.classes.get(account, ()), record)))


def _now(state: VenueState) -> int:
    return state.now_ns // _NANOSECONDS
