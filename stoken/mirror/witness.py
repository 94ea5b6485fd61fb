# SPDX-License-Identifier: Apache-2.0
"""A second node, asked for the hash of each block before it is written: two must err alike to make the mirror err."""

import structlog

from stoken.chain.rpc import RpcClient
from stoken.errors import LedgerUnavailableError

_log = structlog.get_logger(__name__)


class WitnessDisagreesError(LedgerUnavailableError):
    """Two nodes name different blocks of one number: which of them is right, no rule here can say."""

    title = "Two nodes disagree about a block."


class Witness:
    """Confirms blocks, by their number and hash.

    One that lags or does not answer is passed over with a warning, unless it is required: it was set up to notice
    a node that lies, and a witness that stopped the market by its own failure would halve what two nodes are for.
    """

    def __init__(self, rpc: RpcClient, *, required: bool = False) -> None:
        """Take the second node's client, and whether nothing is written without its word."""
        self._rpc = rpc
        self._required = required
        self._silent = False

    def confirm(self, number: int, block_hash: bytes) -> None:
        """Return if the second node has the same block, or says nothing; raises WitnessDisagreesError otherwise.

        Raises LedgerUnavailableError where it is required and says nothing.
        """
        try:
            answer = self._rpc.call("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003 - JSON-RPC has no names
            found = None if answer is None else bytes.fromhex(answer["hash"][2:])
        except (LedgerUnavailableError, KeyError, TypeError, ValueError) as error:
            self._pass_over(f"the witness does not answer: {error}", error)
            return
        if found is None:
            self._pass_over(f"the witness has no block {number} yet")
            return
        self._silent = False
        if found != block_hash:
            _log.error("mirror.witness_disagrees", block=number, ours=block_hash.hex(), theirs=found.hex())
            raise WitnessDisagreesError(
                f"block {number} is 0x{block_hash.hex()} at one node and 0x{found.hex()} at the other"
            )

    def _pass_over(self, reason: str, error: Exception | None = None) -> None:
        if self._required:
            raise LedgerUnavailableError(reason) from error
        if not self._silent:
            _log.warning("mirror.witness_silent", reason=reason)
        self._silent = True
