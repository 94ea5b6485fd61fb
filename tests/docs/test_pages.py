# SPDX-License-Identifier: Apache-2.0
"""The pages keep their shape: length, links, headings of the records, entries of the changelog."""

import re
from pathlib import Path

import pytest

from tests.docs.programs import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
ADRS = sorted((ROOT / "docs/adr").glob("0*.md"))
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestEveryPage:
    def test_its_links_lead_somewhere(self, page: Path) -> None:
        for link in links(page):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link

    def test_it_has_one_title(self, page: Path) -> None:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1

    def test_it_is_reachable_from_another_page(self, page: Path) -> None:
        if page.parent == ROOT:
            return
        linked = {(other.parent / link.partition("#")[0]).resolve() for other in PAGES for link in links(other)}
        assert page in linked


@pytest.mark.parametrize("record", ADRS, ids=lambda record: record.stem)
class TestEveryRecord:
    def test_it_is_a_minimal_madr(self, record: Path) -> None:
        headings = re.findall(r"^##+ (.+)$", record.read_text(), re.MULTILINE)
        assert headings[:4] == [
            "Context and Problem Statement",
            "Considered Options",
            "Decision Outcome",
            "Consequences",
        ]

    def test_it_is_listed_under_its_title(self, record: Path) -> None:
        title = record.read_text().splitlines()[0].removeprefix("# ")
        assert f"[{int(record.stem[:4])}]({record.name}) | {title} |" in (ROOT / "docs/adr/README.md").read_text()


class TestReadme:
    README = (ROOT / "README.md").read_text()

    def test_it_has_at_most_120_lines(self) -> None:
        assert len(self.README.splitlines()) <= 120

    def test_it_leads_from_the_demo_over_the_tests_to_a_network(self) -> None:
        steps = [self.README.index(step) for step in ("make demo", "make test", "docker compose up --wait")]
        assert steps == sorted(steps)


class TestChangelog:
    def test_unreleased_comes_first_and_says_something(self) -> None:
        headings = re.findall(r"^##+ (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert headings[0] == "[Unreleased]"
        assert headings[1] in {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


class TestLicence:
    def test_it_is_the_full_apache_2_text(self) -> None:
        text = (ROOT / "LICENSE").read_text()
        assert "Apache License" in text
        assert "END OF TERMS AND CONDITIONS" in text
        assert len(text) > 11_000
