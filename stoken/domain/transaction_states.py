# SPDX-License-Identifier: Apache-2.0
"""The life of a transaction that we signed: one table; a pair that is not listed raises.

`mined` and `failed` are said of a block, and taken back with it. Of the transactions of one nonce at most one is
in a block: the others are `canceled` (no byte of it had left) or `replaced`, and over for good once that block is
final.
"""

from enum import StrEnum
from typing import Final


class TransactionStatus(StrEnum):
    """Where a transaction stands."""

    #: Stored with its decision; no byte has left.
    SIGNED = "signed"
    #: It is being sent, or was; from here on only a block can say what becomes of it.
    BROADCAST = "broadcast"
    MINED = "mined"
    #: In a block, without effect: a contract refused it, or its gas was too little.
    FAILED = "failed"
    #: Withdrawn before a byte of it left; another transaction of ours has its nonce.
    CANCELED = "canceled"
    #: Another transaction has its nonce, and some byte of this one may have left.
    REPLACED = "replaced"


class TransactionEvent(StrEnum):
    """What happens to a transaction."""

    SEND = "SEND"
    #: A block holds it, and it had its effect.
    MINE = "MINE"
    #: A block holds it, and it had none.
    REVERT = "REVERT"
    #: Its block is gone.
    DROP = "DROP"
    CANCEL = "CANCEL"
    #: Another transaction of ours is to have its nonce, or has it.
    REPLACE = "REPLACE"
    #: What fills a nonce is needed again.
    RESUME = "RESUME"


_S, _E = TransactionStatus, TransactionEvent
TRANSACTION_TRANSITIONS: Final[dict[tuple[TransactionStatus, TransactionEvent], TransactionStatus]] = {
    (_S.SIGNED, _E.SEND): _S.BROADCAST,
    (_S.SIGNED, _E.CANCEL): _S.CANCELED,
    # Its sibling was mined after all, or a restored back-up knows less than the chain.
    (_S.SIGNED, _E.REPLACE): _S.REPLACED,
    (_S.SIGNED, _E.MINE): _S.MINED,
    (_S.SIGNED, _E.REVERT): _S.FAILED,
    (_S.BROADCAST, _E.MINE): _S.MINED,
    (_S.BROADCAST, _E.REVERT): _S.FAILED,
    (_S.BROADCAST, _E.REPLACE): _S.REPLACED,
    (_S.MINED, _E.DROP): _S.BROADCAST,
    (_S.FAILED, _E.DROP): _S.BROADCAST,
    # What was replaced may have been in some pool, and won.
    (_S.REPLACED, _E.MINE): _S.MINED,
    (_S.REPLACED, _E.REVERT): _S.FAILED,
    (_S.REPLACED, _E.RESUME): _S.BROADCAST,
    (_S.CANCELED, _E.MINE): _S.MINED,
    (_S.CANCELED, _E.REVERT): _S.FAILED,
}

#: To be sent until a block has it.
LIVE: Final = frozenset({_S.SIGNED, _S.BROADCAST})
#: No effect, once the block that says so is final.
WITHOUT_EFFECT: Final = frozenset({_S.FAILED, _S.CANCELED, _S.REPLACED})


def next_transaction_status(status: TransactionStatus, event: TransactionEvent) -> TransactionStatus:
    """Return where the event leads; raises ValueError where the state does not allow it."""
    try:
        return TRANSACTION_TRANSITIONS[status, event]
    except KeyError:
        raise ValueError(f"{event} is not possible in state {status}") from None


def sources(event: TransactionEvent) -> frozenset[TransactionStatus]:
    """Return the states in which an event is possible."""
    return frozenset(status for status, possible in TRANSACTION_TRANSITIONS if possible is event)
