# SPDX-License-Identifier: Apache-2.0
"""The write path on a node that mines when told to."""

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from tests.integration.transactions.write_path import WritePath


@pytest.fixture
def path(engine: Engine, rpc: RpcClient) -> WritePath:
    made = WritePath(engine, rpc)
    made.take_over()
    return made
