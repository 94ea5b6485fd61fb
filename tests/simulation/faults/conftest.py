# SPDX-License-Identifier: Apache-2.0
"""Databases for worlds."""

from collections.abc import Iterator

import pytest

from tests.database import Databases
from tests.simulation.faults.stores import PostgresStore, SqliteStore, sqlite_store


@pytest.fixture(scope="session")
def store() -> Iterator[SqliteStore]:
    with sqlite_store() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_store(databases: Databases) -> PostgresStore:
    return PostgresStore(databases)
