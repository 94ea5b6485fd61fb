# SPDX-License-Identifier: Apache-2.0
"""The page on a transfer's storage shows what the example prints today."""

import re
from pathlib import Path

import pytest

from tests.docs.programs import load
from tests.docs.transfers import BLOCK, PAGE, figures

TRACE = load("examples/trace_transfer.py")


class TestTransfers:
    def test_the_page_shows_what_the_example_prints(self, tmp_path: Path) -> None:
        text = PAGE.read_text()
        for case, printed in figures(tmp_path).items():
            told = re.search(BLOCK.format(case=case), text, re.DOTALL)
            assert told
            assert told[2] == printed, "run python -m tests.docs.transfers"
            assert not re.search(r"  0x", printed), "a slot has no name"


class TestTrace:
    def test_an_unreachable_node_gives_one_line(self) -> None:
        with pytest.raises(SystemExit, match="does not answer"):
            TRACE.main(["--rpc", "http://127.0.0.1:1", "0x" + "00" * 32])

    def test_names_come_from_the_reference(self) -> None:
        names = set(TRACE.layout().values())
        assert {"SecurityToken.cfg", "SecurityToken.accounts", "IdentityRegistry.words"} <= names
