# SPDX-License-Identifier: Apache-2.0
"""What a worker says of itself, over a real node and both databases."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.chain.validators import Validators
from stoken.db import note_commits, open_engine, unit_of_work
from stoken.errors import LedgerUnavailableError
from stoken.ledger import breaks
from stoken.ledger.verification import Difference
from stoken.mirror.heartbeat import Heartbeat, Limits
from stoken.mirror.store import read_checkpoint
from stoken.mirror.witness import WitnessDisagreesError
from stoken.monitoring.listener import answer, listening
from stoken.monitoring.monitor import Monitor
from stoken.settings import MonitoringSettings
from stoken.telemetry.metrics import METRICS, Counts
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.signer import SignerError
from tests.integration.transactions.write_path import ECHO, WritePath
from tests.ledger_events import TOKEN

_LIMITS = Limits(lag_blocks=2)


class Watched:
    """A write path with a monitor, whose steps count."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        self.path = WritePath(engine, rpc)
        self.path.take_over()
        counts = Counts()
        note_commits(engine, counts.committed)
        path = self.path
        path.broadcast = BroadcastStep(engine, rpc, path.capabilities, counts=counts, clock=lambda: path.now)
        path.confirm = ConfirmStep(engine, rpc, counts)
        self.validators: Validators | None = None
        self.monitor = Monitor(engine, path.broadcast, _LIMITS, lambda: self.validators, counts)
        self.heartbeat = Heartbeat(engine, time.time_ns, _LIMITS)

    def beat(self, lag: int = 0) -> None:
        self.path.follow()
        self.heartbeat.beat(lag, 3, 4)

    def shown(self) -> dict[str, float]:
        lines = [line for line in self.monitor.metrics().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def watched(engine: Engine, rpc: RpcClient) -> Watched:
    made = Watched(engine, rpc)
    made.beat()
    return made


class TestReady:
    def test_only_a_mirror_that_looked_is(self, engine: Engine, rpc: RpcClient) -> None:
        unheard = Watched(engine, rpc)
        assert (unheard.monitor.standing().ready, unheard.monitor.standing().alarms) == (False, ("never_looked",))
        unheard.beat()
        assert (unheard.monitor.standing().ready, unheard.monitor.standing().alarms) == (True, ())

    def test_not_one_that_is_behind(self, watched: Watched) -> None:
        watched.beat(lag=3)
        assert watched.monitor.standing().alarms == ("behind",)

    def test_not_while_a_row_differs_from_the_chain(self, watched: Watched, engine: Engine) -> None:
        found = Difference("positions", (TOKEN, b"\x01" * 20), TOKEN, "balance", "1", "2")
        with unit_of_work(engine) as connection:
            breaks.open_cases(connection, [found], read_checkpoint(connection), 1)
        standing = watched.monitor.standing()
        assert (standing.alarms, standing.halted_tokens) == (("ledger_differs",), (f"0x{TOKEN.hex()}",))
        assert watched.shown()["stoken_ledger_open_breaks"] == 1

    def test_not_while_a_step_fails(self, watched: Watched) -> None:
        watched.monitor.ran("mirror", 0.5, WitnessDisagreesError("two hashes"))
        assert watched.monitor.standing().alarms == ("step_failing:mirror",)
        watched.monitor.ran("mirror", 0.5, None)
        assert watched.monitor.standing().ready

    def test_not_with_too_few_validators(self, watched: Watched) -> None:
        watched.validators = Validators(alive=2, total=4)
        standing = watched.monitor.standing()
        assert standing.alarms == ("too_few_validators",)
        assert (standing.validators_alive, standing.validators_total) == (2, 4)
        watched.validators = Validators(alive=3, total=4)
        assert watched.monitor.standing().ready

    def test_a_node_that_does_not_say_its_validators_is_no_alarm(self, watched: Watched, engine: Engine) -> None:
        def refuse() -> Validators | None:
            raise LedgerUnavailableError

        asking = Monitor(engine, watched.path.broadcast, Limits(), refuse)
        assert asking.standing().validators_total is None
        assert asking.standing().ready


class TestMetrics:
    def test_the_mirrors_are_those_of_its_database(self, watched: Watched, rpc: RpcClient) -> None:
        rpc.call("anvil_mine", "0x3")
        watched.beat(lag=1)
        shown = watched.shown()
        number = int(rpc.call("eth_blockNumber"), 16)
        assert (shown["stoken_mirror_block"], shown["stoken_mirror_final_block"]) == (number, number)
        assert shown["stoken_ready"] == 1
        assert 0 <= shown["stoken_mirror_lag_seconds"] < 60

    def test_the_outbox_is_shown_by_key(self, watched: Watched) -> None:
        path = watched.path
        for at in range(3):
            path.enqueue(f"number {at}", gas=50_000)
        sender = f'sender="0x{path.sender.hex()}"'
        assert watched.shown()[f'stoken_outbox_transactions{{{sender},status="signed"}}'] == 3
        path.broadcast.execute()
        path.now += 7
        path.broadcast.execute()
        shown = watched.shown()
        assert shown[f'stoken_outbox_transactions{{{sender},status="broadcast"}}'] == 3
        assert shown[f'stoken_outbox_gas{{{sender},status="broadcast"}}'] == 150_000
        assert (shown["stoken_outbox_sends_total"], shown["stoken_outbox_resends_total"]) == (6, 3)
        assert shown["stoken_outbox_oldest_seconds"] == 7
        assert (shown["stoken_pool_transactions"], shown["stoken_pool_limit"]) == (3, 4_096)
        path.settle()
        path.broadcast.execute()
        assert watched.shown()["stoken_outbox_oldest_seconds"] == 0

    def test_failures_are_shown_by_their_reason(self, watched: Watched) -> None:
        path = watched.path
        path.enqueue("deploy", to=b"", data=ECHO)
        path.settle()
        path.enqueue("reverts", to=path.echo, data=b"\x01\x02\x03\x04")
        path.settle()
        failure = path.row("reverts").failure
        assert failure is not None
        assert watched.shown()[f'stoken_outbox_failures_total{{reason="{failure.code}"}}'] == 1

    def test_what_steps_did_is_counted(self, watched: Watched) -> None:
        watched.monitor.ran("mirror", 0.5, WitnessDisagreesError("two hashes"))
        watched.monitor.ran("settlement", 0.25, SignerError("down"))
        shown = watched.shown()
        assert shown["stoken_mirror_witness_disagreements_total"] == 1
        assert shown["stoken_signer_errors_total"] == 1
        assert shown['stoken_step_seconds_total{step="settlement"}'] == 0.25
        assert shown['stoken_step_failures_total{reason="SignerError",step="settlement"}'] == 1
        assert shown['stoken_alarm{alarm="step_failing:mirror"}'] == 1

    def test_commits_are_timed(self, watched: Watched) -> None:
        before = watched.shown()["stoken_database_commit_seconds_count"]
        watched.path.enqueue("one")
        assert watched.shown()["stoken_database_commit_seconds_count"] == before + 1

    def test_each_is_listed(self, watched: Watched) -> None:
        histogram = ("_bucket", "_count", "_sum")
        names = {name.partition("{")[0] for name in watched.shown()}
        assert {name for name in names if not name.endswith(histogram)} <= set(METRICS)


class TestListening:
    @pytest.fixture
    def url(self, watched: Watched) -> Iterator[str]:
        with listening(watched.monitor, MonitoringSettings(port=0)) as url:
            assert url is not None
            yield url

    def test_metrics_alive_and_ready_are_shown(self, watched: Watched, url: str) -> None:
        shown = httpx.get(f"{url}/metrics")
        assert shown.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "stoken_mirror_block" in shown.text
        assert httpx.get(f"{url}/health/live").json() == {"live": True}
        assert httpx.get(f"{url}/health/ready").json()["ready"] is True
        watched.beat(lag=9)
        refused = httpx.get(f"{url}/health/ready")
        assert (refused.status_code, refused.json()["alarms"]) == (503, ["behind"])
        assert httpx.get(f"{url}/anything").status_code == 404

    def test_a_database_that_is_gone_is_no_readiness(self, watched: Watched, tmp_path: Path) -> None:
        gone = open_engine(f"sqlite:///{tmp_path}/empty.db")
        lost = Monitor(gone, watched.path.broadcast, Limits(), lambda: None)
        with listening(lost, MonitoringSettings(port=0)) as url:
            refused = httpx.get(f"{url}/health/ready")
        assert (refused.status_code, refused.json()) == (503, {"ready": False, "alarms": ["database"]})
        gone.dispose()

    def test_without_a_port_nothing_listens(self, watched: Watched) -> None:
        with listening(watched.monitor, MonitoringSettings()) as url:
            assert url is None

    def test_a_loop_that_hangs_is_not_live(self, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
        later = time.monotonic() + 301
        monkeypatch.setattr(time, "monotonic", lambda: later)
        status, _, body = answer(watched.monitor, "/health/live")
        assert (status, json.loads(body)) == (503, {"live": False})
