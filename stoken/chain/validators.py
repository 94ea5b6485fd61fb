# SPDX-License-Identifier: Apache-2.0
"""How many validators there are and how many are alive, as far as a node can tell."""

from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from stoken.chain.rpc import Call, NodeError, RpcClient

#: Besu, GoQuorum, Clique: the first that answers is the engine's.
_LISTS: Final = (
    ("qbft_getValidatorsByBlockNumber", ("latest",)),
    ("istanbul_getValidators", ("latest",)),
    ("clique_getSigners", ()),
)
_PUBLIC_KEY: Final = 64

Json = Any


class Validators(NamedTuple):
    """Validators alive, of all."""

    alive: int
    total: int

    @property
    def quorum(self) -> int:
        """So many must be alive for the chain to go on: two thirds, rounded up."""
        return -(-2 * self.total // 3)

    @property
    def go_on(self) -> bool:
        """Tell whether enough are alive."""
        return self.alive >= self.quorum


def ask(rpc: RpcClient, now: int, moving_seconds: int) -> Validators | None:
    """Count the validators; None where the node names none, as anvil, or knows none of them to be alive.

    Alive is who is the node itself or its peer - validators are known by their node keys -, and, while the last
    block is younger than `moving_seconds`, who made one of the last two rounds of blocks. Raises
    LedgerUnavailableError where the node does not answer.
    """
    listed = next((found for found in rpc.batch_each(_LISTS) if isinstance(found, list) and found), None)
    if listed is None:
        return None
    validators = frozenset(_bytes(each) for each in listed)
    alive = validators & (_connected(rpc) | _recent(rpc, now - moving_seconds, 2 * len(validators)))
    # Where validators' keys are not those of their nodes, a chain that stands says nothing of them.
    return Validators(len(alive), len(validators)) if alive else None


def _connected(rpc: RpcClient) -> frozenset[bytes]:
    """Return the node's own and its peers' addresses; none where the node does not say who they are."""
    own, peers = rpc.batch_each([("admin_nodeInfo", ()), ("admin_peers", ())])
    if isinstance(own, NodeError) or isinstance(peers, NodeError):
        return frozenset()
    return frozenset(_address(each["id"]) for each in (own, *peers))


def _address(node_id: str) -> bytes:
    """Return the address of a node's key: Besu names the key itself, geth its hash."""
    known = _bytes(node_id)
    return (keccak(known) if len(known) == _PUBLIC_KEY else known)[-20:]


def _recent(rpc: RpcClient, since: int, count: int) -> frozenset[bytes]:
    """Return who made the last blocks, unless the last of them is old: then the chain stands, and that says nothing."""
    head = rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC has no names
    number = int(head["number"], 16)
    if int(head["timestamp"], 16) < since or not number:
        return frozenset()
    numbers = [hex(each) for each in range(max(1, number - count + 1), number + 1)]
    if int(head["miner"], 16):
        calls: list[Call] = [("eth_getBlockByNumber", (each, False)) for each in numbers]
        return frozenset(_bytes(block["miner"]) for block in rpc.batch_each(calls) if isinstance(block, dict))
    # Clique leaves the field empty and tells who sealed a block when asked.
    signers = rpc.batch_each([("clique_getSigner", (each,)) for each in numbers])
    return frozenset(_bytes(signer) for signer in signers if isinstance(signer, str))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
