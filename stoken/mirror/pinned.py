# SPDX-License-Identifier: Apache-2.0
"""Calls of views as of one block, named by its hash: a chain that moved on, or another fork, cannot answer instead."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from stoken.chain.rpc import Json, NodeError, RpcClient

#: What geth, Besu and Nethermind say of a call that the contract itself refused.
_REVERTED: Final = 3


class ViewCall(NamedTuple):
    """A contract's address and the calldata of one of its views."""

    to: bytes
    data: bytes


class PinnedCalls:
    """Asks a node for the state at a block."""

    def __init__(self, rpc: RpcClient) -> None:
        """Take the node's client, whose batches are as large as the node allows."""
        self._rpc = rpc

    def ask(self, calls: Sequence[ViewCall], block_hash: bytes) -> list[bytes | None]:
        """Return what each view answers at a block, None where it reverts.

        Raises NodeError where the node does not have the block, or no longer its state.
        """
        # By hash (EIP-1898): a number would be answered from whatever block has it by then.
        at = {"blockHash": f"0x{block_hash.hex()}"}
        asked = [("eth_call", ({"to": f"0x{call.to.hex()}", "data": f"0x{call.data.hex()}"}, at)) for call in calls]
        return [_answer(result) for result in self._rpc.batch_each(asked)]


def _answer(result: Json | NodeError) -> bytes | None:
    if not isinstance(result, NodeError):
        return bytes.fromhex(str(result)[2:])
    if result.rpc_code == _REVERTED or "revert" in result.rpc_message.lower():
        return None
    raise result
