# SPDX-License-Identifier: Apache-2.0
"""F18 and F19: power that goes, a page that is torn, a disk that is full; what was acknowledged is there."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from stoken.db import open_engine, reading
from stoken.orders.journal import read_rows
from stoken.transactions.tables import outbox
from tests.database import Databases
from tests.integration.power import cut as power

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(power.compiler() is None, reason="no C compiler: a power cut cannot be played")


@dataclass
class Machine:
    """A folder that holds the database, and the program that writes there until its power is cut."""

    library: Path
    folder: Path
    log: Path
    url: str

    def run(self, *, lines: int, safeguard: str = "on", space: int | None = None) -> list[str]:
        """Run until that many acknowledgements, kill it, and return all that it acknowledged."""
        first = 1 + len(self.journal())
        command = [sys.executable, "-m", "tests.integration.power.program", self.url, safeguard, str(first)]
        watched = power.environment(self.library, self.folder, self.log, space)
        self.log.unlink(missing_ok=True)
        with subprocess.Popen(
            command, cwd=ROOT, env=watched, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = [line.strip() for _, line in zip(range(lines), process.stdout, strict=False)]
            process.send_signal(signal.SIGKILL)
            said += [line.strip() for line in process.stdout if line.endswith("\n")]
            assert process.stderr is not None
            self.errors = process.stderr.read()
        return said

    def cut(self, *, torn: bool = False) -> int:
        return power.cut(self.folder, self.log, torn=torn)

    def journal(self) -> list[int]:
        engine = open_engine(self.url)
        found = [row.sequence for row in read_rows(engine, 0, 100_000)]
        engine.dispose()
        return found

    def missing(self, acknowledged: list[str]) -> list[str]:
        """Return what was acknowledged and is not there; reads every page, so that a torn one is met."""
        engine = open_engine(self.url)
        with reading(engine) as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            rows = connection.execute(select(outbox.c.nonce, outbox.c.hash)).all()
        engine.dispose()
        held = {f"outbox {row.nonce} {row.hash.hex()}" for row in rows}
        journal = self.journal()
        assert journal == list(range(1, len(journal) + 1))
        assert sorted(row.nonce for row in rows) == list(range(len(rows)))
        return [line for line in acknowledged if line not in held | {f"journal {number}" for number in journal}]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return power.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def machine(library: Path, tmp_path: Path) -> Iterator[Machine]:
    folder = tmp_path / "disk"
    folder.mkdir()
    databases = Databases(folder)
    yield Machine(library, folder, tmp_path / "log", databases.create("sqlite"))
    databases.close()


class TestPowerCut:
    @pytest.mark.parametrize("torn", [False, True], ids=["lost", "torn"])
    @pytest.mark.parametrize("lines", [1, 38])
    def test_what_was_acknowledged_is_there(self, machine: Machine, lines: int, torn: bool) -> None:  # noqa: FBT001
        acknowledged = machine.run(lines=lines)
        assert len(acknowledged) >= lines
        machine.cut(torn=torn)
        assert machine.missing(acknowledged) == []

    def test_it_writes_on_after_each_of_several_cuts(self, machine: Machine) -> None:
        acknowledged = []
        for _ in range(2):
            acknowledged += machine.run(lines=20)
            machine.cut()
            assert machine.missing(acknowledged) == []

    def test_without_the_safeguard_it_is_lost(self, machine: Machine) -> None:
        acknowledged = machine.run(lines=40, safeguard="off")
        assert machine.cut() > 0
        assert machine.missing(acknowledged) != []


class TestFullDisk:
    def test_the_writer_stops_and_keeps_what_it_acknowledged(self, machine: Machine) -> None:
        acknowledged = machine.run(lines=100_000, space=400_000)
        assert acknowledged
        assert "disk" in machine.errors
        machine.cut()
        assert machine.missing(acknowledged) == []
        acknowledged += machine.run(lines=10)
        assert machine.missing(acknowledged) == []
