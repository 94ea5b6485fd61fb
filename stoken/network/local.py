# SPDX-License-Identifier: Apache-2.0
"""Networks of local nodes, made here for tests and for `stoken network` alike."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.errors import InvalidInputError
from stoken.network import genesis
from stoken.network.anvil import Anvil
from stoken.network.driver import Driver, Endpoint
from stoken.network.geth import CHAIN_ID, Geth
from stoken.network.process import NodeProcess


class Engine(StrEnum):
    """What runs: anvil, geth sealing by signers in turn, or geth whose blocks a driver decides."""

    ANVIL = "anvil"
    CLIQUE = "clique"
    DRIVEN = "driven"


#: How many nodes an engine has unless one says otherwise, and at least.
NODES: Final = {Engine.ANVIL: (1, 1), Engine.CLIQUE: (4, 1), Engine.DRIVEN: (3, 2)}


def make(engine: Engine, folder: Path, count: int | None = None, first_port: int = 0) -> Sequence[NodeProcess]:
    """Return the nodes of a network, not started, below a folder; one that an earlier network left goes on.

    With a `first_port` their endpoints follow each other from there.
    """
    usual, least = NODES[engine]
    nodes = usual if count is None else count
    if nodes < least or (engine is Engine.ANVIL and nodes > 1):
        raise InvalidInputError(f"{engine} runs with {least} {'node' if usual == 1 else 'nodes or more'}")
    ports = [first_port + at if first_port else 0 for at in range(nodes)]
    if engine is Engine.ANVIL:
        return [Anvil(port=ports[0], keep_history=True, state_file=_below(folder, 0) / "state.json")]
    return clique(folder, nodes, ports=ports) if engine is Engine.CLIQUE else driven(folder, nodes, ports=ports)


def clique(
    folder: Path, count: int = 4, *, ports: Sequence[int] = (), code: Mapping[bytes, bytes] | None = None
) -> list[Geth]:
    """Return nodes that seal a block a second in turn, in the order of their addresses."""
    keys = sorted((secrets.token_bytes(32) for _ in range(count)), key=address_of)
    first = genesis.clique(CHAIN_ID, [address_of(key) for key in keys], 1, code or {})
    nodes = [Geth(_below(folder, at), first, secret=key, port=ports[at] if ports else 0) for at, key in enumerate(keys)]
    _introduce(nodes)
    return nodes


def driven(
    folder: Path, count: int = 3, *, ports: Sequence[int] = (), code: Mapping[bytes, bytes] | None = None
) -> list[Geth]:
    """Return nodes that wait for a driver; the last, which makes branches, has no peers, so that its pool is empty."""
    first = genesis.driven(CHAIN_ID, code or {})
    nodes = [Geth(_below(folder, at), first, port=ports[at] if ports else 0) for at in range(count)]
    _introduce(nodes[:-1])
    return nodes


@contextmanager
def running(nodes: Sequence[NodeProcess]) -> Iterator[None]:
    """Start nodes one after the other, and stop all of them in the end."""
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node)
        yield


def endpoint(node: Geth) -> Endpoint:
    """Return where a driver reaches a node that has started."""
    return Endpoint(node.url, node.engine_url, node.jwt_file)


def drive(nodes: Sequence[Geth]) -> Driver:
    """Return the driver of nodes that have started."""
    return Driver([endpoint(node) for node in nodes])


def part(left: Sequence[Geth], right: Sequence[Geth]) -> None:
    """Cut every connection between two groups of running nodes; within each it stays."""
    for nodes, others in ((left, right), (right, left)):
        for node in nodes:
            with RpcClient(node.url) as rpc:
                node.disconnect(rpc, [other.enode for other in others])


def heal(left: Sequence[Geth], right: Sequence[Geth]) -> None:
    """Let two groups of nodes find each other again: it takes them up to half a minute."""
    for nodes, others in ((left, right), (right, left)):
        for node in nodes:
            with RpcClient(node.url) as rpc:
                node.connect(rpc, [other.enode for other in others])


def _below(folder: Path, at: int) -> Path:
    return folder / f"node-{at + 1}"


def _introduce(nodes: Sequence[Geth]) -> None:
    """Let each node know the others; whichever starts later connects."""
    for node in nodes:
        node.peers = [other.enode for other in nodes if other is not node]
