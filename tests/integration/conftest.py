# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of several parts: a node that mines when told to, and a gateway on databases of its own."""

from collections.abc import Iterator

import pytest

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine
from stoken.network.anvil import Anvil
from tests.database import Databases
from tests.integration.gateway.harness import Gateway


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil(block_seconds=None) as running:
        yield running


@pytest.fixture
def rpc(node: Anvil) -> Iterator[RpcClient]:
    with RpcClient(node.url) as client:
        yield client


@pytest.fixture
def gateway(databases: Databases, database_kind: str) -> Iterator[Gateway]:
    """A market in session; on SQLite journal and ledger are two files, on PostgreSQL one database."""
    urls = [databases.create(database_kind) for _ in range(2 if database_kind == "sqlite" else 1)]
    engines = [open_engine(url) for url in urls]
    with Gateway(engines[0], engines[-1]) as running:
        running.open_market()
        yield running
    for engine, url in zip(engines, urls, strict=True):
        engine.dispose()
        databases.remove(url)
