# SPDX-License-Identifier: Apache-2.0
"""The contracts' verdict on a transfer, given from mirrored state: same order, same refusal, same arguments.

Pause, termination, suspension, restriction, account and freeze, identity, rules, balance, encumbrance. An order knows
only its own side until it matches, so each side's part can be asked alone.
"""

from enum import IntEnum
from typing import NamedTuple

from stoken.compliance.modules import BUYING, SELLING, pair_verdict, side_verdict
from stoken.domain.chain_records import NO_CLAIMS, NO_RULES, NO_WINDOW, Account, Position, RuleSet, Token
from stoken.domain.chain_state import Approval, ChainState
from stoken.domain.codes import HoldEffect
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal

_UNKNOWN = Token()


class Verdict(NamedTuple):
    """Why a transfer is refused: the code, and the values of its Solidity error in their order."""

    refusal: Refusal
    arguments: tuple[int | bytes, ...] = ()


class Commitments(NamedTuple):
    """What the venue has already promised beyond the chain; all zero gives the contracts' own verdict."""

    #: Units of the seller that are in flight or reserved.
    selling: int = 0
    #: Units that the buyer's identity has in flight or open to buy.
    buying: int = 0
    #: Other identities that hold nothing yet and have buys in flight or open.
    new_holders: int = 0


NO_COMMITMENTS = Commitments()


class Channel(IntEnum):
    """By which way units move, as the contracts number it."""

    PLAIN = 0
    VENUE = 1
    INSTRUCTED = 2


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
    security = state.tokens.get(token, _UNKNOWN)
    rules = security.rules_at(block_number)
    seller = security.held_by(sender)
    identities = state.counted_as(sender, token), state.counted_as(receiver, token)
    same = identities[0] == identities[1]
    return (
        _closed(security)
        or _suspended(state)
        or _restricted(state, token, sender)
        or _restricted(state, token, receiver)
        or _sale_held(state, seller, sender)
        or _purchase_held(state, security.held_by(receiver), receiver)
        or _sender_identity(state, sender)
        or _receiver_identity(state, receiver, block_time)
        or (None if same else _rules_of_pair(state, security, rules, receiver, identities, units, block_time))
        or (None if same or not units else _off_venue(rules, channel))
        or (
            None
            if same or not units
            else _modules_of_pair(state, security, rules, sender, receiver, identities, units, block_time)
        )
        or _balance(seller, sender, units)
        or _encumbrance(seller, sender, units)
    )


def seller_verdict(
    state: ChainState, token: Address, sender: Address, units: int, commitments: Commitments = NO_COMMITMENTS
) -> Verdict | None:
    """Say why this account could not deliver units beyond what it is committed to, at the state's block."""
    security = state.tokens.get(token, _UNKNOWN)
    rules = security.rules_at(state.block_number)
    seller = security.held_by(sender)
    return (
        _closed(security)
        or _suspended(state)
        or _restricted(state, token, sender)
        or _sale_held(state, seller, sender)
        or _sender_identity(state, sender)
        or _lot(rules, units)
        or _modules_of_side(state, security, rules, state.counted_as(sender, token), SELLING)
        or _balance(seller, sender, units)
        or _encumbrance(seller, sender, units)
        or _uncommitted(seller, sender, units, commitments.selling)
    )


def buyer_verdict(
    state: ChainState, token: Address, receiver: Address, units: int, commitments: Commitments = NO_COMMITMENTS
) -> Verdict | None:
    """Say why this account could not receive units beyond what it is committed to, at the state's block."""
    security = state.tokens.get(token, _UNKNOWN)
    rules = security.rules_at(state.block_number)
    identity = state.counted_as(receiver, token)
    return (
        _closed(security)
        or _suspended(state)
        or _restricted(state, token, receiver)
        or _purchase_held(state, security.held_by(receiver), receiver)
        or _receiver_identity(state, receiver, state.block_time)
        or _receiver_rules(state, security, rules, receiver, identity, units, commitments, state.block_time)
        or _modules_of_side(state, security, rules, identity, BUYING)
    )


def _closed(token: Token) -> Verdict | None:
    if token.paused:
        return Verdict(Refusal.TOKEN_PAUSED)
    return Verdict(Refusal.INSTRUMENT_TERMINATED) if token.terminated else None


def _suspended(state: ChainState) -> Verdict | None:
    return Verdict(Refusal.EMERGENCY_SUSPENSION) if state.suspended else None


def _restricted(state: ChainState, token: Address, account: Address) -> Verdict | None:
    manager = state.restricted_manager(account, token)
    return None if manager is None else Verdict(Refusal.INSTITUTION_TRANSFER_RESTRICTED, (manager,))


def _sale_held(state: ChainState, position: Position, account: Address) -> Verdict | None:
    held = position.frozen or state.holds.get(account, 0) & HoldEffect.NO_SALE
    return Verdict(Refusal.ACCOUNT_LEGAL_HOLD, (account,)) if held else None


def _purchase_held(state: ChainState, position: Position, account: Address) -> Verdict | None:
    held = position.frozen or state.holds.get(account, 0) & HoldEffect.NO_PURCHASE
    return Verdict(Refusal.ACCOUNT_LEGAL_HOLD, (account,)) if held else None


def _sender_identity(state: ChainState, sender: Address) -> Verdict | None:
    account = state.accounts.get(sender)
    if account is None:
        return Verdict(Refusal.SENDER_NOT_VERIFIED, (sender,))
    if state.claims.get(account.identity, NO_CLAIMS).for_cause:
        return Verdict(Refusal.SENDER_NOT_VERIFIED, (sender,))
    return None


def _receiver_identity(state: ChainState, receiver: Address, block_time: int) -> Verdict | None:
    account = state.accounts.get(receiver)
    until = 0 if account is None else state.verified_until(account.identity, block_time)
    if until == 0:
        return Verdict(Refusal.INVESTOR_NOT_VERIFIED, (receiver,))
    if until < block_time:
        return Verdict(Refusal.INVESTOR_CLAIM_EXPIRED, (receiver, until))
    return None


def _lot(rules: RuleSet, units: int) -> Verdict | None:
    if rules.lot and units % rules.lot:
        return Verdict(Refusal.LOT_INVALID, (units, rules.lot))
    return None


def _receiver_rules(
    state: ChainState,
    token: Token,
    rules: RuleSet,
    receiver: Address,
    identity: Address,
    units: int,
    commitments: Commitments,
    block_time: int,
) -> Verdict | None:
    if rules is NO_RULES:
        return None
    account = state.accounts[receiver]
    return (
        _lot(rules, units)
        or _country(rules, receiver, account)
        or _class(rules, receiver, account)
        or _cap(token, rules, identity, units, commitments)
        or _holders(token, rules, identity, units, commitments)
        or _window(token, rules, identity, units, commitments, block_time)
    )


def _rules_of_pair(
    state: ChainState,
    token: Token,
    rules: RuleSet,
    receiver: Address,
    identities: tuple[Address, Address],
    units: int,
    block_time: int,
) -> Verdict | None:
    sender_identity, identity = identities
    leaving = token.identities.get(sender_identity) == units
    # A holder who leaves makes room for the one who comes.
    commitments = Commitments(new_holders=-1 if leaving else 0)
    return _receiver_rules(state, token, rules, receiver, identity, units, commitments, block_time)


def _off_venue(rules: RuleSet, channel: Channel) -> Verdict | None:
    if rules.off_venue_barred and channel is Channel.PLAIN:
        return Verdict(Refusal.OFF_VENUE_SALE_BARRED)
    return None


def _modules_of_pair(
    state: ChainState,
    token: Token,
    rules: RuleSet,
    sender: Address,
    receiver: Address,
    identities: tuple[Address, Address],
    units: int,
    block_time: int,
) -> Verdict | None:
    if not rules.modules:
        return None
    approval = Approval(b"", token.compliance, sender, receiver, units)
    refused = pair_verdict(state, rules, approval, *identities, block_time)
    return None if refused is None else Verdict(*refused)


def _modules_of_side(state: ChainState, token: Token, rules: RuleSet, identity: Address, side: int) -> Verdict | None:
    refused = side_verdict(state, token.compliance, rules, identity, side)
    return None if refused is None else Verdict(*refused)


def _window(
    token: Token, rules: RuleSet, identity: Address, units: int, commitments: Commitments, block_time: int
) -> Verdict | None:
    if not units or not rules.window_units:
        return None
    window = token.windows.get(identity, NO_WINDOW)
    received = window.plus(units, rules.window_seconds, block_time).used + commitments.buying
    if received > rules.window_units:
        return Verdict(Refusal.SUBSCRIPTION_LIMIT, (identity, received, rules.window_units))
    return None


def _country(rules: RuleSet, receiver: Address, account: Account) -> Verdict | None:
    if rules.bars(account.country):
        return Verdict(Refusal.JURISDICTION_BARRED, (receiver, account.country))
    return None


def _class(rules: RuleSet, receiver: Address, account: Account) -> Verdict | None:
    if not rules.admits(account.investor_class):
        return Verdict(Refusal.INVESTOR_CLASS_NOT_ELIGIBLE, (receiver, account.investor_class))
    return None


def _cap(token: Token, rules: RuleSet, identity: Address, units: int, commitments: Commitments) -> Verdict | None:
    limit = rules.position_limit(token.supply)
    position = token.identities.get(identity, 0) + units + commitments.buying
    if units and limit is not None and position > limit:
        return Verdict(Refusal.HOLDING_LIMIT, (identity, position, limit))
    return None


def _holders(token: Token, rules: RuleSet, identity: Address, units: int, commitments: Commitments) -> Verdict | None:
    if not units or not rules.holder_limit or identity in token.identities:
        return None
    holders = token.holders + commitments.new_holders + 1
    if holders > rules.holder_limit:
        return Verdict(Refusal.HOLDER_COUNT_LIMIT, (holders, rules.holder_limit))
    return None


def _balance(position: Position, account: Address, units: int) -> Verdict | None:
    if position.balance < units:
        return Verdict(Refusal.INSUFFICIENT_SECURITIES, (account, position.balance, units))
    return None


def _encumbrance(position: Position, account: Address, units: int) -> Verdict | None:
    available = position.balance
    for refusal, held in (
        (Refusal.LOCKUP_ACTIVE, position.lockup),
        (Refusal.SECURITIES_PLEDGED, position.pledged),
        (Refusal.SECURITIES_RESTRICTED, position.restricted),
        (Refusal.SECURITIES_FROZEN, position.frozen_units + position.held),
    ):
        available = max(0, available - held)
        if available < units:
            return Verdict(refusal, (account, available, units))
    return None


def _uncommitted(position: Position, account: Address, units: int, committed: int) -> Verdict | None:
    available = max(0, position.available - committed)
    if available < units:
        return Verdict(Refusal.INSUFFICIENT_SECURITIES, (account, available, units))
    return None
