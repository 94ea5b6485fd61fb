# SPDX-License-Identifier: Apache-2.0
"""The worker as a process: what it refuses to start on, and how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import msgspec
import pytest
from pydantic import ValidationError
from sqlalchemy import update
from typing_extensions import override

from stoken import bootstrap
from stoken.chain import suite as suites
from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.errors import LedgerUnavailableError, StartupError
from stoken.issuance.queries import outcome
from stoken.mirror.finality import FirstSealed
from stoken.mirror.step import HEAD_BLOCKS
from stoken.mirror.store import read_checkpoint
from stoken.network.anvil import Anvil
from stoken.network.process import reserve
from stoken.parties import inbox
from stoken.settings import DatabaseSettings, RpcSettings, Settings, SignerSettings
from stoken.transactions.outbox import read_all
from stoken.transactions.signer import create_keystore
from stoken.transactions.tables import outbox as outbox_table
from tests.consortium import SELLER, SENDER, Desk, charter
from tests.fault_proxy import ANY, Fault, FaultProxy

PASSWORD = "correct horse"


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        yield running


@pytest.fixture
def configured(node: Anvil, database_url: str, tmp_path: Path) -> Settings:
    """Settings of a machine on which nothing is deployed yet; serve's tables are in the same database."""
    create_keystore(tmp_path / "sender.json", SENDER, PASSWORD)
    return Settings(
        rpc=RpcSettings(url=node.url),
        database=DatabaseSettings(url=database_url, market_url=database_url),
        signer=SignerSettings(keystore_file=tmp_path / "sender.json", password=PASSWORD),
        suite_file=tmp_path / "suite.json",
    )


def variables(settings: Settings) -> Mapping[str, str]:
    url = settings.database.url.get_secret_value()
    return {
        **os.environ,
        "STOKEN_RPC__URL": settings.rpc.url,
        "STOKEN_DATABASE__URL": url,
        "STOKEN_DATABASE__MARKET_URL": url,
        "STOKEN_SIGNER__KEYSTORE_FILE": str(settings.signer.keystore_file),
        "STOKEN_SIGNER__PASSWORD": PASSWORD,
        "STOKEN_SUITE_FILE": str(settings.suite_file),
    }


def _fill_the_outbox(configured: Settings, count: int) -> list[str]:
    """Sign transactions as the worker does, and leave them to it."""
    engine = open_engine(configured.database.url.get_secret_value())
    with RpcClient(configured.rpc.url) as rpc:
        outbox = bootstrap.open_outbox(configured, probe(rpc))
        outbox.take_over(engine, rpc)
    keys = [f"load:{at}" for at in range(count)]
    with unit_of_work(engine) as connection:
        for key in keys:
            outbox.enqueue(connection, key=key, to=bytes(19) + b"\x77", data=b"", gas=30_000, purpose="load")
    engine.dispose()
    return keys


def _statuses(configured: Settings, keys: list[str]) -> list[str]:
    engine = open_engine(configured.database.url.get_secret_value())
    with reading(engine) as connection:
        found = [row.status for row in read_all(connection, keys)]
    engine.dispose()
    return found


def _wait_for(done: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_live(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
    except httpx.TransportError:
        return False


class Waiting(Fault):
    """The node answers once it is let."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()

    @override
    def result(self, call: object, result: object) -> object:
        self.asked.set()
        assert self.let.wait(30)
        return result


class TestStart:
    def test_a_signal_amid_it_ends_the_worker_cleanly(self, configured: Settings, node: Anvil) -> None:
        bootstrap.deploy(configured, charter())
        waiting = Waiting()
        with FaultProxy(node.url) as proxy:
            proxy.fail(ANY, waiting, None)
            environment = {**variables(configured), "STOKEN_RPC__URL": proxy.url}
            worker = subprocess.Popen([sys.executable, "-m", "stoken.cli", "work"], env=environment)
            try:
                assert waiting.asked.wait(60)
                worker.send_signal(signal.SIGTERM)
                waiting.let.set()
                assert worker.wait(30) == 0
            finally:
                waiting.let.set()
                worker.kill()
                worker.wait()


class TestWorker:
    def test_it_follows_the_chain_and_ends_on_sigterm(self, configured: Settings) -> None:
        bootstrap.deploy(configured, charter())
        worker = subprocess.Popen([sys.executable, "-m", "stoken.cli", "work"], env=variables(configured))
        engine = open_engine(configured.database.url.get_secret_value())
        try:
            with reading(engine) as connection:
                before = read_checkpoint(connection).number
            deadline = time.monotonic() + 30
            number = before
            while number < before + 2:
                assert time.monotonic() < deadline
                assert worker.poll() is None
                time.sleep(0.2)
                with reading(engine) as connection:
                    number = read_checkpoint(connection).number
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
            worker.wait()
            engine.dispose()

    @pytest.mark.slow
    def test_f34_under_load_it_drains_in_time_and_loses_nothing(self, configured: Settings) -> None:
        bootstrap.deploy(configured, charter())
        keys = _fill_the_outbox(configured, 200)
        port = reserve(0)
        environment = {**variables(configured), "STOKEN_MONITORING__PORT": str(port)}
        worker = subprocess.Popen([sys.executable, "-m", "stoken.cli", "work"], env=environment)
        try:
            _wait_for(lambda: any(status != "signed" for status in _statuses(configured, keys)))
            shown = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            assert "stoken_outbox_transactions{" in shown
            assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
            assert time.monotonic() - began < 30
        finally:
            worker.kill()
            worker.wait()
        again = subprocess.Popen([sys.executable, "-m", "stoken.cli", "work"], env=environment)
        try:
            # All may be mined before the process has begun: before its first line a signal ends it at once.
            _wait_for(lambda: _is_live(port))
            _wait_for(lambda: set(_statuses(configured, keys)) == {"mined"})
        finally:
            again.terminate()
            assert again.wait(30) == 0

    def test_it_is_not_ready_until_the_roots_of_history_are_verified(self, configured: Settings, node: Anvil) -> None:
        bootstrap.deploy(configured, charter())
        with RpcClient(node.url) as rpc:
            rpc.call("anvil_mine", hex(3 * HEAD_BLOCKS))
        services = bootstrap.worker(configured)
        steps = dict(services.steps)
        try:
            while steps["mirror"].execute():
                pass
            assert services.monitor.standing().alarms == ("unverified",)
            while steps["roots"].execute():
                pass
            assert services.monitor.standing().alarms == ()
            assert [name for name, _ in services.steps[:2]] == ["mirror", "roots"]
        finally:
            services.close()

    def test_with_the_digest_of_a_key_policy_it_signs_no_act_that_the_policy_does_not_let_pass(
        self, configured: Settings
    ) -> None:
        suite = bootstrap.deploy(configured, charter())
        signer = configured.signer.model_copy(update={"key_policy": "0x" + "11" * 32})
        services = bootstrap.worker(configured.model_copy(update={"signer": signer}))
        mint = Desk(suite.contracts, suite.chain_id).mint(b"\x01" * 20, SELLER, 1)
        try:
            with unit_of_work(services.market) as connection:
                inbox.receive(connection, "tenant", "mint", mint, 0)
            assert dict(services.steps)["issuance"].execute() == 1
            with reading(services.engine) as connection:
                failure = outcome(connection, "tenant", "mint").failure
        finally:
            services.close()
        assert failure is not None
        assert failure.code == Refusal.SIGNATURE_POLICY_UNMET

    def test_a_suite_of_another_chain_is_refused(self, configured: Settings) -> None:
        suite = bootstrap.deploy(configured, charter())
        suites.save(msgspec.structs.replace(suite, chain_id=1), configured.suite_file)
        with pytest.raises(StartupError, match="the suite was deployed on chain 1"):
            bootstrap.worker(configured)

    def test_a_key_policy_that_was_cut_back_is_refused(self, configured: Settings) -> None:
        bootstrap.deploy(configured, charter())
        engine = open_engine(configured.database.url.get_secret_value())
        with unit_of_work(engine) as connection:
            connection.execute(update(outbox_table).values(policy=b"\x22" * 32))
        engine.dispose()
        with pytest.raises(StartupError, match="versions were removed"):
            bootstrap.worker(configured)

    def test_the_first_sealed_block_is_read_from_its_number_and_hash(self) -> None:
        rpc = RpcSettings(finality="qbft", qbft_from=f"1234:0x{'5f' * 32}")
        finality = bootstrap.finality_of(Settings(rpc=rpc))
        assert (finality.first_sealed, finality.sealed_from) == (FirstSealed(1234, b"\x5f" * 32), 1234)
        for malformed in ("1234", "1234:5f", f"-1:0x{'5f' * 32}"):
            with pytest.raises(ValidationError, match="qbft_from"):
                RpcSettings(finality="qbft", qbft_from=malformed)

    def test_a_missing_suite_is_refused(self, configured: Settings) -> None:
        with pytest.raises(StartupError, match="no suite at"):
            bootstrap.worker(configured)

    def test_an_unreachable_node_is_one_clear_line(self, configured: Settings, node: Anvil) -> None:
        bootstrap.deploy(configured, charter())
        node.stop()
        with pytest.raises(LedgerUnavailableError, match="no answer from the node"):
            bootstrap.worker(configured)

    def test_a_database_of_another_chain_is_refused(self, configured: Settings) -> None:
        bootstrap.deploy(configured, charter())
        with Anvil(chain_id=7) as other, RpcClient(other.url):
            elsewhere = configured.model_copy(update={"rpc": RpcSettings(url=other.url)})
            with pytest.raises(StartupError, match="the database belongs to"):
                bootstrap.deploy(elsewhere, charter())
