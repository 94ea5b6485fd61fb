# SPDX-License-Identifier: Apache-2.0
"""What seals cost: the mirror on the same blocks of four validators, once with every header and seal verified."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import httpx
import msgspec
from typing_extensions import override

from benchmarks import history
from benchmarks.history import History
from benchmarks.report import Row, expect
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, schema
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep
from stoken.mirror.store import read_checkpoint
from stoken.network.anvil import Anvil
from tests.ledger_events import SUITE
from tests.sealing import SealedNode

_URL: Final = "http://sealed"


class Replay(httpx.BaseTransport):
    """Remembers what a node answered: from the second time on an answer costs next to nothing."""

    def __init__(self, node: httpx.BaseTransport) -> None:
        """Take the node, which is asked each question once."""
        self._node = node
        self._answers: dict[bytes, msgspec.Raw] = {}

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call or a batch."""
        asked = msgspec.json.decode(request.read())
        answer = [self._answer(call) for call in asked] if isinstance(asked, list) else self._answer(asked)
        return httpx.Response(200, content=msgspec.json.encode(answer))

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        key = msgspec.json.encode((call["method"], call["params"]))
        if key not in self._answers:
            answer = self._node.handle_request(httpx.Request("POST", _URL, content=msgspec.json.encode(call)))
            self._answers[key] = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(answer.read())["result"]))
        return {"jsonrpc": "2.0", "id": call["id"], "result": self._answers[key]}


def measure(events: int, rounds: int) -> list[Row]:
    """Return the rows of a dense history, and of a sparse one with a tenth of the events."""
    against = "the same without seals"
    dense, thin = _follow(events, rounds, sparse=False), _follow(events // 10, rounds, sparse=True)
    size = f"{events:,} Transfer events, {history.A_BLOCK:,} a block, four validators; answers from memory"
    sparse = f"{events // 10:,} Transfer events, {history.SPARSE} a block"
    return [
        Row("mirror and ledger, seals verified: events", against, *dense, note=size),
        Row("mirror and ledger, sparse, seals verified: events", against, *thin, note=sparse),
    ]


def _follow(events: int, rounds: int, *, sparse: bool) -> tuple[list[float], list[float]]:
    """Return rates round by round: with seals, and without."""
    with (
        tempfile.TemporaryDirectory(prefix="stoken-bench-") as name,
        Anvil(block_seconds=None, keep_history=True) as node,
        RpcClient(node.url, timeout=60) as unsealed,
        RpcClient(_URL, transport=Replay(SealedNode(unsealed))) as rpc,
    ):
        written = History(unsealed, sparse=sparse)
        written.mine(events // (history.SPARSE if sparse else history.A_BLOCK))
        rates: dict[bool, list[float]] = {True: [], False: []}
        for number in range(rounds + 1):
            for is_sealed, measured in rates.items():
                seconds = _mirror(Path(name, f"{number}-{is_sealed}.db"), rpc, written, Finality(sealed=is_sealed))
                measured.append(written.events / seconds)
        # The first round filled the node's memory.
        return rates[True][1:], rates[False][1:]


def _mirror(path: Path, rpc: RpcClient, written: History, finality: Finality) -> float:
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    started = perf_counter()
    MirrorStep(engine, rpc, [LedgerProjection(SUITE)], finality).run_to_head()
    seconds = perf_counter() - started
    with reading(engine) as connection:
        expect("blocks mirrored", read_checkpoint(connection).number, written.last)
    engine.dispose()
    path.unlink()
    return seconds
