# SPDX-License-Identifier: Apache-2.0
"""Signs many transactions at once: nonces without gaps, and what a signer fails on holds up nothing but its owner."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from stoken.chain.statements import GivenApproval
from stoken.transactions import senders
from stoken.transactions.signer import Signer, SignerError, sign_transaction

#: One failure may be the transaction's fault; after so many the signer is asked no more.
_FAILURES_MAX: Final = 2


class Submission(NamedTuple):
    """What is to be sent: a call of `to`, which is empty to create a contract; `sender` where a key is asked for."""

    key: str
    to: bytes
    data: bytes
    gas: int
    purpose: str
    owner: str = ""
    sender: bytes | None = None
    approvals: Sequence[GivenApproval] = ()


class Signed(NamedTuple):
    """A submission with its nonce, its raw bytes and their hash."""

    submission: Submission
    sender: bytes
    nonce: int
    raw: bytes
    hash: bytes


class Bench:
    """The keys of a process that may sign, each with the epoch in which it is held."""

    def __init__(self, signers: Mapping[bytes, Signer], epochs: Mapping[bytes, int], chain_id: int) -> None:
        """Take signers and epochs by address; both may change."""
        self._signers = signers
        self._epochs = epochs
        self._chain_id = chain_id

    def sign(self, connection: Connection, placed: Sequence[tuple[Submission, bytes]]) -> list[Signed | SignerError]:
        """Sign submissions, each by the key beside it, and take their nonces within the caller's unit of work.

        What comes after a failure and is of the same owner fails with it, so that nothing overtakes. Raises
        FencedError where another process took a key over.
        """
        counts = Counter(sender for _, sender in placed)
        nonces = {sender: self._take(connection, sender, count) for sender, count in counts.items()}
        failures, stuck = Counter[bytes](), dict[object, SignerError]()
        results: list[Signed | SignerError] = []
        for submission, sender in placed:
            failed = stuck.get(submission.owner) or stuck.get(sender)
            made = failed or self._sign(submission, sender, nonces[sender])
            results.append(made)
            if isinstance(made, Signed):
                nonces[sender] += 1
                counts[sender] -= 1
            elif failed is None:
                failures[sender] += 1
                stuck[sender if failures[sender] == _FAILURES_MAX else submission.owner] = made
        for sender, left in counts.items():
            if left:
                self._take(connection, sender, -left)
        return results

    def _take(self, connection: Connection, sender: bytes, count: int) -> int:
        return senders.take_nonces(connection, sender, self._epochs.get(sender), count)

    def _sign(self, submission: Submission, sender: bytes, nonce: int) -> Signed | SignerError:
        try:
            raw, digest = sign_transaction(
                self._signers[sender], nonce, submission.gas, submission.to, submission.data, self._chain_id
            )
        except SignerError as error:
            return error
        return Signed(submission, sender, nonce, raw, digest)
