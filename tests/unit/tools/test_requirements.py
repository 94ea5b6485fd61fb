# SPDX-License-Identifier: Apache-2.0
"""The ledger of requirements: where each stands, and what is refused."""

from pathlib import Path

import pytest

from tests.docs.programs import ROOT, load

LEDGER = load("tools/requirements.py")

CSV = "group,id,who,must,data,refused_with,supervisor_checks\n"
ROWS = "A. Issuance,ISS-01,I,Complete issue file,,,\nA. Issuance,ISS-02,K,Two steps,,,\n"
DEFERRALS = '["issuance lifecycle"]\ndate = 2026-11-24\nbrings = ["ISS-02"]\n'
PYTHON = (
    '@requirement("ISS-01")\nclass TestIssue:\n    @pytest.mark.requirement("ISS-03")\n    def test_it(self): ...\n'
)
SOLIDITY = """contract A {
    /// @notice Two steps.
    /// @custom:requirement ISS-04, ISS-05
    function test_B() {}
}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("docs/reference", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/reference/requirements.csv").write_text(CSV + ROWS)
    (tmp_path / "docs/reference/deferrals.toml").write_text(DEFERRALS)
    (tmp_path / "tests/test_issue.py").write_text('@requirement("ISS-01")\ndef test_issue(): ...\n')
    return tmp_path


class TestMarks:
    def test_classes_and_methods_carry_them(self, tmp_path: Path) -> None:
        (tmp_path / "test_a.py").write_text(PYTHON)
        assert list(LEDGER.marks(tmp_path, tmp_path)) == [
            ("ISS-01", "test_a.py::TestIssue"),
            ("ISS-03", "test_a.py::TestIssue::test_it"),
        ]

    def test_in_solidity_they_are_tags(self, tmp_path: Path) -> None:
        (tmp_path / "A.t.sol").write_text(SOLIDITY)
        assert [mark for mark, _ in LEDGER.marks(tmp_path, tmp_path)] == ["ISS-04", "ISS-05"]


class TestMain:
    def test_a_complete_ledger_is_written_and_then_equal(self, checkout: Path) -> None:
        assert LEDGER.main([], checkout) == 0
        assert LEDGER.main(["--check"], checkout) == 0
        page = (checkout / "docs/reference/requirements.md").read_text()
        assert "| ISS-01 | I | Complete issue file | `tests/test_issue.py::test_issue` |" in page
        assert "| ISS-02 | K | Two steps | deferred 2026-11-24: issuance lifecycle |" in page

    def test_a_page_that_lags_is_stale(self, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert LEDGER.main(["--check"], checkout) == 1
        assert capsys.readouterr().out.startswith("stale: docs/reference/requirements.md")

    @pytest.mark.parametrize(
        ("file", "text", "line"),
        [
            ("tests/test_issue.py", "", "ISS-01: neither shown by a test nor deferred"),
            (
                "tests/test_more.py",
                '@requirement("ISS-02")\ndef test_b(): ...\n',
                "ISS-02: shown by tests/",
            ),
            ("tests/test_more.py", '@requirement("ISS-77")\ndef test_b(): ...\n', "ISS-77: unknown, at tests/"),
            ("docs/reference/deferrals.toml", DEFERRALS.replace('"]\nd', 's"]\nd') + DEFERRALS, "ISS-02: deferred to"),
            ("docs/reference/deferrals.toml", DEFERRALS.replace('["ISS', '["ISS-88", "ISS'), "ISS-88: unknown, in"),
            ("docs/reference/requirements.csv", CSV + ROWS + ROWS, "ISS-01: listed twice"),
        ],
    )
    def test_a_fault_is_one_line(
        self, checkout: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, line: str
    ) -> None:
        (checkout / file).write_text(text)
        assert LEDGER.main([], checkout) == 1
        assert capsys.readouterr().out.startswith(line)


class TestProject:
    def test_all_requirements_are_there(self) -> None:
        assert len(LEDGER.read(ROOT).requirements) == 146
