# SPDX-License-Identifier: Apache-2.0
"""The contracts' verdict on a transfer, given from mirrored state: same order, same refusal, same arguments.

An order knows only its own side until it matches, so each side's part can be asked alone.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from stoken.compliance import rules
from stoken.compliance.modules import BUYING, SELLING, side_verdict
from stoken.compliance.moves import NO_COMMITMENTS, Channel, Commitments, Move, Verdict
from stoken.compliance.rules import COVER, RULE_SET, STANDING, Failing, Refuse
from stoken.domain.chain_records import Encumbrance
from stoken.domain.chain_state import ChainState
from stoken.domain.codes import EncumbranceKind
from stoken.domain.facts import Address
from stoken.domain.registrations import NOBODY

__all__ = [
    "NO_COMMITMENTS",
    "Channel",
    "Commitments",
    "Verdict",
    "buyer_verdict",
    "cover_verdict",
    "explain",
    "first_refusal",
    "mark_of",
    "marked_verdict",
    "seller_verdict",
    "transfer_verdict",
]

_BEFORE_RULES: Final = tuple(rule.refuse for rule in STANDING)
_RULES: Final = tuple(rule.refuse for rule in RULE_SET)
_AFTER_RULES: Final = tuple(rule.refuse for rule in COVER)
_SELLER: Final[Sequence[Refuse]] = (
    rules.paused,
    rules.terminated,
    rules.suspended,
    rules.sender_restricted,
    rules.sale_held,
    rules.sender_identity,
    rules.lot,
)
_BUYER: Final[Sequence[Refuse]] = (
    rules.paused,
    rules.terminated,
    rules.suspended,
    rules.receiver_restricted,
    rules.purchase_held,
    rules.receiver_identity,
    rules.lot,
    rules.country,
    rules.investor_class,
    rules.cap,
    rules.holders,
    rules.window,
)


def transfer_verdict(
    state: ChainState,
    token: Address,
    sender: Address,
    receiver: Address,
    units: int,
    block_number: int,
    block_time: int,
    channel: Channel = Channel.PLAIN,
) -> Verdict | None:
    """Say why the contracts would refuse this transfer in a call at this block, or None where they would not."""
    return first_refusal(Move(state, token, sender, receiver, units, block_number, block_time, channel))


def marked_verdict(
    state: ChainState, mark: bytes, receiver: Address, block_number: int, block_time: int
) -> Verdict | None:
    """Say why the contracts would refuse to carry trust-marked units to another account with the trustee's consent.

    Consent opens the mark and nothing else, so a bar of sales off the venue holds for them too. KeyError for an id
    that marks nothing.
    """
    held = mark_of(state, mark)
    if held is None:
        raise KeyError(mark)
    move = Move(state, held.token, held.account, receiver, held.units, block_number, block_time, opened=held.units)
    return first_refusal(move)


def mark_of(state: ChainState, mark: bytes) -> Encumbrance | None:
    """Return the trust mark of this id, None where it is none or has ended."""
    held = state.encumbrances.get(mark)
    return held if held is not None and held.kind == EncumbranceKind.TRUST_MARK else None


def first_refusal(move: Move) -> Verdict | None:
    """Return what the first rule that says no refuses with."""
    return _first(_BEFORE_RULES, move) or (_first(_RULES, move) if move.changes_owner else None) or _uncovered(move)


def explain(move: Move) -> Iterator[Failing]:
    """Yield every rule that says no, in the order in which the contracts ask; the first is the verdict."""
    for rule in (*STANDING, *(RULE_SET if move.changes_owner else ()), *COVER):
        found = rules.each_module(move) if rule.refuse is rules.modules else (rule.refuse(move),)
        for verdict in found:
            if verdict is not None:
                yield Failing(rule, verdict)


def seller_verdict(
    state: ChainState, token: Address, sender: Address, units: int, commitments: Commitments = NO_COMMITMENTS
) -> Verdict | None:
    """Say why this account could not deliver units beyond what it is committed to, at the state's block."""
    at = state.block_number, state.block_time
    move = Move(state, token, sender, NOBODY, units, *at, Channel.VENUE, commitments)
    return (
        _first(_SELLER, move)
        or _modules_of_side(move, move.identities[0], SELLING)
        or _uncovered(move)
        or rules.uncommitted(move)
    )


def cover_verdict(
    state: ChainState, token: Address, sender: Address, units: int, commitments: Commitments
) -> Verdict | None:
    """Say why what this account holds free of measures and encumbrances does not cover units beyond its commitments."""
    move = Move(state, token, sender, NOBODY, units, state.block_number, state.block_time, Channel.VENUE, commitments)
    return rules.sale_held(move) or _uncovered(move) or rules.uncommitted(move)


def buyer_verdict(
    state: ChainState, token: Address, receiver: Address, units: int, commitments: Commitments = NO_COMMITMENTS
) -> Verdict | None:
    """Say why this account could not receive units beyond what it is committed to, at the state's block."""
    at = state.block_number, state.block_time
    move = Move(state, token, NOBODY, receiver, units, *at, Channel.VENUE, commitments)
    return _first(_BUYER, move) or _modules_of_side(move, move.identities[1], BUYING)


def _first(questions: Sequence[Refuse], move: Move) -> Verdict | None:
    for refuse in questions:
        found = refuse(move)
        if found is not None:
            return found
    return None


def _uncovered(move: Move) -> Verdict | None:
    # The usual case is seen at a glance: what may move covers the units.
    return None if move.units <= move.giving.available else _first(_AFTER_RULES, move)


def _modules_of_side(move: Move, identity: Address, side: int) -> Verdict | None:
    if not move.rules.modules:
        return None
    refused = side_verdict(move.state, move.token.compliance, move.rules, identity, side)
    return None if refused is None else Verdict(*refused)
