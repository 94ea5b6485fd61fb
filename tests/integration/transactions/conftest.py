# SPDX-License-Identifier: Apache-2.0
"""A node that mines when told to, and the write path on it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.network.anvil import Anvil
from tests.integration.transactions.write_path import WritePath


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil(block_seconds=None) as running:
        yield running


@pytest.fixture
def rpc(node: Anvil) -> Iterator[RpcClient]:
    with RpcClient(node.url) as client:
        yield client


@pytest.fixture
def path(engine: Engine, rpc: RpcClient) -> WritePath:
    made = WritePath(engine, rpc)
    made.take_over()
    return made
