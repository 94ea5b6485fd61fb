# SPDX-License-Identifier: Apache-2.0
"""A node that mines when told to, a proxy before it that fails as told, and the write path through that."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.mirror import Finality
from stoken.network.anvil import Anvil
from tests.emitting import EmittingPath, put_code
from tests.fault_proxy import FaultProxy


@pytest.fixture
def proxy(node: Anvil, rpc: RpcClient) -> Iterator[FaultProxy]:
    put_code(rpc)
    with FaultProxy(node.url) as made:
        yield made


@pytest.fixture
def path(engine: Engine, proxy: FaultProxy) -> Iterator[EmittingPath]:
    """The write path as it sees the node: through the proxy, patient for a second."""
    with RpcClient(proxy.url, timeout=1) as client:
        made = EmittingPath(engine, client, Finality(depth=5))
        made.create_issue()
        yield made
