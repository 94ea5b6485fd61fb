# SPDX-License-Identifier: Apache-2.0
"""`stoken network` on the embedded engine: started in the background, shown, stopped, and nothing else stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from stoken.chain.rpc import RpcClient
from stoken.cli.running import run
from stoken.network import background, status
from stoken.network.background import NetworkRecord


class Ended(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def stoken(*arguments: str) -> Ended:
    hook = sys.excepthook
    with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
        code = run("stoken.cli.network", "network", arguments)
    sys.excepthook = hook
    return Ended(code, output.getvalue(), errors.getvalue())


def document(*arguments: str) -> Any:  # noqa: ANN401 - JSON
    ended = stoken(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    below = tmp_path / "network"
    yield below
    if (below / "network.json").exists():
        background.down(below)


@pytest.fixture
def up(folder: Path) -> dict[str, Any]:
    started: dict[str, Any] = document("up", "--port", "0", "--folder", str(folder))
    return started


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestUp:
    def test_the_network_outlives_the_command_and_leaves_pid_and_log(self, folder: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "stoken.cli",
            "network",
            "up",
            "--port",
            "0",
            "--folder",
            str(folder),
            "--json",
        ]
        up = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
        (node,) = up["nodes"]
        assert (up["engine"], node["name"]) == ("anvil", "node-1")
        assert _alive(node["pid"])
        assert (folder / "node-1/pid").read_text() == f"{node['pid']}\n"
        assert "Listening on 127.0.0.1" in (folder / "node-1/log").read_text()

    @pytest.mark.usefixtures("up")
    def test_a_second_is_refused_while_the_first_is_up(self, folder: Path) -> None:
        ended = stoken("up", "--port", "0", "--folder", str(folder))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "is up already" in ended.stderr

    @pytest.mark.usefixtures("up")
    def test_the_chain_goes_on_after_down_and_up(self, folder: Path) -> None:
        deadline = time.monotonic() + 30
        while (before := document("status", "--folder", str(folder))["nodes"][0]["height"]) < 2:
            assert time.monotonic() < deadline
        document("down", "--folder", str(folder))
        document("up", "--port", "0", "--folder", str(folder))
        assert document("status", "--folder", str(folder))["nodes"][0]["height"] >= before

    @pytest.mark.usefixtures("up")
    def test_another_engine_does_not_take_the_folder(self, folder: Path) -> None:
        background.down(folder)
        ended = stoken("up", "--engine", "clique", "--port", "0", "--folder", str(folder))
        assert "holds a chain of anvil" in ended.stderr

    def test_anvil_is_one_node(self, folder: Path) -> None:
        ended = stoken("up", "--nodes", "2", "--folder", str(folder))
        assert (ended.returncode, "anvil runs with 1 node" in ended.stderr) == (1, True)


class TestStatus:
    @pytest.mark.usefixtures("up")
    def test_it_shows_the_node(self, folder: Path) -> None:
        found = document("status", "--folder", str(folder))
        (node,) = found["nodes"]
        assert (found["healthy"], found["roots_agree"], node["up"], node["base_fee"]) == (True, True, True, 0)
        assert (node["pending"], node["queued"], node["clock_offset_seconds"]) == (0, 0, 0)
        assert len(node["head_hash"]) == len(node["state_root"]) == 66
        shown = stoken("status", "--folder", str(folder)).stdout
        assert "node-1" in shown
        assert "one state root on all nodes" in shown

    def test_a_dead_node_is_down_and_the_exit_code_says_so(self, up: dict[str, Any], folder: Path) -> None:
        os.kill(up["nodes"][0]["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 10
        while _alive(up["nodes"][0]["pid"]):
            assert time.monotonic() < deadline
        ended = stoken("status", "--folder", str(folder), "--json")
        assert ended.returncode == 1
        assert [node["up"] for node in json.loads(ended.stdout)["nodes"]] == [False]

    def test_states_that_differ_are_not_healthy(self, up: dict[str, Any], folder: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        document("up", "--port", "0", "--folder", str(other))
        try:
            one, two = background.read(folder), background.read(other)
            _write(two.nodes[0].url, up["nodes"][0]["url"])
            found = status.ask(NetworkRecord(one.engine, (*one.nodes, *two.nodes)))
        finally:
            background.down(other)
        assert [node.up for node in found.nodes] == [True, True]
        assert (found.roots_agree, found.healthy) == (False, False)

    def test_without_a_network_it_is_one_line(self, folder: Path) -> None:
        ended = stoken("status", "--folder", str(folder))
        assert (ended.returncode, ended.stderr.count("\n"), "there is no network" in ended.stderr) == (1, 1, True)


class TestDrive:
    @pytest.mark.usefixtures("up")
    def test_only_a_driven_network_takes_orders(self, folder: Path) -> None:
        ended = stoken("drive", "--blocks", "1", "--folder", str(folder))
        assert (ended.returncode, "mines by itself" in ended.stderr) == (1, True)


class TestDown:
    def test_it_stops_the_node_and_keeps_the_chain(self, up: dict[str, Any], folder: Path) -> None:
        assert document("down", "--folder", str(folder)) == {"stopped": ["node-1"]}
        assert not _alive(up["nodes"][0]["pid"])
        assert not (folder / "node-1/pid").exists()
        assert document("down", "--folder", str(folder)) == {"stopped": []}

    def test_a_process_that_got_the_number_of_a_dead_node_is_not_touched(
        self, up: dict[str, Any], folder: Path
    ) -> None:
        record = background.read(folder)
        background.down(folder)
        with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
            try:
                taken = msgspec.structs.replace(record.nodes[0], pid=stranger.pid)
                forged = NetworkRecord(record.engine, (taken,))
                (folder / "network.json").write_bytes(msgspec.json.encode(forged))
                assert document("down", "--folder", str(folder)) == {"stopped": []}
                assert stranger.poll() is None
            finally:
                stranger.kill()
        assert up["nodes"][0]["pid"] != stranger.pid


def _write(*urls: str) -> None:
    """Give two chains another state each, in blocks of the same height."""
    heights = []
    for at, url in enumerate(urls):
        with RpcClient(url) as rpc:
            rpc.call("evm_setIntervalMining", 0)
            rpc.call("anvil_setBalance", "0x" + "0e" * 20, hex(at + 1))
            rpc.call("evm_mine")
            heights.append(int(rpc.call("eth_blockNumber"), 16))
    with RpcClient(urls[heights.index(min(heights))]) as rpc:
        rpc.call("anvil_mine", hex(max(heights) - min(heights)))
