# SPDX-License-Identifier: Apache-2.0
"""`stoken register` on a ledger of a few blocks."""

import json
import os
import sys
from collections.abc import Callable, Sequence

import pytest

from stoken.cli import main
from stoken.db import open_engine, schema, unit_of_work
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import ContractKind
from stoken.mirror import MinedBlock, store
from stoken.mirror.store import Checkpoint
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, address, chain, emitted, issue, transfer

Run = Callable[..., tuple[int, str]]
ENDED = emitted(ContractKind.TOKEN, "Terminated", address(9), b"D" * 32)


@pytest.fixture
def run(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Apply blocks to a ledger, run `stoken register` on it, return exit code and output."""

    def call(blocks: Sequence[MinedBlock], *arguments: str) -> tuple[int, str]:
        engine = open_engine(settings["STOKEN_DATABASE__URL"])
        schema.upgrade(engine)
        last = blocks[-1]
        with unit_of_work(engine) as connection:
            store.insert_blocks(connection, blocks)
            LedgerProjection(SUITE).apply(connection, blocks, last.number)
            store.write_checkpoint(connection, Checkpoint(last.number, last.hash, last.number))
        engine.dispose()
        for name in [name for name in os.environ if name.startswith("STOKEN_")]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["stoken", "register", *arguments])
        code = main()
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


class TestTermination:
    def test_what_was_burned_and_what_is_left_is_printed(self, run: Run) -> None:
        minted = [issue(), transfer(NOBODY, address(1), 100)]
        blocks = chain([minted, [transfer(address(1), NOBODY, 100)], [ENDED]])
        code, shown = run(blocks, "termination", ISIN, "--json")
        assert code == 0
        assert json.loads(shown) == {
            "isin": ISIN,
            "token": f"0x{TOKEN.hex()}",
            "terminated_at": blocks[2].time,
            "block_number": 2,
            "block_hash": f"0x{blocks[2].hash.hex()}",
            "minted": "100",
            "burned": "100",
            "residual": "0",
        }

    def test_units_that_are_left_are_an_error(self, run: Run) -> None:
        code, shown = run(chain([[issue(), transfer(NOBODY, address(1), 7)], [ENDED]]), "termination", ISIN)
        assert code == 1
        assert "residual         7" in shown

    def test_an_issue_that_goes_on_has_no_report(self, run: Run) -> None:
        code, shown = run(chain([[issue()]]), "termination", ISIN)
        assert code != 0
        assert "not terminated" in shown
