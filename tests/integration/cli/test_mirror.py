# SPDX-License-Identifier: Apache-2.0
"""`stoken mirror` against a real suite: status, comparison with the chain, and healing on an operator's word."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from stoken.chain import suite as suites
from stoken.chain.rpc import RpcClient
from stoken.cli import main
from stoken.db import open_engine, reading, schema, unit_of_work
from stoken.ledger import tables
from stoken.ledger.breaks import cases
from stoken.ledger.digest import digest
from stoken.mirror import tables as mirror_tables
from stoken.mirror.heartbeat import Heartbeat
from stoken.mirror.roots import Roots, write_roots
from stoken.mirror.store import read_checkpoint
from stoken.network.anvil import Anvil
from stoken.parties import receipts
from tests.integration.compliance.world import ACCOUNTS, World
from tests.requirements import requirement

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Anvil(block_seconds=None) as node, RpcClient(node.url) as rpc:
        made = World(rpc, tmp_path)
        suites.save(made.suite, tmp_path / "suite.json")
        schema.upgrade(made.engine)
        schema.upgrade(open_engine(f"sqlite:///{tmp_path}/stoken-market.db"))
        yield made


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `stoken mirror` in this process; return exit code, the JSON document and standard error."""
    for name in [name for name in os.environ if name.startswith("STOKEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STOKEN_DATABASE__URL", f"sqlite:///{tmp_path}/stoken.db")
    monkeypatch.setenv("STOKEN_SUITE_FILE", str(tmp_path / "suite.json"))
    monkeypatch.setenv("STOKEN_RPC__URL", world.rpc.url)

    def call(*arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["stoken", "mirror", *arguments, "--json"])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        code = main()
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return call


def damage(world: World) -> None:
    with unit_of_work(world.engine) as connection:
        same = tables.positions.c.account == ACCOUNTS["a"]
        connection.execute(update(tables.positions).where(same).values(frozen_units=9))


def digest_of(world: World) -> str:
    with reading(world.engine) as connection:
        return digest(connection)


class TestStatus:
    def test_shows_lag_rates_digest_and_what_is_in_question(self, world: World, run: Run) -> None:
        now = time.time_ns()
        clock = iter((now - 2_000_000_000, now))
        heartbeat = Heartbeat(world.engine, lambda: next(clock))
        heartbeat.beat(0)
        heartbeat.beat(0, blocks=4, logs=20)
        with unit_of_work(world.engine) as connection:
            write_roots(connection, Roots(read_checkpoint(connection).number, 40, 60, 2_000_000_000))
        world.rpc.call("evm_mine")
        code, found, _ = run("status")
        assert code == 0
        assert found["lag_blocks"] == found["head"] - found["block"] == 1
        assert (found["blocks_per_second"], found["logs_per_second"]) == (2, 10)
        assert (found["roots_block"], found["roots_blocks_per_second"], found["roots_logs_per_second"]) == (
            found["block"],
            20,
            30,
        )
        assert (found["current"], found["open_cases"], found["halted_tokens"]) == (True, 0, [])
        assert found["digest"] == digest_of(world)
        damage(world)
        run("verify")
        code, found, _ = run("status", "--no-digest")
        assert (found["open_cases"], found["halted_tokens"], found["digest"]) == (1, ["0x" + world.token.hex()], None)

    def test_without_the_node_it_says_what_is_known(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STOKEN_RPC__URL", "http://127.0.0.1:9")
        code, found, _ = run("status")
        assert (code, found["head"], found["lag_blocks"]) == (0, None, None)
        assert found["block"] == world.state.block_number


class TestVerify:
    def test_an_undamaged_ledger_equals_the_chain(self, world: World, run: Run) -> None:
        code, found, _ = run("verify")
        assert (code, found["differences"], found["new_cases"]) == (0, [], 0)
        assert found["last_block"] == world.state.block_number
        assert found["rows"] > 20

    def test_a_damaged_row_is_named_and_its_case_opened_once(self, world: World, run: Run) -> None:
        damage(world)
        code, found, error = run("verify")
        (row,) = (row for row in found["differences"] if row["table"] == "positions")
        assert (code, row["field"], row["mirror"], row["chain"]) == (1, "frozen_units", "9", "0")
        assert row["token"] == "0x" + world.token.hex()
        assert (found["new_cases"], "LEDGER_DIFFERS" in error) == (1, True)
        assert run("verify")[1]["new_cases"] == 0


class TestReconcile:
    def test_a_sound_ledger_holds_in_every_invariant_and_each_is_logged(self, world: World, run: Run) -> None:
        code, found, _ = run("reconcile")
        assert code == 0
        assert {item["invariant"] for item in found["evaluations"]} == {"Q1", "Q2", "Q3", "Q4", "Q5", "Q6"}
        assert all(item["holds"] and item["at_close"] for item in found["evaluations"])
        assert {item["block"] for item in found["evaluations"]} == {world.state.block_number}
        assert run("reconciliations")[1] == found
        assert run("reconciliations", "--after", str(world.state.block_number))[1] == {"evaluations": []}

    def test_a_break_opens_a_case_stamps_notices_and_only_an_operator_heals_it(self, world: World, run: Run) -> None:
        assert run("breaks")[1] == {"cases": []}
        with unit_of_work(world.engine) as connection:
            connection.execute(update(tables.positions).values(balance=tables.positions.c.balance + 1))
        code, found, error = run("reconcile")
        assert (code, "RECONCILIATION_BREAK" in error) == (1, True)
        wrong = {item["invariant"] for item in found["evaluations"] if not item["holds"]}
        assert {"Q3", "Q4"} <= wrong
        halted = run("status", "--no-digest")[1]
        assert halted["halted_tokens"] == ["0x" + world.token.hex()]
        for case in run("breaks")[1]["cases"]:
            assert (case["table"], case["closed_at"]) == ("invariants", None)
            assert [told["to"] for told in case["notices"]][-2:] == ["REGISTRAR", "SUPERVISOR"]
        assert run("reconcile")[0] == 1
        assert len(run("breaks")[1]["cases"]) == len(wrong)
        code, healed, _ = run("rebuild", "--heal", "operator")
        assert (code, healed["closed"]) == (0, len(wrong))
        assert {case["closed_by"] for case in run("breaks")[1]["cases"]} == {"operator"}
        assert (run("reconcile")[0], run("status", "--no-digest")[1]["halted_tokens"]) == (0, [])


class TestNotices:
    def test_each_hop_has_its_instant(self, world: World, run: Run, tmp_path: Path) -> None:
        assert run("notices") == (0, {"notices": []}, "")
        with unit_of_work(world.engine) as connection:
            connection.execute(update(tables.positions).values(balance=tables.positions.c.balance + 1))
        run("reconcile")
        found = run("notices")[1]["notices"]
        assert [each["to"] for each in found][-2:] == ["REGISTRAR", "SUPERVISOR"]
        assert {(each["read_at"], each["acknowledged_at"], each["acknowledged_by"]) for each in found} == {(None,) * 3}
        with unit_of_work(open_engine(f"sqlite:///{tmp_path}/stoken-market.db")) as connection:
            receipts.note_read(connection, [found[-2]["id"]], "clerk@A", 1_700_000_000_000_000_000)
            receipts.acknowledge(connection, found[-1]["id"], "officer@B", 1_700_000_001_000_000_000)
        *_, registrar, supervisor = run("notices")[1]["notices"]
        assert (registrar["read_at"], registrar["acknowledged_at"]) == ("2023-11-14T22:13:20.000+00:00", None)
        assert supervisor["acknowledged_at"] == "2023-11-14T22:13:21.000+00:00"
        assert supervisor["acknowledged_by"] == "officer@B"


class TestRebuild:
    @requirement("REC-07")
    @pytest.mark.parametrize("source", [(), ("--from-chain",)])
    def test_equals_the_live_ledger_by_its_hash(self, world: World, run: Run, source: tuple[str, ...]) -> None:
        live = digest_of(world)
        code, found, _ = run("rebuild", *source)
        assert (code, found) == (0, {"digest": live, "equal": True})

    @pytest.mark.parametrize("source", [(), ("--from-chain",)])
    def test_a_difference_changes_nothing_without_an_operators_word(
        self, world: World, run: Run, source: tuple[str, ...]
    ) -> None:
        live = digest_of(world)
        damage(world)
        damaged = digest_of(world)
        code, _, error = run("rebuild", *source)
        told = json.loads(error.splitlines()[-1])
        assert (code, told["code"]) == (1, "LEDGER_DIFFERS")
        assert told["details"] == {"before": damaged, "after": live}
        assert digest_of(world) == damaged

    def test_a_missing_log_shows_only_against_the_chain(self, world: World, run: Run) -> None:
        with unit_of_work(world.engine) as connection:
            # The mirror forgot the last event, and the ledger with it: one of the two alone cannot tell.
            logs = mirror_tables.logs.c
            connection.execute(delete(mirror_tables.logs).where(logs.block_number == world.state.block_number))
        run("rebuild", "--heal", "duty officer")
        assert run("rebuild")[0] == 0
        assert run("rebuild", "--from-chain")[0] == 1

    def test_on_an_operators_word_the_ledger_is_healed_and_the_case_closed(self, world: World, run: Run) -> None:
        live = digest_of(world)
        damage(world)
        damaged = digest_of(world)
        run("verify")
        code, found, _ = run("rebuild", "--heal", "duty officer")
        assert (code, found) == (0, {"digest": live, "before": damaged, "equal": False, "closed": 1})
        assert digest_of(world) == live
        with reading(world.engine) as connection:
            (case,) = cases(connection, only_open=False)
        assert case.closed_by == "duty officer"
        assert run("verify")[0] == 0

    def test_a_worker_that_ran_meanwhile_forgets_the_damage(self, world: World, run: Run) -> None:
        damage(world)
        world.mirror.unwind(world.state.block_number)
        # A mirror of its own process, which has read the damaged row.
        world.on_token("freezePartialTokens", ACCOUNTS["a"], 1)
        assert run("verify")[0] == 1
        run("rebuild", "--heal", "duty officer")
        world.on_token("freezePartialTokens", ACCOUNTS["a"], 1)
        assert run("verify")[0] == 0

    def test_the_chain_alone_heals_nothing(self, run: Run) -> None:
        code, _, error = run("rebuild", "--from-chain", "--heal", "duty officer")
        assert (code, json.loads(error.splitlines()[-1])["code"]) == (1, "INVALID_INPUT")
