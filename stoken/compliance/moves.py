# SPDX-License-Identifier: Apache-2.0
"""What a verdict is about: units on their way between two accounts, by one channel, at one block."""

from enum import IntEnum
from typing import Final, NamedTuple

from stoken.domain.chain_records import Token
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Address
from stoken.domain.refusals import Refusal

_UNKNOWN: Final = Token()


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


NO_COMMITMENTS: Final = Commitments()
#: A holder who leaves makes room for the one who comes.
_LEAVING: Final = Commitments(new_holders=-1)


class Channel(IntEnum):
    """By which way units move, as the contracts number it."""

    PLAIN = 0
    VENUE = 1
    INSTRUCTED = 2


class Move:
    """Units on their way between two accounts, with everything that rules look up; one side may be nobody yet."""

    __slots__ = (
        "block_time",
        "channel",
        "commitments",
        "giving",
        "identities",
        "issue",
        "opened",
        "receiver",
        "rules",
        "sender",
        "state",
        "taking",
        "token",
        "units",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - what the contracts' view takes, and at which block
        self,
        state: ChainState,
        token: Address,
        sender: Address,
        receiver: Address,
        units: int,
        block_number: int,
        block_time: int,
        channel: Channel = Channel.PLAIN,
        commitments: Commitments | None = None,
        opened: int = 0,
    ) -> None:
        """Look up both sides; `opened` units of a trust mark do not hold the sender's units back."""
        security = state.tokens.get(token, _UNKNOWN)
        identities = state.counted_as(sender, token), state.counted_as(receiver, token)
        self.state = state
        self.issue, self.token = token, security
        self.rules = security.rules_at(block_number)
        self.sender, self.receiver = sender, receiver
        self.giving, self.taking = security.held_by(sender), security.held_by(receiver)
        self.identities = identities
        self.units = units
        self.block_time = block_time
        self.channel = channel
        self.opened = opened
        if commitments is None:
            commitments = _LEAVING if security.identities.get(identities[0]) == units else NO_COMMITMENTS
        self.commitments = commitments

    @property
    def changes_owner(self) -> bool:
        """Tell whether units reach another identity: between accounts of one, no rule is asked."""
        return self.identities[0] != self.identities[1]
