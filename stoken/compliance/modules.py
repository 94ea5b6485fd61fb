# SPDX-License-Identifier: Apache-2.0
"""What the module contracts of a rule set say, from mirrored state; a module is known by the hash of its code."""

from enum import StrEnum
from typing import Final, NamedTuple

from stoken.domain.chain_records import RuleSet
from stoken.domain.chain_state import Approval, ChainState
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal


class ModuleKind(StrEnum):
    """A module contract whose answers can be told from its events; the value is the name of its artifact."""

    APPROVAL = "ConditionalApproval"
    BLACKOUT = "Blackout"


class Refused(NamedTuple):
    """What a module refuses with: the code, and the values of its Solidity error."""

    refusal: Refusal
    arguments: tuple[int | bytes, ...] = ()


#: By keccak256 of the runtime code; these contracts have no immutables.
CODES: Final = {
    bytes.fromhex("cf4a099d87648c2d96dfec0beb6f2d2d058d9f09b2f5ebf49341e364a0b51e0f"): ModuleKind.APPROVAL,
    bytes.fromhex("7251ee8b2fd0ea7edaea1f8d971b8e4441439071836497327b29b04f0c73bf57"): ModuleKind.BLACKOUT,
}
#: Sides of a blackout.
SELLING, BUYING = 1, 2


def pair_verdict(
    state: ChainState, module: Address, approval: Approval, sender: Address, receiver: Address, block_time: int
) -> Refused | None:
    """Say what a module would of a move of an approval's accounts and units; sender and receiver are identities."""
    kind = CODES.get(state.modules[module])
    if kind is ModuleKind.APPROVAL:
        allowed = state.approvals.get(approval._replace(module=module), 0) >= block_time
        return None if allowed else Refused(Refusal.DUAL_CONTROL_REQUIRED)
    sides = (sender, SELLING), (receiver, BUYING)
    return _alone(state, module, kind, approval.compliance, sides, block_time)


def side_verdict(
    state: ChainState, compliance: Address, rules: RuleSet, identity: Address, side: int
) -> Refused | None:
    """Say what the modules would whoever the other side is.

    The book cannot know the pairs that it matches, so conditional approval closes it. Of a module whose code is not
    known nothing can be foretold: the venue takes no order under it.
    """
    for module in rules.modules:
        kind = CODES.get(state.modules[module])
        if kind is ModuleKind.APPROVAL:
            return Refused(Refusal.DUAL_CONTROL_REQUIRED)
        refused = _alone(state, module, kind, compliance, ((identity, side),), state.block_time)
        if refused is not None:
            return refused
    return None


def _alone(
    state: ChainState,
    module: Address,
    kind: ModuleKind | None,
    compliance: Address,
    sides: tuple[tuple[Address, int], ...],
    block_time: int,
) -> Refused | None:
    if kind is None:
        return Refused(Refusal.CODE_HASH_MISMATCH, (state.modules[module],))
    for identity, side in sides:
        barred, until = state.blackouts.get((module, compliance, identity), (0, 0))
        if barred & side and until >= block_time:
            return Refused(Refusal.INSIDER_BLACKOUT, (identity, until))
    return None
