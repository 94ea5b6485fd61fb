# SPDX-License-Identifier: Apache-2.0
"""The reference pages are current, and leave out no command, setting, event, problem or route."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoken.domain.refusals import Refusal, error_name
from stoken.settings import Settings
from stoken.telemetry.metrics import COMMIT_SECONDS, METRICS
from tests.docs.programs import ROOT, load

DOCS = load("tools/docs.py")
REFERENCE = ROOT / "docs/reference"
COMMANDS: dict[str, Any] = dict(DOCS.commands())
PROSE = sorted(page for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if page.parent != REFERENCE)


def headings(name: str) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", (REFERENCE / name).read_text(), re.MULTILINE))


class TestPages:
    @pytest.mark.parametrize("page", DOCS.PAGES, ids=lambda page: str(page.name))
    def test_a_page_is_what_the_code_says(self, page: Path) -> None:
        assert page.read_text() == DOCS.PAGES[page](), "run python tools/docs.py"


class TestCommands:
    def test_every_command_is_documented(self) -> None:
        assert set(COMMANDS) <= headings("commands.md")

    def test_every_command_says_what_it_does(self) -> None:
        assert [name for name, command in COMMANDS.items() if not command.help] == []

    def test_every_option_says_what_it_does(self) -> None:
        silent = [
            f"{name} {parameter.name}"
            for name, command in COMMANDS.items()
            for parameter in command.params
            if not getattr(parameter, "help", None)
        ]
        assert silent == []


class TestSettings:
    def test_every_setting_is_documented_with_its_description(self) -> None:
        page = (REFERENCE / "settings.md").read_text()
        for name, field in DOCS.settings_of(Settings):
            assert f"| `{name}` |" in page
            assert field.description, name


class TestMetrics:
    def test_every_metric_is_documented(self) -> None:
        page = (REFERENCE / "metrics.md").read_text()
        assert [name for name in METRICS if f"| `{name}` |" not in page] == []

    def test_the_sources_name_every_metric_and_no_other(self) -> None:
        sources = [path for path in (ROOT / "stoken").rglob("*.py") if path.name != "metrics.py"]
        metrics = re.compile(
            r'"(stoken_(?:ready|alarm|(?:mirror|ledger|validators|outbox|signer|pool|step|http|orders|venue)_\w+))"'
        )
        named = {name for path in sources for name in metrics.findall(path.read_text())}
        assert named == set(METRICS) - {COMMIT_SECONDS}


class TestProblems:
    def test_every_refusal_has_a_section(self) -> None:
        assert {refusal.value for refusal in Refusal} <= headings("problems.md")

    def test_every_other_error_has_a_section(self) -> None:
        assert set(DOCS.errors_of_stoken()) <= headings("problems.md")

    def test_no_note_speaks_of_a_problem_that_is_gone(self) -> None:
        notes = tomllib.loads(DOCS.NOTES.read_text())
        assert set(notes) == {refusal.value for refusal in Refusal} | set(DOCS.errors_of_stoken())

    def test_a_refusal_that_the_chain_gives_names_its_error(self) -> None:
        declared = (ROOT / "contracts/interfaces/Refusals.sol").read_text()
        page = (REFERENCE / "problems.md").read_text()
        for refusal in Refusal:
            assert (f"error {error_name(refusal)}(" in declared) == (f"Solidity error: `{error_name(refusal)}(" in page)


class TestEvents:
    def test_every_event_of_every_contract_is_documented(self) -> None:
        events = {f"{name}.{event['name']}" for name, found in DOCS.contract_events().items() for event in found}
        assert events
        assert events <= headings("events.md")

    def test_every_event_that_our_sources_declare_says_what_it_means(self) -> None:
        declared = {
            name
            for path in (ROOT / "contracts").rglob("*.sol")
            for name in re.findall(r"^\s*event\s+(\w+)", path.read_text(), re.MULTILINE)
        }
        assert declared - set(DOCS.event_notices()) == set()


class TestHttp:
    def test_every_operation_is_documented(self) -> None:
        assert {name for name, _ in DOCS.operations(DOCS.openapi())} <= headings("http.md")


def shell_lines(page: Path) -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.partition("#")[0].strip()
            if words:
                yield words


class TestProse:
    """What a page tells a reader to type exists."""

    TARGETS = frozenset(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    SETTINGS = frozenset(name for name, _ in DOCS.settings_of(Settings))

    @pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
    def test_make_targets_exist(self, page: Path) -> None:
        named = re.findall(r"`make ([\w-]+)", page.read_text())
        typed = [line.split()[1] for line in shell_lines(page) if line.startswith("make ")]
        assert {*named, *typed} <= self.TARGETS

    @pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
    def test_commands_and_their_options_exist(self, page: Path) -> None:
        for line in shell_lines(page):
            words = [word for word in shlex.split(line) if not re.match(r"[A-Z_]+=", word)]
            if not words or Path(words[0]).name != "stoken":
                continue
            name, rest = "stoken", words[1:]
            while rest and f"{name} {rest[0]}" in COMMANDS:
                name, rest = f"{name} {rest[0]}", rest[1:]
            assert name in COMMANDS or rest == ["--help"], line
            parameters = COMMANDS[name].params if name in COMMANDS else ()
            options = {option for parameter in parameters for option in parameter.opts}
            assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options | {"--help"}, line

    @pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
    def test_settings_exist(self, page: Path) -> None:
        outside = {"STOKEN_TEST_PGBIN", "STOKEN_FAILPOINT"}
        assert set(re.findall(r"\bSTOKEN_[A-Z_]+[A-Z]\b", page.read_text())) <= self.SETTINGS | outside

    @pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
    def test_refusal_codes_in_lists_of_codes_exist(self, page: Path) -> None:
        if page.name != "transfer-rules.md":
            return
        assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", page.read_text())) <= {refusal.value for refusal in Refusal}
