# SPDX-License-Identifier: Apache-2.0
"""Drives geth nodes over the Engine API: blocks on demand, reorgs of any depth, `safe` and `finalized` at will."""

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx
import jwt
from typing_extensions import override

from stoken.chain.rpc import Json, RpcClient
from stoken.errors import InvalidInputError, LedgerUnavailableError

_NONE: Final = "0x" + "00" * 32
_NOBODY: Final = "0x" + "00" * 20
#: The Engine API of Cancun.
_FORKCHOICE: Final = "engine_forkchoiceUpdatedV3"
_GET: Final = "engine_getPayloadV3"
_NEW: Final = "engine_newPayloadV3"
#: A payload is empty at once and full a moment later; nothing says when.
_FILL_SECONDS: Final = 0.03
_FILLS_MAX: Final = 6


class Endpoint(NamedTuple):
    """A driven node: its JSON-RPC, its Engine API, and the file with the secret that opens that."""

    url: str
    engine_url: str
    jwt_file: Path


class EngineAuth(httpx.Auth):
    """Signs each request with the secret that node and driver share: a token is good for a minute."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret of 32 bytes."""
        self._secret = secret

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = jwt.encode({"iat": int(time.time())}, self._secret, algorithm="HS256")
        request.headers["authorization"] = f"Bearer {token}"
        yield request


class _Node:
    """One node as the driver sees it."""

    def __init__(self, endpoint: Endpoint, stack: ExitStack) -> None:
        secret = bytes.fromhex(endpoint.jwt_file.read_text().strip().removeprefix("0x"))
        self.rpc = stack.enter_context(RpcClient(endpoint.url))
        self.engine = stack.enter_context(RpcClient(endpoint.engine_url, auth=EngineAuth(secret)))

    def block(self, name: str) -> Json:
        """Return a block by tag or number, without its transactions; LedgerUnavailableError where there is none."""
        found = self.rpc.call("eth_getBlockByNumber", name, False)  # noqa: FBT003 - JSON-RPC has no names
        if found is None:
            raise LedgerUnavailableError(f"the node at {self.rpc.url} has no block {name}")
        return found

    def choose(self, head: str, attributes: Json = None, *, safe: str = _NONE, finalized: str = _NONE) -> Json:
        """Say which block is the head; what is not named stays as it was."""
        state = {"headBlockHash": head, "safeBlockHash": safe, "finalizedBlockHash": finalized}
        answer = self.engine.call(_FORKCHOICE, state, attributes)
        _expect_valid(answer["payloadStatus"])
        return answer["payloadId"]

    def take(self, payload: Json) -> None:
        """Give the node a block and make it the head."""
        _expect_valid(self.engine.call(_NEW, payload, [], _NONE))
        self.choose(payload["blockHash"])

    def build(self, parent: Json) -> Json:
        """Build a block from what the pool holds; the node does not take it by that."""
        payload = self._build_once(parent, 0)
        for attempt in range(1, _FILLS_MAX + 1):
            if payload["transactions"] or not int(self.rpc.call("txpool_status")["pending"], 16):
                break
            payload = self._build_once(parent, attempt * _FILL_SECONDS)
        return payload

    def _build_once(self, parent: Json, seconds: float) -> Json:
        attributes = {
            "timestamp": hex(max(int(parent["timestamp"], 16) + 1, int(time.time()))),
            # What tells a branch from any other, too.
            "prevRandao": "0x" + token_hex(32),
            "suggestedFeeRecipient": _NOBODY,
            "withdrawals": [],
            "parentBeaconBlockRoot": _NONE,
        }
        identifier = self.choose(parent["hash"], attributes)
        time.sleep(seconds)
        return self.engine.call(_GET, identifier)["executionPayload"]


class Driver:
    """Decides alone what every node's chain is; the first node proposes, the last also makes other branches."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        """Take two nodes or more: one that makes a branch loses its head while it does."""
        if len(endpoints) < 2:  # noqa: PLR2004 - as the docstring says
            raise InvalidInputError("a driven network has two nodes or more")
        self._stack = ExitStack()
        self._nodes = [_Node(endpoint, self._stack) for endpoint in endpoints]

    def mine(self, blocks: int = 1) -> str:
        """Mine blocks from the first node's pool on every node; return the hash of the head."""
        head = self._nodes[0].block("latest")
        for _ in range(blocks):
            payload = self._nodes[0].build(head)
            for node in self._nodes:
                node.take(payload)
            head = _header(payload)
        return str(head["hash"])

    def reorg(self, depth: int, contents: Sequence[Sequence[bytes]] = (), length: int | None = None) -> str:
        """Replace the last `depth` blocks on every node by others, as many unless `length` says else.

        `contents` holds the raw transactions of the new branch's first blocks; the others are empty. What the old
        branch alone held goes back to the pools, as geth does it: down to 64 blocks. Returns the hash of the head.
        """
        *followers, builder = self._nodes
        head = int(builder.block("latest")["number"], 16)
        if not 0 < depth <= head:
            raise InvalidInputError(f"a reorg of depth {depth} does not fit on {head} blocks", {"field": "depth"})
        parent = builder.block(hex(head - depth))
        builder.rpc.call("debug_setHead", parent["number"])
        branch: list[Json] = []
        for number in range(depth if length is None else length):
            for raw in contents[number] if number < len(contents) else ():
                builder.rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
            branch.append(builder.build(parent))
            builder.take(branch[-1])
            parent = _header(branch[-1])
        for node in followers:
            for payload in branch:
                _expect_valid(node.engine.call(_NEW, payload, [], _NONE))
            node.choose(parent["hash"])
        return str(parent["hash"])

    def mark(self, *, safe: int | None = None, finalized: int | None = None) -> None:
        """Let every node call these blocks `safe` and `finalized`."""
        for node in self._nodes:
            marks = [_NONE if number is None else node.block(hex(number))["hash"] for number in (safe, finalized)]
            node.choose(node.block("latest")["hash"], safe=marks[0], finalized=marks[1])

    def transactions(self, number: int) -> list[bytes]:
        """Return the raw transactions of a block, so that another branch may hold the same."""
        node = self._nodes[0]
        calls = [("eth_getRawTransactionByHash", (item,)) for item in node.block(hex(number))["transactions"]]
        return [bytes.fromhex(raw[2:]) for raw in node.rpc.batch(calls)]

    def close(self) -> None:
        """Close the connections."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _header(payload: dict[str, Any]) -> Json:
    """Return of a payload what the next one needs to know of its parent."""
    return {"hash": payload["blockHash"], "timestamp": payload["timestamp"]}


def _expect_valid(status: Json) -> None:
    if status["status"] != "VALID":
        raise LedgerUnavailableError(f"the node answers {status['status']}: {status.get('validationError') or ''}")
