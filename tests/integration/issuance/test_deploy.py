# SPDX-License-Identifier: Apache-2.0
"""The suite is deployed once, by a key that keeps nothing, and is compared with the audited build."""

import msgspec
import pytest
from sqlalchemy import Engine

from stoken.chain import provenance
from stoken.chain.capabilities import probe
from stoken.chain.provenance import verify
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.db import reading
from stoken.errors import ConflictError
from stoken.issuance.deploy import PURPOSE, Charter, Deployment
from stoken.network.anvil import Anvil
from stoken.transactions import outbox as sent
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from tests.consortium import SENDER, charter


def deployment(engine: Engine, rpc: RpcClient) -> Deployment:
    capabilities = probe(rpc)
    signer = KeystoreSigner(SENDER)
    outbox = Outbox({signer.address: signer}, capabilities.chain_id)
    outbox.take_over(engine, rpc)
    return Deployment(engine, rpc, outbox, capabilities)


def deploy(engine: Engine, rpc: RpcClient) -> Suite:
    made = deployment(engine, rpc)
    suite = made.sign(charter())
    rpc.call("evm_setIntervalMining", 1)
    made.finish(suite)
    return suite


class TestDeployment:
    def test_the_suite_is_the_audited_build(self, engine: Engine, rpc: RpcClient) -> None:
        suite = deploy(engine, rpc)
        assert verify(rpc, suite) == []

    def test_a_second_run_finishes_the_same_deployment(self, engine: Engine, rpc: RpcClient) -> None:
        first = deployment(engine, rpc).sign(charter())
        again = deploy(engine, rpc)
        assert again.contracts == first.contracts
        with reading(engine) as connection:
            rows = sent.of_purpose(connection, PURPOSE)
        assert [row.nonce for row in rows] == list(range(len(rows)))
        assert len(rows) > len(first.contracts)

    def test_another_charter_on_the_same_database_is_a_conflict(self, engine: Engine, rpc: RpcClient) -> None:
        made = deployment(engine, rpc)
        made.sign(charter())
        with pytest.raises(ConflictError):
            made.sign(Charter((), (), ()))

    def test_a_node_that_mines_each_transaction_at_once_is_served(self, engine: Engine) -> None:
        with Anvil(automine=True) as node, RpcClient(node.url) as rpc:
            made = deployment(engine, rpc)
            suite = made.sign(charter())
            made.finish(suite)
            assert verify(rpc, suite) == []


class TestVerify:
    def test_other_code_and_another_owner_are_found(self, engine: Engine, rpc: RpcClient) -> None:
        suite = deploy(engine, rpc)
        swapped = {**suite.contracts, "quantity": suite["deposit"]}
        findings = verify(rpc, msgspec.structs.replace(suite, contracts=swapped))
        assert [finding.contract for finding in findings] == ["quantity"]
        assert "other code than RegisteredQuantity" in findings[0].what

    def test_another_part_behind_settlement_is_found(
        self, engine: Engine, rpc: RpcClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        suite = deploy(engine, rpc)
        monkeypatch.setitem(provenance.PARTS, "DvpSettlement", "Instructions")
        (finding,) = verify(rpc, suite)
        assert finding.contract == "settlement"
        assert "has other code than DvpSettlement at" in finding.what

    def test_a_missing_contract_is_found(self, engine: Engine, rpc: RpcClient) -> None:
        suite = deploy(engine, rpc)
        rest = {name: address for name, address in suite.contracts.items() if name != "factory"}
        (finding,) = verify(rpc, msgspec.structs.replace(suite, contracts=rest))
        assert finding.what == "is missing from the suite file"
