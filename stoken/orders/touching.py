# SPDX-License-Identifier: Apache-2.0
"""Of which accounts a block may have left less free for open orders."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from stoken.domain import facts
from stoken.domain.facts import Fact
from stoken.orders.standings import Held
from stoken.orders.state import VenueState


def touched(state: VenueState, block_facts: Iterable[Fact]) -> dict[Held, None]:
    """Return of what a block may have left less free, in the order in which it did."""
    found: dict[Held, None] = {}
    for fact in block_facts:
        look = _TOUCHING.get(type(fact))
        if look is not None:
            found.update(dict.fromkeys(look(state, fact)))
    return found


def _of_account(
    _state: VenueState, fact: facts.AddressFrozen | facts.UnitsFrozen | facts.EncumbranceSet
) -> Iterable[Held]:
    return (Held(fact.token, fact.account),)


def _of_sender(_state: VenueState, fact: facts.Transferred) -> Iterable[Held]:
    return (Held(fact.token, fact.sender),)


def _of_successor(_state: VenueState, fact: facts.EncumbrancesMoved) -> Iterable[Held]:
    return (Held(fact.token, fact.successor),)


def _of_encumbered(state: VenueState, fact: facts.EncumbranceRescaled) -> Iterable[Held]:
    rescaled = state.chain.encumbrances.get(fact.id)
    return () if rescaled is None else (Held(rescaled.token, rescaled.account),)


def _of_every_issue(state: VenueState, fact: facts.AccountHeld) -> Iterable[Held]:
    return (Held(token, fact.account) for token in state.instruments_by_token)


def _of_both_legs(_state: VenueState, fact: facts.TradeHeld) -> Iterable[Held]:
    return Held(fact.token, fact.seller), Held(fact.cash, fact.buyer_cash)


def _of_payer(state: VenueState, fact: facts.CashMoved) -> Iterable[Held]:
    return (Held(state.cash, fact.sender),)


_TOUCHING: Final[dict[type, Callable[[VenueState, Any], Iterable[Held]]]] = {
    facts.AddressFrozen: _of_account,
    facts.UnitsFrozen: _of_account,
    facts.EncumbranceSet: _of_account,
    facts.Transferred: _of_sender,
    facts.EncumbrancesMoved: _of_successor,
    facts.EncumbranceRescaled: _of_encumbered,
    facts.AccountHeld: _of_every_issue,
    facts.TradeHeld: _of_both_legs,
    facts.CashMoved: _of_payer,
}
