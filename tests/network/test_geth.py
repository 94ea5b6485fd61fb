# SPDX-License-Identifier: Apache-2.0
"""The same bytecode and the same gateway on a real client: what holds on anvil holds on geth."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoken.chain import provenance
from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.errors import StartupError
from stoken.network.geth import CHAIN_ID, Geth, find_binary
from tests.e2e.playing import Played, play


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    try:
        find_binary()
    except StartupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Geth]:
    with Geth(tmp_path_factory.mktemp("geth")) as running:
        yield running


@pytest.fixture(scope="module")
def played(node: Geth, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    return play(node.url, f"sqlite:///{folder / 'stoken.db'}", folder)


class TestGeth:
    def test_it_takes_transactions_without_a_price(self, node: Geth) -> None:
        with RpcClient(node.url) as rpc:
            capabilities = probe(rpc)
        assert (capabilities.chain_id, capabilities.base_fee, capabilities.automine) == (CHAIN_ID, 0, False)
        assert capabilities.client.startswith("Geth/v1.13.15")

    def test_it_goes_on_after_a_restart(self, tmp_path: Path) -> None:
        with Geth(tmp_path) as node, RpcClient(node.url) as rpc:
            genesis = rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]  # noqa: FBT003 - JSON-RPC has no names
            seen = _head_beyond(rpc, 1)
        with Geth(tmp_path) as node, RpcClient(node.url) as rpc:
            assert rpc.call("eth_getBlockByNumber", "0x0", False)["hash"] == genesis  # noqa: FBT003
            assert _head_beyond(rpc, seen) > seen


class TestDemo:
    def test_the_main_job_runs_as_on_anvil(self, played: Played) -> None:
        document = played.document
        assert document["chain_id"] == CHAIN_ID
        assert [check["name"] for check in document["invariants"] if not check["holds"]] == []
        assert document["settled_trades"] == document["trades"] > 0

    def test_the_suite_on_it_is_the_committed_build(self, played: Played, node: Geth) -> None:
        contracts = {name: bytes.fromhex(address[2:]) for name, address in played.document["contracts"].items()}
        with RpcClient(node.url) as rpc:
            capabilities = probe(rpc)
            suite = Suite(capabilities.chain_id, capabilities.genesis_hash, 0, contracts)
            assert provenance.verify(rpc, suite) == []


def _head_beyond(rpc: RpcClient, number: int) -> int:
    deadline = time.monotonic() + 20
    while (head := int(rpc.call("eth_blockNumber"), 16)) <= number:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return head
