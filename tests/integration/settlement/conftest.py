# SPDX-License-Identifier: Apache-2.0
"""The write path on a market that is founded."""

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from tests.integration.write_world import WriteWorld


@pytest.fixture
def world(engine: Engine, rpc: RpcClient) -> WriteWorld:
    made = WriteWorld(engine, rpc)
    made.found_market()
    return made
