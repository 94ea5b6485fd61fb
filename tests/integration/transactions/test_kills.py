# SPDX-License-Identifier: Apache-2.0
"""A writer killed between decision, sending and recording: the same bytes are mined, once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.network.anvil import Anvil
from tests.integration.transactions.write_path import WritePath

ROOT = Path(__file__).parents[3]


def run_writer(database_url: str, node: Anvil, key: str, failpoint: str) -> int:
    """Run one round of the write path in a process of its own and return how it ended."""
    command = [sys.executable, "-m", "tests.integration.transactions.write_path", database_url, node.url, key]
    environment = {**os.environ, "STOKEN_FAILPOINT": failpoint}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=60).returncode


#: Where a writer is killed, and what its row says then: `signed` only where certainly no byte has left.
POINTS = {"outbox.committed": "signed", "outbox.marked": "broadcast", "outbox.broadcast": "broadcast"}


@pytest.mark.parametrize("failpoint", POINTS)
class TestKilledWriter:
    def test_the_same_bytes_are_mined_once(
        self, failpoint: str, database_url: str, node: Anvil, engine: Engine, rpc: RpcClient
    ) -> None:
        assert run_writer(database_url, node, "one", failpoint) == -signal.SIGKILL
        restarted = WritePath(engine, rpc)
        signed = restarted.row("one")
        assert signed.status == POINTS[failpoint]
        restarted.take_over()
        assert restarted.enqueue("one") == signed
        restarted.settle()
        assert restarted.row("one").status == "mined"
        receipt = rpc.call("eth_getTransactionReceipt", f"0x{signed.hash.hex()}")
        assert receipt["status"] == "0x1"
        assert restarted.nonce_on_chain() == 1

    def test_it_was_sent_before_the_kill_only_where_the_point_says_so(
        self, failpoint: str, database_url: str, node: Anvil, engine: Engine, rpc: RpcClient
    ) -> None:
        run_writer(database_url, node, "one", failpoint)
        digest = f"0x{WritePath(engine, rpc).row('one').hash.hex()}"
        known = rpc.call("eth_getTransactionByHash", digest) is not None
        assert known is (failpoint == "outbox.broadcast")
