# SPDX-License-Identifier: Apache-2.0
"""The drift log: a reading at each period, an alarm when the clock leaves its limit, and block time apart."""

from typing import Any

import pytest
from sqlalchemy import Engine, inspect
from structlog.testing import capture_logs

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.ledger.final_blocks import FinalBlocks, final_block_record
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep
from stoken.mirror.utc import ClockEntry, ClockWatch, clock_log, clock_summary, last_reading
from stoken.orders.entries import BlockApplied
from stoken.telemetry.kernel_clock import ClockReading
from tests.emitter import mine
from tests.ledger_events import SUITE, issue
from tests.requirements import requirement

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
GOOD = ClockReading(-400_000, 600_000, synchronised=True)
FAR = ClockReading(400_001, 600_000, synchronised=True)
LOOSE = ClockReading(0, 0, synchronised=False)


class Watched:
    """A watch whose clock and kernel are the test's."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOW
        self.reading = GOOD
        self.watch = ClockWatch(engine, "work", 60, lambda: self.now, lambda: self.reading)

    def look(self, seconds: int, found: ClockReading) -> list[dict[str, Any]]:
        """Let time pass, look, and return what was said."""
        self.now += seconds * SECOND
        self.reading = found
        with capture_logs() as said:
            assert self.watch.execute() == 0
        return [dict(line) for line in said]

    def log(self) -> list[ClockEntry]:
        with reading(self.engine) as connection:
            return clock_log(connection)


@pytest.fixture
def watched(engine: Engine) -> Watched:
    return Watched(engine)


@requirement("REG-07")
class TestClockWatch:
    def test_a_reading_at_each_period_is_a_line_with_its_offset(self, watched: Watched) -> None:
        for seconds in (0, 59, 1, 30, 40):
            watched.look(seconds, GOOD)
        assert [(line.at_ns - NOW) // SECOND for line in watched.log()] == [0, 60, 130]
        line = watched.log()[0]
        assert (line.process, line.offset_ns, line.error_ns) == ("work", -400_000, 600_000)
        assert (line.synchronised, line.within) == (True, True)

    @pytest.mark.parametrize("bad", [FAR, LOOSE, ClockReading(-1_000_001, 0, synchronised=True)])
    def test_leaving_the_limit_is_an_alarm_once_and_coming_back_is_said(
        self, watched: Watched, bad: ClockReading
    ) -> None:
        assert watched.look(0, GOOD) == []
        (alarm,) = watched.look(60, bad)
        assert (alarm["event"], alarm["log_level"], alarm["offset_ns"]) == ("clock.diverges", "error", bad.offset_ns)
        assert watched.look(60, bad) == []
        (calm,) = watched.look(60, GOOD)
        assert calm["event"] == "clock.within_limit"
        assert [line.within for line in watched.log()] == [True, False, False, True]

    def test_a_clock_that_is_wrong_from_the_start_is_an_alarm(self, watched: Watched) -> None:
        assert [line["event"] for line in watched.look(0, LOOSE)] == ["clock.diverges"]

    def test_a_clock_that_was_put_back_is_logged_at_once(self, watched: Watched) -> None:
        watched.look(0, GOOD)
        watched.look(-3_600, FAR)
        assert [line.at_ns for line in watched.log()] == [NOW - 3_600 * SECOND, NOW]

    @pytest.mark.parametrize(
        ("offset", "synchronised", "refuses"),
        [(SECOND, True, False), (SECOND + 1, True, True), (-SECOND - 1, True, True), (-SECOND - 1, False, False)],
    )
    def test_orders_are_refused_beyond_a_second_that_is_known(
        self,
        watched: Watched,
        offset: int,
        synchronised: bool,  # noqa: FBT001
        refuses: bool,  # noqa: FBT001
    ) -> None:
        assert watched.watch.refuses is False
        watched.look(0, ClockReading(offset, 0, synchronised))
        assert watched.watch.refuses is refuses

    def test_a_database_that_is_away_does_not_stop_whoever_asks(
        self, watched: Watched, empty_database_url: str
    ) -> None:
        from stoken.db import open_engine  # noqa: PLC0415 - only here

        engine = open_engine(empty_database_url)
        watch = ClockWatch(engine, "serve", 60, lambda: NOW, lambda: FAR)
        with capture_logs() as said:
            watch.execute()
        engine.dispose()
        assert [line["event"] for line in said] == ["clock.diverges", "clock.not_logged"]
        assert watch.last is not None
        assert watched.log() == []


@requirement("REG-07")
class TestLog:
    def test_figures_from_an_instant_on(self, watched: Watched) -> None:
        for found in (FAR, GOOD, LOOSE._replace(offset_ns=9_000_000), GOOD):
            watched.look(60, found)
        with reading(watched.engine) as connection:
            assert clock_summary(connection) == (4, 2, 400_001)
            assert clock_summary(connection, NOW + 120 * SECOND) == (3, 1, 400_000)
            assert clock_summary(connection, NOW + 999 * SECOND) == (0, 0, 0)
            assert [line.within for line in clock_log(connection, 0, 2)] == [False, True]
            assert last_reading(connection, "work") == watched.log()[-1]
            assert last_reading(connection, "serve") is None


@requirement("REG-07")
class TestBlockTime:
    def test_is_stored_beside_the_instant_of_the_clock_and_never_for_it(self, engine: Engine, rpc: RpcClient) -> None:
        rpc.call("evm_increaseTime", 5_000_000)
        mine(rpc, [issue()])
        block_time = int(rpc.call("eth_getBlockByNumber", "0x1", False)["timestamp"], 16)  # noqa: FBT003
        MirrorStep(engine, rpc, [LedgerProjection(SUITE), FinalBlocks(lambda: NOW, Finality())]).run_to_head()
        with reading(engine) as connection:
            found = final_block_record(connection, 1)
        assert (found.time, found.final_at_ns) == (block_time, NOW)

    def test_the_journal_has_both_of_each_block(self) -> None:
        assert {"received_at_ns", "time"} <= set(BlockApplied.__struct_fields__)

    def test_no_table_has_one_column_for_both(self, engine: Engine) -> None:
        """Block time is in seconds and called `time`; instants of our clock are in nanoseconds and end in `_at_ns`."""
        found = inspect(engine)
        schemas = (None,) if engine.dialect.name == "sqlite" else ("mirror", "ledger", "market", "ops")
        columns = {
            (table, column["name"])
            for schema in schemas
            for table in found.get_table_names(schema=schema)
            for column in found.get_columns(table, schema=schema)
        }
        instants = {(table, name) for table, name in columns if name.endswith(("_at", "_ns"))}
        assert {
            name for _, name in instants if not name.endswith(("at_ns", "period_ns", "offset_ns", "error_ns"))
        } == set()
        assert {table.removeprefix("mirror_").removeprefix("ledger_") for table, name in columns if name == "time"} == {
            "blocks",
            "checkpoint",
            "record_dates",
        }
