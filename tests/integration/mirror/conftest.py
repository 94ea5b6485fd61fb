# SPDX-License-Identifier: Apache-2.0
"""What every test of the mirror stands on."""

from collections.abc import Iterator

import pytest

from stoken.chain.rpc import RpcClient
from stoken.network.anvil import Anvil
from tests.emitter import install
from tests.ledger_events import SUITE, TOKEN


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(block_seconds=None) as anvil:
        yield anvil


@pytest.fixture
def rpc(node: Anvil) -> Iterator[RpcClient]:
    with RpcClient(node.url) as client:
        clean = client.call("evm_snapshot")
        install(client, [TOKEN, *SUITE.values()])
        yield client
        client.call("evm_revert", clean)
