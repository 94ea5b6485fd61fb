# SPDX-License-Identifier: Apache-2.0
"""A gateway on a database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stoken.db import open_engine, unit_of_work
from stoken.db.metadata import metadata
from tests.integration.gateway.harness import Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    market, ledger = (open_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("market", "ledger"))
    for engine in (market, ledger):
        with unit_of_work(engine) as connection:
            metadata.create_all(connection)
    with Gateway(market, ledger) as running:
        running.open_market()
        yield running
    market.dispose()
    ledger.dispose()
