# SPDX-License-Identifier: Apache-2.0
"""A gateway on a database of its own for each test."""

from collections.abc import Iterator

import pytest

from stoken.db import open_engine
from tests.database import Databases
from tests.integration.gateway.harness import Gateway


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
