# SPDX-License-Identifier: Apache-2.0
"""Bad input: one clear line, an exit code that is not zero, and never a traceback."""

import json
import os
import socket
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy import text

from stoken.chain.capabilities import probe
from stoken.chain.rpc import RpcClient
from stoken.cli import main
from stoken.db import open_engine, schema, unit_of_work
from stoken.db.binding import bind_chain
from stoken.network.anvil import Anvil
from tests.integration.cli.suite_file import write_suite

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run stoken in this process; return exit code and the one line that it says on standard error."""

    def call(*arguments: str, settings: dict[str, str] | None = None) -> tuple[int, str]:
        for name in [name for name in os.environ if name.startswith("STOKEN_")]:
            monkeypatch.delenv(name)
        for name, value in (settings or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["stoken", *arguments])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        code = main()
        (line,) = capsys.readouterr().err.splitlines()
        return code, line

    return call


class TestIssueFile:
    def issue(self, tmp_path: Path, **changes: object) -> str:
        sample = json.loads((resources.files("stoken.cli.demo") / "instruments.json").read_bytes())
        path = tmp_path / "issue.json"
        path.write_text(json.dumps(sample["instruments"][0] | changes))
        return str(path)

    def test_a_malformed_file_names_its_field(self, run: Run, tmp_path: Path) -> None:
        assert run("issue", "validate", self.issue(tmp_path, units="many")) == (
            1,
            "stoken: ISSUE_FILE_INCOMPLETE: units: must be a whole number from 1 to 9223372036854775807",
        )

    def test_a_file_that_is_no_json_is_refused(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "issue.json").write_text("{")
        code, line = run("issue", "validate", str(tmp_path / "issue.json"))
        assert code == 1
        assert line.startswith("stoken: ISSUE_FILE_INCOMPLETE: file: is not JSON")

    def test_a_file_that_is_not_there_is_named(self, run: Run) -> None:
        assert run("issue", "validate", "/nowhere.json") == (
            1,
            "stoken: INVALID_INPUT: /nowhere.json: No such file or directory",
        )

    def test_a_wrong_isin_check_digit(self, run: Run, tmp_path: Path) -> None:
        assert run("issue", "validate", self.issue(tmp_path, isin="ZZBUSANPL018")) == (
            1,
            "stoken: IDENTIFIER_INVALID: isin: ZZBUSANPL018 is not a valid ISIN (check digit)",
        )

    def test_a_wrong_lei_check_digit(self, run: Run, tmp_path: Path) -> None:
        assert run("issue", "validate", self.issue(tmp_path, issuer_lei="ZZZZ0000000000000599")) == (
            1,
            "stoken: IDENTIFIER_INVALID: issuer_lei: ZZZZ0000000000000599 is not a valid LEI (check digit)",
        )

    def test_programs_get_the_same_as_json(self, run: Run, tmp_path: Path) -> None:
        code, line = run("issue", "validate", self.issue(tmp_path, lot=0), "--json")
        problem = json.loads(line)
        assert (code, problem["code"], problem["details"]) == (1, "ISSUE_FILE_INCOMPLETE", {"field": "lot"})


class TestSettings:
    def test_an_unknown_setting_is_named(self, run: Run) -> None:
        assert run("db", "check", settings={"STOKEN_PROT": "1"}) == (1, "stoken: STARTUP: unknown setting STOKEN_PROT")

    def test_a_malformed_setting_is_named_without_its_value(self, run: Run) -> None:
        code, line = run("db", "check", settings={"STOKEN_PORT": "canary"})
        assert code == 1
        assert line.startswith("stoken: INVALID_INPUT: setting STOKEN_PORT: ")
        assert "canary" not in line

    def test_a_wrong_lei_of_the_venue(self, run: Run, settings: dict[str, str]) -> None:
        code, line = run("serve", settings=settings | {"STOKEN_VENUE__LEI": "ZZZZ0000000000000114"})
        assert (code, line) == (
            1,
            "stoken: STARTUP: STOKEN_VENUE__LEI ZZZZ0000000000000114 is not a valid LEI (check digit)",
        )

    @pytest.mark.parametrize(
        "name",
        ["STOKEN_AUTH__PUBLIC_KEY_FILE", "STOKEN_VENUE__PSEUDONYM_KEY_FILE", "STOKEN_SUITE_FILE"],
    )
    def test_a_file_that_is_missing_is_named(self, run: Run, settings: dict[str, str], name: str) -> None:
        code, line = run("serve", settings=settings | {name: "/nowhere"})
        assert code == 1
        assert "/nowhere" in line

    def test_an_unknown_option_is_a_usage_error(self, run: Run) -> None:
        code, line = run("register", "show", "--colour")
        assert code == 2
        assert line.startswith("stoken: USAGE: No such option: --colour")


class TestNode:
    def test_an_unreachable_node(self, run: Run, settings: dict[str, str]) -> None:
        code, line = run("work", settings=settings)
        assert code == 1
        assert line.startswith("stoken: LEDGER_UNAVAILABLE: ")
        assert "127.0.0.1:9" in line

    def test_a_node_of_another_chain_than_the_databases(
        self, run: Run, settings: dict[str, str], tmp_path: Path
    ) -> None:
        with Anvil() as node, RpcClient(node.url) as rpc:
            found = probe(rpc)
            write_suite(tmp_path / "suite.json", found.chain_id, found.genesis_hash)
            engine = open_engine(settings["STOKEN_DATABASE__URL"])
            with unit_of_work(engine) as connection:
                bind_chain(connection, 777, bytes(32))
            engine.dispose()
            code, line = run("work", settings=settings | {"STOKEN_RPC__URL": node.url})
        assert code == 1
        assert line == f"stoken: STARTUP: the database belongs to chain 777, the node to chain {found.chain_id}"

    def test_a_node_of_another_chain_than_the_suites(self, run: Run, settings: dict[str, str]) -> None:
        with Anvil() as node:
            code, line = run("work", settings=settings | {"STOKEN_RPC__URL": node.url})
        assert code == 1
        assert line.startswith("stoken: STARTUP: the suite was deployed on chain 31337")


class TestPort:
    def test_a_port_in_use(self, run: Run, settings: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert run("serve", settings=settings | {"STOKEN_PORT": str(port)}) == (
                1,
                f"stoken: STARTUP: port {port} on 127.0.0.1 is in use",
            )


class TestDatabase:
    @pytest.mark.parametrize("command", [("serve",), ("work",), ("db", "check"), ("db", "upgrade"), ("db", "digest")])
    def test_a_database_of_a_newer_schema(self, run: Run, settings: dict[str, str], command: tuple[str, ...]) -> None:
        engine = open_engine(settings["STOKEN_DATABASE__URL"])
        with unit_of_work(engine) as connection:
            connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 - our own name
        engine.dispose()
        assert run(*command, settings=settings) == (
            1,
            "stoken: STARTUP: the database's schema 9999 is newer than this stoken knows: upgrade stoken",
        )

    def test_an_empty_database(self, run: Run, settings: dict[str, str], tmp_path: Path) -> None:
        code, line = run("db", "check", settings=settings | {"STOKEN_DATABASE__URL": f"sqlite:///{tmp_path}/new.db"})
        assert (code, line) == (1, "stoken: STARTUP: the database is empty: run `stoken db upgrade`")

    def test_a_database_that_does_not_answer(self, run: Run, settings: dict[str, str]) -> None:
        url = "postgresql://stoken@127.0.0.1:9/stoken"
        code, line = run("db", "check", settings=settings | {"STOKEN_DATABASE__URL": url})
        assert code == 1
        assert line.startswith("stoken: STARTUP: the database does not open: ")

    def test_a_url_of_no_database(self, run: Run, settings: dict[str, str]) -> None:
        code, line = run("db", "check", settings=settings | {"STOKEN_DATABASE__URL": "mysql://canary@host/x"})
        assert code == 1
        assert line.startswith("stoken: STARTUP: the database URL names mysql")
