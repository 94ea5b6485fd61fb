# SPDX-License-Identifier: Apache-2.0
"""The contracts' verdict on a transfer, given from mirrored state: same order, same refusal, same arguments.

Pause, account and freeze, identity, rules, balance, encumbrance. An order knows only its own side until it
matches, so each side's part can be asked alone.
"""

from typing import NamedTuple

from stoken.domain.chain_records import NO_CLAIMS, NO_RULES, Account, Position, RuleSet, Token
from stoken.domain.chain_state import ChainState
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


def transfer_verdict(
    state: ChainState,
    token: Address,
    sender: Address,
    receiver: Address,
    units: int,
    block_number: int,
    block_time: int,
) -> Verdict | None:
    """Say why the contracts would refuse this transfer in a call at this block, or None where they would not."""
    security = state.tokens.get(token, _UNKNOWN)
    rules = security.rules_at(block_number)
    seller = security.held_by(sender)
    same = state.counted_as(sender) == state.counted_as(receiver)
    return (
        _paused(security)
        or _frozen(seller, sender)
        or _frozen(security.held_by(receiver), receiver)
        or _sender_identity(state, sender)
        or _receiver_identity(state, receiver, block_time)
        or (None if same else _rules_of_pair(state, security, rules, sender, receiver, units))
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
        _paused(security)
        or _frozen(seller, sender)
        or _sender_identity(state, sender)
        or _lot(rules, units)
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
    return (
        _paused(security)
        or _frozen(security.held_by(receiver), receiver)
        or _receiver_identity(state, receiver, state.block_time)
        or _receiver_rules(state, security, rules, receiver, units, commitments)
    )


def _paused(token: Token) -> Verdict | None:
    return Verdict(Refusal.TOKEN_PAUSED) if token.paused else None


def _frozen(position: Position, account: Address) -> Verdict | None:
    return Verdict(Refusal.ACCOUNT_LEGAL_HOLD, (account,)) if position.frozen else None


def _sender_identity(state: ChainState, sender: Address) -> Verdict | None:
    account = state.accounts.get(sender)
    if account is None:
        return Verdict(Refusal.SENDER_NOT_VERIFIED, (sender,))
    if state.claims.get(account.identity, NO_CLAIMS).for_cause:
        return Verdict(Refusal.SENDER_NOT_VERIFIED, (sender,))
    return None


def _receiver_identity(state: ChainState, receiver: Address, block_time: int) -> Verdict | None:
    account = state.accounts.get(receiver)
    until = 0 if account is None else state.verified_until(account.identity)
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
    state: ChainState, token: Token, rules: RuleSet, receiver: Address, units: int, commitments: Commitments
) -> Verdict | None:
    if rules is NO_RULES:
        return None
    account = state.accounts[receiver]
    identity = state.counted_as(receiver)
    return (
        _lot(rules, units)
        or _country(rules, receiver, account)
        or _class(rules, receiver, account)
        or _cap(token, rules, identity, units, commitments)
        or _holders(token, rules, identity, units, commitments)
    )


def _rules_of_pair(
    state: ChainState, token: Token, rules: RuleSet, sender: Address, receiver: Address, units: int
) -> Verdict | None:
    leaving = token.identities.get(state.counted_as(sender)) == units
    # A holder who leaves makes room for the one who comes.
    return _receiver_rules(state, token, rules, receiver, units, Commitments(new_holders=-1 if leaving else 0))


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
