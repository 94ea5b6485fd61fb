# SPDX-License-Identifier: Apache-2.0
"""`stoken clock`: the kernel's word, and the drift log of both databases."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from stoken.cli.running import run as run_group
from stoken.db import open_engine
from stoken.mirror.utc import ClockWatch
from stoken.telemetry.kernel_clock import ClockReading, read_clock
from tests.database import Databases
from tests.requirements import requirement

NOW = 1_700_000_000_000_000_000
MINUTE = 60_000_000_000
Run = Callable[..., tuple[int, Any, str]]


def write(url: str, process: str, at_ns: int, offset_ns: int) -> None:
    engine = open_engine(url)
    ClockWatch(engine, process, 60, lambda: at_ns, lambda: ClockReading(offset_ns, 0, synchronised=True)).execute()
    engine.dispose()


@pytest.fixture
def run(
    database_url: str,
    database_kind: str,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Databases in which the worker's clock was good and the gateway's was once beyond its limit."""
    for name in [name for name in os.environ if name.startswith("STOKEN_")]:
        monkeypatch.delenv(name)
    market = databases.create("sqlite") if database_kind == "sqlite" else database_url
    monkeypatch.setenv("STOKEN_DATABASE__URL", database_url)
    monkeypatch.setenv("STOKEN_DATABASE__MARKET_URL", market)
    write(database_url, "work", NOW, 900_000)
    write(market, "serve", NOW + 1, -1_000_001)
    write(market, "serve", NOW + MINUTE, 5)
    capsys.readouterr()

    def call(*arguments: str) -> tuple[int, Any, str]:
        code = run_group("stoken.cli.clock", "clock", [*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return call


@requirement("REG-07")
class TestLog:
    def test_shows_the_readings_of_both_processes_in_order(self, run: Run) -> None:
        code, found, _ = run("log")
        assert code == 0
        assert [(line["process"], line["offset_ns"], line["within"]) for line in found["log"]] == [
            ("work", 900_000, True),
            ("serve", -1_000_001, False),
            ("serve", 5, True),
        ]
        assert found["log"][0]["at"] == "2023-11-14T22:13:20.000+00:00"
        assert (found["entries"], found["beyond"], found["offset_ns_max"], found["limit_ns"]) == (
            *(3, 1, 1_000_001),
            1_000_000,
        )

    def test_the_check_fails_on_a_reading_beyond_the_limit(self, run: Run) -> None:
        code, _, error = run("log", "--check")
        assert (code, json.loads(error)["code"]) == (1, "CLOCK_DIVERGES")
        assert json.loads(error)["details"] == {"entries": 3, "beyond": 1}
        assert run("log", "--check", "--since", "2023-11-14T22:14:00")[0] == 0


class TestStatus:
    def test_says_what_the_kernel_says_and_fails_beyond_the_limit(self, run: Run) -> None:
        code, found, _ = run("status")
        kept = read_clock().synchronised
        assert found["synchronised"] is kept
        assert code == (0 if found["within"] else 1)
        assert kept or not found["within"]
