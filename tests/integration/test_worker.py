# SPDX-License-Identifier: Apache-2.0
"""The worker as a process: what it refuses to start on, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from stoken import bootstrap
from stoken.chain import suite as suites
from stoken.chain.rpc import RpcClient
from stoken.db import open_engine, reading, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.errors import LedgerUnavailableError, StartupError
from stoken.issuance.queries import outcome
from stoken.mirror.store import read_checkpoint
from stoken.network.anvil import Anvil
from stoken.parties import inbox
from stoken.settings import DatabaseSettings, RpcSettings, Settings, SignerSettings
from stoken.transactions.signer import create_keystore
from tests.consortium import SELLER, SENDER, Desk, charter

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
