# SPDX-License-Identifier: Apache-2.0
"""The rules of a transfer in the order in which the contracts ask them, each on mirrored state alone.

The first that says no names the refusal. A rule that stands behind others must answer also where those said no:
`explain` asks them all.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from stoken.compliance.modules import pair_verdict
from stoken.compliance.moves import Channel, Move, Verdict
from stoken.domain.chain_records import NO_CLAIMS, NO_WINDOW, Position
from stoken.domain.chain_state import Approval
from stoken.domain.codes import HoldEffect
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal


class About(StrEnum):
    """Whom a rule's answer tells something of."""

    ISSUE = "issue"
    SENDER = "sender"
    RECEIVER = "receiver"
    #: Of both: a module that knows the pair.
    PAIR = "pair"


#: Asks one rule.
Refuse = Callable[[Move], Verdict | None]


class Rule(NamedTuple):
    """One question: its id, whom the answer is about, what it may refuse with, and what it asks."""

    id: str
    about: About
    refusals: tuple[Refusal, ...]
    asks: str
    refuse: Refuse


class Failing(NamedTuple):
    """A rule that says no to a move."""

    rule: Rule
    verdict: Verdict


def paused(move: Move) -> Verdict | None:
    """Refuse while the token is paused."""
    return Verdict(Refusal.TOKEN_PAUSED) if move.token.paused else None


def terminated(move: Move) -> Verdict | None:
    """Refuse for ever once the instrument ended."""
    return Verdict(Refusal.INSTRUMENT_TERMINATED) if move.token.terminated else None


def suspended(move: Move) -> Verdict | None:
    """Refuse while the supervisor suspends the network."""
    return Verdict(Refusal.EMERGENCY_SUSPENSION) if move.state.suspended else None


def sender_restricted(move: Move) -> Verdict | None:
    """Refuse what leaves a restricted institution."""
    return _restricted(move, move.sender)


def receiver_restricted(move: Move) -> Verdict | None:
    """Refuse what reaches a restricted institution."""
    return _restricted(move, move.receiver)


def sale_held(move: Move) -> Verdict | None:
    """Refuse what leaves an account that is frozen or may not sell."""
    return _held(move, move.giving, move.sender, HoldEffect.NO_SALE)


def purchase_held(move: Move) -> Verdict | None:
    """Refuse what reaches an account that is frozen or may not buy."""
    return _held(move, move.taking, move.receiver, HoldEffect.NO_PURCHASE)


def sender_identity(move: Move) -> Verdict | None:
    """Refuse a sender that is not registered, or was revoked for cause."""
    account = move.state.accounts.get(move.sender)
    if account is None or move.state.claims.get(account.identity, NO_CLAIMS).for_cause:
        return Verdict(Refusal.SENDER_NOT_VERIFIED, (move.sender,))
    return None


def receiver_identity(move: Move) -> Verdict | None:
    """Refuse a receiver without every claim, unexpired."""
    account = move.state.accounts.get(move.receiver)
    until = 0 if account is None else move.state.verified_until(account.identity, move.block_time)
    if until == 0:
        return Verdict(Refusal.INVESTOR_NOT_VERIFIED, (move.receiver,))
    if until < move.block_time:
        return Verdict(Refusal.INVESTOR_CLAIM_EXPIRED, (move.receiver, until))
    return None


def lot(move: Move) -> Verdict | None:
    """Refuse parts of a lot."""
    if move.rules.lot and move.units % move.rules.lot:
        return Verdict(Refusal.LOT_INVALID, (move.units, move.rules.lot))
    return None


def country(move: Move) -> Verdict | None:
    """Refuse a receiver in a country that the issue is closed to."""
    account = move.state.accounts.get(move.receiver)
    if account is not None and move.rules.bars(account.country):
        return Verdict(Refusal.JURISDICTION_BARRED, (move.receiver, account.country))
    return None


def investor_class(move: Move) -> Verdict | None:
    """Refuse a receiver of a class that the issue is closed to."""
    account = move.state.accounts.get(move.receiver)
    if account is not None and not move.rules.admits(account.investor_class):
        return Verdict(Refusal.INVESTOR_CLASS_NOT_ELIGIBLE, (move.receiver, account.investor_class))
    return None


def cap(move: Move) -> Verdict | None:
    """Refuse what would give one identity more than it may hold."""
    if not move.units:
        return None
    limit, identity = move.rules.position_limit(move.token.supply), move.identities[1]
    if limit is None:
        return None
    position = move.token.identities.get(identity, 0) + move.units + move.commitments.buying
    return Verdict(Refusal.HOLDING_LIMIT, (identity, position, limit)) if position > limit else None


def holders(move: Move) -> Verdict | None:
    """Refuse one holder too many."""
    limit = move.rules.holder_limit
    if not move.units or not limit or move.identities[1] in move.token.identities:
        return None
    count = move.token.holders + move.commitments.new_holders + 1
    return Verdict(Refusal.HOLDER_COUNT_LIMIT, (count, limit)) if count > limit else None


def window(move: Move) -> Verdict | None:
    """Refuse more than may reach one identity within a window of block time."""
    limit, identity = move.rules.window_units, move.identities[1]
    if not move.units or not limit:
        return None
    taken = move.token.windows.get(identity, NO_WINDOW)
    received = taken.plus(move.units, move.rules.window_seconds, move.block_time).used + move.commitments.buying
    return Verdict(Refusal.SUBSCRIPTION_LIMIT, (identity, received, limit)) if received > limit else None


def off_venue(move: Move) -> Verdict | None:
    """Refuse a sale that is neither a trade nor instructed."""
    barred = move.rules.off_venue_barred and move.channel is Channel.PLAIN and move.units
    return Verdict(Refusal.OFF_VENUE_SALE_BARRED) if barred else None


def modules(move: Move) -> Verdict | None:
    """Refuse what a module contract refuses."""
    return next(each_module(move), None) if move.rules.modules and move.units else None


def each_module(move: Move) -> Iterator[Verdict]:
    """Yield what each module contract that says no refuses with, in their order."""
    if not move.units:
        return
    approval = Approval(b"", move.token.compliance, move.sender, move.receiver, move.units)
    for module in move.rules.modules:
        refused = pair_verdict(move.state, module, approval, *move.identities, move.block_time)
        if refused is not None:
            yield Verdict(*refused)


def balance(move: Move) -> Verdict | None:
    """Refuse more than the sender has."""
    if move.giving.balance < move.units:
        return Verdict(Refusal.INSUFFICIENT_SECURITIES, (move.sender, move.giving.balance, move.units))
    return None


def lockup(move: Move) -> Verdict | None:
    """Refuse units that are locked up."""
    return _short(move, Refusal.LOCKUP_ACTIVE, 1)


def pledge(move: Move) -> Verdict | None:
    """Refuse units that are pledged."""
    return _short(move, Refusal.SECURITIES_PLEDGED, 2)


def restriction(move: Move) -> Verdict | None:
    """Refuse units under a trust mark, a certificate or a court order."""
    return _short(move, Refusal.SECURITIES_RESTRICTED, 3)


def freeze(move: Move) -> Verdict | None:
    """Refuse units that are frozen, or sold and settling on a later day."""
    return _short(move, Refusal.SECURITIES_FROZEN, 4)


def uncommitted(move: Move) -> Verdict | None:
    """Refuse units that the venue has promised already; no contract asks this."""
    available = max(0, move.giving.available - move.commitments.selling)
    if available < move.units:
        return Verdict(Refusal.INSUFFICIENT_SECURITIES, (move.sender, available, move.units))
    return None


def _restricted(move: Move, account: Address) -> Verdict | None:
    manager = move.state.restricted_manager(account, move.issue)
    return None if manager is None else Verdict(Refusal.INSTITUTION_TRANSFER_RESTRICTED, (manager,))


def _held(move: Move, position: Position, account: Address, effect: HoldEffect) -> Verdict | None:
    effects = move.state.holds.get(account)
    if position.frozen or (effects and effects & effect):
        return Verdict(Refusal.ACCOUNT_LEGAL_HOLD, (account,))
    return None


def _short(move: Move, refusal: Refusal, kinds: int) -> Verdict | None:
    """Refuse what is left too little by the last of these kinds, subtracted in the order in which they are asked."""
    position = move.giving
    locked = position.lockup, position.pledged, position.restricted - move.opened, position.frozen_units + position.held
    available = max(0, position.balance - sum(locked[:kinds]))
    if locked[kinds - 1] and available < move.units:
        return Verdict(refusal, (move.sender, available, move.units))
    return None


_R, _A = Refusal, About
#: Of the issue and both accounts.
STANDING: Final = (
    Rule("pause", _A.ISSUE, (_R.TOKEN_PAUSED,), "Is the token paused?", paused),
    Rule("termination", _A.ISSUE, (_R.INSTRUMENT_TERMINATED,), "Was the instrument terminated?", terminated),
    Rule("suspension", _A.ISSUE, (_R.EMERGENCY_SUSPENSION,), "Did the supervisor suspend the network?", suspended),
    Rule(
        "sender_restriction",
        _A.SENDER,
        (_R.INSTITUTION_TRANSFER_RESTRICTED,),
        "Is the manager of the sender's account restricted, for this issue or for all?",
        sender_restricted,
    ),
    Rule(
        "receiver_restriction",
        _A.RECEIVER,
        (_R.INSTITUTION_TRANSFER_RESTRICTED,),
        "Is the manager of the receiver's account?",
        receiver_restricted,
    ),
    Rule(
        "sender_hold",
        _A.SENDER,
        (_R.ACCOUNT_LEGAL_HOLD,),
        "Is the sender's account frozen, or may it not sell?",
        sale_held,
    ),
    Rule(
        "receiver_hold",
        _A.RECEIVER,
        (_R.ACCOUNT_LEGAL_HOLD,),
        "Is the receiver's account frozen, or may it not buy?",
        purchase_held,
    ),
    Rule(
        "sender_identity",
        _A.SENDER,
        (_R.SENDER_NOT_VERIFIED,),
        "Is the sender registered, and not revoked for cause?",
        sender_identity,
    ),
    Rule(
        "receiver_identity",
        _A.RECEIVER,
        (_R.INVESTOR_NOT_VERIFIED, _R.INVESTOR_CLAIM_EXPIRED),
        "Does the receiver hold every required claim of a trusted issuer, unexpired?",
        receiver_identity,
    ),
)
#: Of the rule set, between two identities alone.
RULE_SET: Final = (
    Rule("lot", _A.ISSUE, (_R.LOT_INVALID,), "Are the units whole lots?", lot),
    Rule("country", _A.RECEIVER, (_R.JURISDICTION_BARRED,), "Is the issue open to the receiver's country?", country),
    Rule(
        "class", _A.RECEIVER, (_R.INVESTOR_CLASS_NOT_ELIGIBLE,), "Is it open to the receiver's class?", investor_class
    ),
    Rule("cap", _A.RECEIVER, (_R.HOLDING_LIMIT,), "Does the receiver's identity stay within its cap?", cap),
    Rule("holders", _A.ISSUE, (_R.HOLDER_COUNT_LIMIT,), "Is there room for one holder more?", holders),
    Rule(
        "window",
        _A.RECEIVER,
        (_R.SUBSCRIPTION_LIMIT,),
        "Does what reaches the receiver's identity within the window stay within its limit?",
        window,
    ),
    Rule("off_venue", _A.ISSUE, (_R.OFF_VENUE_SALE_BARRED,), "May units be sold off the venue?", off_venue),
    Rule(
        "modules",
        _A.PAIR,
        (_R.DUAL_CONTROL_REQUIRED, _R.INSIDER_BLACKOUT, _R.CODE_HASH_MISMATCH),
        "Does each module contract say yes, in ascending order of their addresses?",
        modules,
    ),
)
#: Of what the sender has.
COVER: Final = (
    Rule("balance", _A.SENDER, (_R.INSUFFICIENT_SECURITIES,), "Does the balance cover the units?", balance),
    Rule("lockup", _A.SENDER, (_R.LOCKUP_ACTIVE,), "Does it, less what is locked up?", lockup),
    Rule("pledge", _A.SENDER, (_R.SECURITIES_PLEDGED,), "Does it, less what is pledged too?", pledge),
    Rule(
        "restriction",
        _A.SENDER,
        (_R.SECURITIES_RESTRICTED,),
        "Does it, less what trust marks, certificates and court orders hold too?",
        restriction,
    ),
    Rule(
        "freeze",
        _A.SENDER,
        (_R.SECURITIES_FROZEN,),
        "Does it, less what is frozen, or sold and settling on a later day, too?",
        freeze,
    ),
)
#: All of them, in the order in which the contracts ask.
RULES: Final = (*STANDING, *RULE_SET, *COVER)
