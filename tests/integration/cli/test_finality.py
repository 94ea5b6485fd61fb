# SPDX-License-Identifier: Apache-2.0
"""`stoken mirror finality`: the rule, the record of each final block, and whether the node bears it out."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.cli.running import run as run_group
from stoken.db import reading, unit_of_work
from stoken.ledger.final_blocks import FinalBlock, FinalBlocks, final_block_records
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep, store, tables
from stoken.mirror.blocks import Sealed
from stoken.network.anvil import CHAIN_ID, Anvil
from tests.emitter import install, mine
from tests.integration.cli.suite_file import write_suite
from tests.ledger_events import NOBODY, SUITE, TOKEN, address, issue, transfer
from tests.requirements import requirement

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def node() -> Iterator[RpcClient]:
    with Anvil(block_seconds=None) as anvil, RpcClient(anvil.url) as rpc:
        install(rpc, [TOKEN, *SUITE.values()])
        yield rpc


@pytest.fixture
def fork(node: RpcClient, engine: Engine) -> str:
    """Three blocks, of which the third is not final; the node can be put back to before the second."""
    mine(node, [issue(), transfer(NOBODY, address(1), 9)])
    before = str(node.call("evm_snapshot"))
    mine(node, [transfer(address(1), address(2), 1)], [transfer(address(1), address(2), 1)])
    finality = Finality(depth=1)
    projections = [LedgerProjection(SUITE), FinalBlocks(lambda: 1_700_000_000_123_000_000, finality)]
    MirrorStep(engine, node, projections, finality).run_to_head()
    return before


@pytest.fixture
def run(
    node: RpcClient,
    fork: str,  # noqa: ARG001 - the chain is there before the command
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    for name in [name for name in os.environ if name.startswith("STOKEN_")]:
        monkeypatch.delenv(name)
    genesis = node.call("eth_getBlockByNumber", "0x0", False)  # noqa: FBT003 - JSON-RPC has no names
    write_suite(tmp_path / "suite.json", CHAIN_ID, bytes.fromhex(genesis["hash"][2:]))
    monkeypatch.setenv("STOKEN_DATABASE__URL", database_url)
    monkeypatch.setenv("STOKEN_SUITE_FILE", str(tmp_path / "suite.json"))
    monkeypatch.setenv("STOKEN_RPC__URL", node.url)
    monkeypatch.setenv("STOKEN_RPC__FINALITY_DEPTH", "1")

    def call(*arguments: str) -> tuple[int, Any, str]:
        code = run_group("stoken.cli.mirror", "mirror", [*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return call


def records(engine: Engine) -> list[FinalBlock]:
    with reading(engine) as connection:
        return final_block_records(connection)


@requirement("SET-09")
class TestFinality:
    def test_shows_the_rule_and_each_record(self, run: Run) -> None:
        code, found, _ = run("finality")
        assert (code, found["rule"], found["final_block"]) == (0, "no seals, depth 1", 2)
        assert [row["block"] for row in found["blocks"]] == [1, 2]
        assert {row["final_at"] for row in found["blocks"]} == {"2023-11-14T22:13:20.123+00:00"}
        assert run("status", "--no-digest")[1]["finality_rule"] == "no seals, depth 1"
        assert [row["block"] for row in run("finality", "--after", "1")[1]["blocks"]] == [2]
        assert [row["block"] for row in run("finality", "--block", "1")[1]["blocks"]] == [1]

    def test_a_block_that_is_not_final_is_refused(self, run: Run) -> None:
        code, found, error = run("finality", "--block", "3")
        assert (code, found, json.loads(error)["code"]) == (1, None, "LEDGER_NOT_FINAL")
        assert json.loads(error)["details"] == {"block": 3, "final": 2}

    def test_the_check_names_blocks_that_the_node_no_longer_has(self, run: Run, node: RpcClient, fork: str) -> None:
        assert run("finality", "--check")[:2] == (0, run("finality")[1])
        node.call("evm_revert", fork)
        mine(node, [], [transfer(address(1), address(2), 2)])
        code, found, error = run("finality", "--check")
        assert (code, found["faults"]) == (1, ["block 2: the node has another block, or none"])
        assert "LEDGER_DIFFERS" in error

    def test_the_check_reads_the_seals_again(self, run: Run, engine: Engine) -> None:
        with unit_of_work(engine) as connection:
            store.insert_seals(connection, [Sealed(2, b"", 0, (address(1),), (address(1),))])
        assert [record.signers for record in records(engine)] == [(), (address(1),)]
        code, found, _ = run("finality", "--check")
        assert (code, found["blocks"][1]["commit_seals"], found["blocks"][1]["quorum"]) == (1, 1, 1)
        (fault,) = found["faults"]
        assert fault.startswith("block 2: block 2 has no seals")
        with unit_of_work(engine) as connection:
            connection.execute(tables.seals.delete())
        assert run("finality", "--check")[0] == 0
