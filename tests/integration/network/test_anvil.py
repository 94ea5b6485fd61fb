# SPDX-License-Identifier: Apache-2.0
"""Anvil is started, watched and stopped."""

import os
import signal
import socket
import time

import pytest

from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.errors import LedgerUnavailableError, StartupError
from stoken.network import anvil as module
from stoken.network.anvil import Anvil


class TestAnvil:
    def test_it_takes_a_free_port_and_answers(self) -> None:
        with Anvil(block_seconds=None) as node, RpcClient(node.url) as rpc:
            capabilities = probe(rpc)
        assert (capabilities.chain_id, capabilities.base_fee, capabilities.automine) == (20260, 0, False)
        assert capabilities.max_batch == 200

    def test_it_mines_by_itself_every_second(self) -> None:
        with Anvil() as node, RpcClient(node.url) as rpc:
            deadline = time.monotonic() + 5
            while int(rpc.call("eth_blockNumber"), 16) < 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def test_automine_is_seen(self) -> None:
        with Anvil(automine=True) as node, RpcClient(node.url) as rpc:
            assert probe(rpc).automine

    def test_a_port_in_use_is_one_clear_error(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(StartupError, match=f"port {port} is in use"):
                Anvil(port=port).start()

    def test_a_missing_binary_is_one_clear_error(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
    ) -> None:
        monkeypatch.setattr(module.stoken, "__file__", f"{tmp_path}/stoken/__init__.py")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(StartupError, match="anvil is missing"):
            Anvil().start()

    def test_its_end_is_noticed(self) -> None:
        with Anvil(block_seconds=None) as node:
            node.check()
            os.kill(node.pid, signal.SIGKILL)
            os.waitid(os.P_PID, node.pid, os.WEXITED | os.WNOWAIT)
            with pytest.raises(LedgerUnavailableError, match="anvil ended with status -9"):
                node.check()

    def test_nothing_is_left_after_stop(self) -> None:
        node = Anvil(block_seconds=None).start()
        pid = node.pid
        node.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class TestProbe:
    def test_a_node_with_a_base_fee_is_refused(self) -> None:
        with Anvil(block_seconds=None) as node, RpcClient(node.url) as rpc:
            rpc.call("anvil_setNextBlockBaseFeePerGas", "0x7")
            rpc.call("evm_mine")
            with pytest.raises(StartupError, match="base fee of 7 wei"):
                probe(rpc)

    def test_an_unreachable_node_is_one_clear_line(self) -> None:
        with (
            RpcClient("http://127.0.0.1:1") as rpc,
            pytest.raises(LedgerUnavailableError, match="no answer from the node"),
        ):
            probe(rpc)
