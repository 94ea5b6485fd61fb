# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every kind of test may use: a database of one's own, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import Engine

from stoken.db import open_engine
from tests.database import Databases

_KINDS = ("sqlite", "postgresql")

# How long an example takes is the machine's affair: benchmarks measure, tests do not.
settings.register_profile("untimed", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def logs_of_their_own() -> Iterator[None]:
    """Forget how a command under test set up its logs: its standard error is gone after the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=_KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(databases: Databases, database_kind: str) -> Iterator[str]:
    """A migrated database of the test's own; the test runs once on each kind."""
    url = databases.create(database_kind)
    yield url
    databases.remove(url)


@pytest.fixture
def empty_database_url(databases: Databases, database_kind: str) -> Iterator[str]:
    """A database without any table."""
    url = databases.create(database_kind, empty=True)
    yield url
    databases.remove(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a migrated database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()
