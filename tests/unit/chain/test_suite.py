# SPDX-License-Identifier: Apache-2.0
"""The suite file says the same before and after, and a wrong one is refused in one line."""

from pathlib import Path

import pytest

from stoken.chain.suite import Suite, load, save
from stoken.errors import StartupError

SUITE = Suite(20260, b"\x01" * 32, 7, {"settlement": b"\x02" * 20})


class TestSuite:
    def test_it_is_read_back(self, tmp_path: Path) -> None:
        save(SUITE, tmp_path / "var" / "suite.json")
        assert load(tmp_path / "var" / "suite.json") == SUITE

    def test_a_missing_file_says_what_to_run(self, tmp_path: Path) -> None:
        with pytest.raises(StartupError, match="stoken contracts deploy"):
            load(tmp_path / "suite.json")

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"chain_id": 1}'])
    def test_a_malformed_file_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "suite.json").write_text(content)
        with pytest.raises(StartupError, match="malformed"):
            load(tmp_path / "suite.json")

    def test_a_contract_that_is_not_there_is_named(self) -> None:
        with pytest.raises(StartupError, match="factory"):
            SUITE["factory"]
