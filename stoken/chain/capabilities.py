# SPDX-License-Identifier: Apache-2.0
"""What a node can do, asked once at start; nothing else of stoken depends on which engine runs."""

from dataclasses import dataclass

from stoken.chain.rpc import NodeError, RpcClient
from stoken.errors import LedgerUnavailableError, StartupError

_BATCH_SIZES = (200, 20, 2)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Answers of a node that do not change while it runs."""

    chain_id: int
    client: str
    genesis_hash: bytes
    base_fee: int
    gas_limit: int
    #: The node mines each transaction at once: transactions must then be sent one by one.
    automine: bool
    #: Calls that one batch may hold; 1 where the node takes no batches.
    max_batch: int


def probe(rpc: RpcClient) -> Capabilities:
    """Ask a node what it can do; raises StartupError where it charges for gas, which stoken never pays."""
    chain_id = int(rpc.call("eth_chainId"), 16)
    client = str(rpc.call("web3_clientVersion"))
    head = rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC has no names
    genesis = rpc.call("eth_getBlockByNumber", "0x0", False)  # noqa: FBT003
    base_fee = int(head.get("baseFeePerGas") or "0x0", 16)
    if base_fee:
        raise StartupError(f"the node at {rpc.url} has a base fee of {base_fee} wei: start it with a base fee of 0")
    return Capabilities(
        chain_id=chain_id,
        client=client,
        genesis_hash=bytes.fromhex(genesis["hash"][2:]),
        base_fee=base_fee,
        gas_limit=int(head["gasLimit"], 16),
        automine=_automine(rpc),
        max_batch=_max_batch(rpc),
    )


def _automine(rpc: RpcClient) -> bool:
    try:
        return rpc.call("anvil_getAutomine") is True
    except NodeError:
        return False  # only development nodes know the question, and only they mine so


def _max_batch(rpc: RpcClient) -> int:
    for size in _BATCH_SIZES:
        try:
            rpc.batch([("eth_chainId", ())] * size)
        except LedgerUnavailableError:
            continue
        return size
    return 1
