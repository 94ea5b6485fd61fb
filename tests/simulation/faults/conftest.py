# SPDX-License-Identifier: Apache-2.0
"""A migrated database, on a disk in memory where there is one: no fault of these worlds is the disk's."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.faults.playing import migrate


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        migrate(Path(folder) / "template.db")
        yield Path(folder) / "template.db"
