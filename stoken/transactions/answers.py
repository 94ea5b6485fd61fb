# SPDX-License-Identifier: Apache-2.0
"""What a node's answer to a raw transaction says; the words differ from client to client."""

from enum import StrEnum
from typing import Final

from stoken.chain.rpc import NodeError


class Answer(StrEnum):
    """How a node took a transaction."""

    TAKEN = "taken"
    #: It has the same bytes already, in its pool or in a block.
    KNOWN = "known"
    #: The nonce is used: by these very bytes in a block, or by another writer. Only the mirror can tell.
    NONCE_USED = "nonce_used"
    #: Another transaction with this nonce waits in the pool: somebody else writes with our key.
    NONCE_TAKEN = "nonce_taken"
    #: The node will never take it as it is: too much gas, too little, not permitted.
    UNACCEPTABLE = "unacceptable"
    #: The pool is full or the node busy; the next resend may do.
    LATER = "later"
    #: Words that are in no table here: whether the node has the bytes, or ever will, nobody can tell.
    UNLISTED = "unlisted"

    @property
    def delivered(self) -> bool:
        """Tell whether the node has, or had, the bytes."""
        return self in {Answer.TAKEN, Answer.KNOWN, Answer.NONCE_USED}

    @property
    def unexplained(self) -> bool:
        """Tell whether it may last for ever without ever being known for good: an operator must see it."""
        return self in {Answer.UNLISTED, Answer.NONCE_TAKEN}


#: The first phrase found in the lower-cased message decides.
_PHRASES: Final = (
    ("already known", Answer.KNOWN),
    ("known transaction", Answer.KNOWN),
    ("already imported", Answer.KNOWN),
    ("nonce too low", Answer.NONCE_USED),
    ("replacement transaction underpriced", Answer.NONCE_TAKEN),
    ("exceeds block gas limit", Answer.UNACCEPTABLE),
    ("exceeds the block gas limit", Answer.UNACCEPTABLE),
    ("gas limit cap exceeded", Answer.UNACCEPTABLE),
    ("intrinsic gas", Answer.UNACCEPTABLE),
    ("gas price not 0", Answer.UNACCEPTABLE),
    ("insufficient funds", Answer.UNACCEPTABLE),
    ("wrong chainid", Answer.UNACCEPTABLE),
    # What GoQuorum says of another chain's id, which it takes for the mark of a private transaction.
    ("not supported for private transactions", Answer.UNACCEPTABLE),
    ("replay-protected", Answer.UNACCEPTABLE),
    ("transaction type not supported", Answer.UNACCEPTABLE),
    ("rlp:", Answer.UNACCEPTABLE),
    ("typed transaction", Answer.UNACCEPTABLE),
    ("not authori", Answer.UNACCEPTABLE),
    ("oversized data", Answer.UNACCEPTABLE),
    ("lower nonce exists", Answer.LATER),
    ("invalid", Answer.UNACCEPTABLE),
    ("pool is full", Answer.LATER),
    ("account limit exceeded", Answer.LATER),
    ("too distant", Answer.LATER),
    ("future transaction tries", Answer.LATER),
    ("rate limit", Answer.LATER),
    ("too many requests", Answer.LATER),
)


def classify(result: object) -> Answer:
    """Read the result, or the NodeError, of eth_sendRawTransaction."""
    if not isinstance(result, NodeError):
        return Answer.TAKEN
    message = result.rpc_message.lower()
    return next((answer for phrase, answer in _PHRASES if phrase in message), Answer.UNLISTED)
