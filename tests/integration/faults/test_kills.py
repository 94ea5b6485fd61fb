# SPDX-License-Identifier: Apache-2.0
"""F1 to F3: a worker killed before it sent, before it had the answer, and between a receipt and its row."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine
from stoken.network.anvil import Anvil
from tests.emitting import EmittingPath
from tests.fault_proxy import FaultProxy, Strike
from tests.integration.faults.writer import SECRET
from tests.recount import recount

ROOT = Path(__file__).parents[3]
#: Where the blow falls: the request at which it does, and whether the node did it before.
_BLOWS = {
    "F1-before-sending": ("eth_sendRawTransaction", False),
    "F2-before-the-answer": ("eth_sendRawTransaction", True),
    "F3-between-receipt-and-row": ("eth_getBlockByHash", True),
}


class Writer:
    """The program, started and struck."""

    def __init__(self, database_url: str, proxy: FaultProxy) -> None:
        self._arguments = [sys.executable, "-m", "tests.integration.faults.writer", database_url, proxy.url, "one"]
        self._process: subprocess.Popen[bytes] | None = None
        self._started = threading.Event()

    def run(self) -> int:
        with subprocess.Popen(self._arguments, cwd=ROOT) as process:
            self._process = process
            self._started.set()
            return process.wait(90)

    def kill(self) -> None:
        """End it wherever it stands; called by the proxy, amid a request of the program."""
        assert self._started.wait(10)
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)


@pytest.fixture(params=_BLOWS)
def blow(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def node(database_kind: str) -> Anvil:
    assert database_kind
    return Anvil(block_seconds=0.5)


@pytest.fixture
def rpc(node: Anvil) -> RpcClient:
    return RpcClient(node.start().url)


class TestKilledWorker:
    def test_the_same_bytes_are_mined_once_after_the_restart(
        self, blow: str, database_url: str, proxy: FaultProxy, node: Anvil, rpc: RpcClient
    ) -> None:
        writer = Writer(database_url, proxy)
        method, after = _BLOWS[blow]
        proxy.fail(method, Strike(writer.kill, after=after))
        try:
            assert writer.run() == -signal.SIGKILL
            sent = list(proxy.sent)
            assert writer.run() == 0
            self._one_effect(open_engine(database_url), rpc)
        finally:
            node.stop()
            rpc.close()
        assert (len(sent) == 0) == (blow == "F1-before-sending")
        assert len(set(proxy.sent)) == 1

    @staticmethod
    def _one_effect(engine: Engine, rpc: RpcClient) -> None:
        path = EmittingPath(engine, rpc, secret=SECRET)
        path.follow_as_the_worker()
        assert (path.row("one").status, path.nonce_on_chain()) == ("mined", 1)
        recount(engine, rpc)
        engine.dispose()
