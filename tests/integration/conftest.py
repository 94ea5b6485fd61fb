# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need a node: one that mines when told to."""

from collections.abc import Iterator

import pytest

from stoken.chain.rpc import RpcClient
from stoken.network.anvil import Anvil


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil(block_seconds=None) as running:
        yield running


@pytest.fixture
def rpc(node: Anvil) -> Iterator[RpcClient]:
    with RpcClient(node.url) as client:
        yield client
