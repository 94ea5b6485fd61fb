# SPDX-License-Identifier: Apache-2.0
"""What local nodes say of themselves and of each other: heights, peers, missed blocks, clocks, state roots."""

import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import msgspec

from stoken.chain.rpc import NodeError, RpcClient
from stoken.errors import LedgerUnavailableError
from stoken.network.background import NetworkRecord, NodeRecord

_SECONDS: Final = 5
#: Missed blocks are counted over as many blocks below the head.
MISSED_WINDOW: Final = 64
#: Clique's difficulty of a block whose signer had the turn.
_IN_TURN: Final = 2
_ASKED: Final = ("net_peerCount", "txpool_status", "clique_getSigners", "eth_coinbase")

Json = Any


class NodeStatus(msgspec.Struct):
    """A node as it stands; None for what it does not say, or while it is down."""

    name: str
    url: str
    up: bool
    height: int | None = None
    head_hash: str | None = None
    peers: int | None = None
    signers: list[str] | None = None
    #: Turns to seal that this node let pass, among the last blocks.
    missed_blocks: int | None = None
    base_fee: int | None = None
    pending: int | None = None
    queued: int | None = None
    clock_offset_seconds: int | None = None
    #: At the height that all nodes share.
    state_root: str | None = None


class NetworkStatus(msgspec.Struct):
    """A network as it stands: healthy where every node is up and all have the same state at the shared height."""

    engine: str
    shared_height: int | None
    roots_agree: bool
    healthy: bool
    nodes: list[NodeStatus]


def ask(record: NetworkRecord) -> NetworkStatus:
    """Ask every node; one that does not answer counts as down."""
    nodes = [_node(node) for node in record.nodes]
    heights = [node.height for node in nodes if node.height is not None]
    shared = min(heights, default=None)
    for node in nodes:
        if node.up and shared is not None:
            node.state_root = _state_root(node.url, shared)
    roots = {node.state_root for node in nodes if node.up}
    agree = len(roots) == 1 and None not in roots
    return NetworkStatus(record.engine, shared, agree, agree and all(node.up for node in nodes), nodes)


def _node(record: NodeRecord) -> NodeStatus:
    status = NodeStatus(record.name, record.url, up=False)
    if not record.runs:
        return status
    try:
        with RpcClient(record.url, _SECONDS) as rpc:
            _fill(status, rpc)
        status.clock_offset_seconds = _clock_offset(record.url)
    except LedgerUnavailableError:
        return NodeStatus(record.name, record.url, up=False)
    return status


def _fill(status: NodeStatus, rpc: RpcClient) -> None:
    head = rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC has no names
    said = rpc.batch_each([(name, ()) for name in _ASKED])
    answers = (None if isinstance(answer, NodeError) else answer for answer in said)
    peers, pool, signers, own = answers
    status.up = True
    status.height, status.head_hash = int(head["number"], 16), head["hash"]
    status.base_fee = _integer(head.get("baseFeePerGas"))
    status.peers = _integer(peers)
    if pool is not None:
        status.pending, status.queued = int(pool["pending"], 16), int(pool["queued"], 16)
    if signers is not None:
        status.signers = sorted(signers)
        status.missed_blocks = _missed(rpc, status.height, status.signers, own)


def _missed(rpc: RpcClient, height: int, signers: Sequence[str], own: str | None) -> int | None:
    """Count the recent blocks that another signer sealed though it was this node's turn."""
    if own not in signers:
        return None
    turns = [
        number
        for number in range(max(1, height - MISSED_WINDOW + 1), height + 1)
        if signers[number % len(signers)] == own
    ]
    blocks = rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in turns])
    return sum(int(block["difficulty"], 16) != _IN_TURN for block in blocks if block is not None)


def _state_root(url: str, number: int) -> str | None:
    try:
        with RpcClient(url, _SECONDS) as rpc:
            block = rpc.call("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003 - JSON-RPC has no names
    except LedgerUnavailableError:
        return None
    return None if block is None else str(block["stateRoot"])


def _clock_offset(url: str) -> int | None:
    """Return how far the node's clock is ahead of ours, by the date of an answer: that knows whole seconds."""
    before = int(time.time())
    said = httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}, timeout=_SECONDS)
    after = int(time.time())
    if "date" not in said.headers:
        return None
    seconds = int(parsedate_to_datetime(said.headers["date"]).timestamp())
    return 0 if before <= seconds <= after else seconds - (before if seconds < before else after)


def _integer(value: str | None) -> int | None:
    return None if value is None else int(value, 16)
