# SPDX-License-Identifier: Apache-2.0
"""The command line before any group is imported."""

import subprocess
import sys

import pytest

from stoken.cli import GROUPS, main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stoken", *arguments])
    return main()


class TestMain:
    @pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
    def test_help_names_every_group(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
    ) -> None:
        assert run(monkeypatch, *arguments) == 0
        shown = capsys.readouterr().out
        assert all(f"  {name} " in shown for name in GROUPS)

    def test_an_unknown_command_is_one_line_and_an_exit_code(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(monkeypatch, "frobnicate") == 2
        assert capsys.readouterr().err == "stoken: no such command: frobnicate (see stoken --help)\n"

    def test_the_version_is_the_packages(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(monkeypatch, "--version") == 0
        assert capsys.readouterr().out.startswith("stoken 0.")

    @pytest.mark.parametrize("name", GROUPS)
    def test_every_group_explains_itself(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        assert run(monkeypatch, name, "--help") == 0
        assert "Usage: stoken" in capsys.readouterr().out


class TestImports:
    def test_help_imports_nothing_that_is_slow(self) -> None:
        program = (
            "import sys; sys.argv = ['stoken']; from stoken.cli import main; main();"
            "slow = {'typer', 'rich', 'pydantic', 'sqlalchemy', 'httpx', 'web3'} & set(sys.modules);"
            "sys.exit(str(slow) if slow else 0)"
        )
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
