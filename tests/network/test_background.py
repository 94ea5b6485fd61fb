# SPDX-License-Identifier: Apache-2.0
"""`stoken network` on geth: several nodes in the background, shown, driven, stopped, started again."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoken.network import background, status
from stoken.network.background import NetworkRecord
from stoken.network.local import Engine


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    below = tmp_path / "network"
    yield below
    if (below / "network.json").exists():
        background.down(below)


class TestDriven:
    def test_blocks_reorgs_and_finality_come_when_told_and_the_chain_goes_on(self, folder: Path) -> None:
        record = background.up(folder, Engine.DRIVEN, 2, 0)
        with background.drive(record) as driver:
            driver.mine(5)
            before = status.ask(record)
            driver.reorg(3)
            driver.mark(safe=4, finalized=2)
        after = status.ask(record)
        assert [node.height for node in before.nodes] == [node.height for node in after.nodes] == [5, 5]
        assert (before.healthy, after.healthy) == (True, True)
        assert before.nodes[0].head_hash != after.nodes[0].head_hash == after.nodes[1].head_hash
        assert len(background.down(folder)) == 2
        again = background.up(folder, Engine.DRIVEN, None, 0)
        with background.drive(again) as driver:
            driver.mine()
        assert [node.height for node in status.ask(again).nodes] == [6, 6]


class TestClique:
    def test_it_shows_signers_and_peers_and_goes_on_without_one(self, folder: Path) -> None:
        record = background.up(folder, Engine.CLIQUE, 4, 0)
        found = _wait_for_height(record, 4)
        signers = found.nodes[0].signers
        assert signers is not None
        assert len(signers) == 4
        assert [node.peers for node in found.nodes] == [3, 3, 3, 3]
        assert found.roots_agree
        alive = NetworkRecord(record.engine, record.nodes[1:])
        assert all(node.missed_blocks is not None for node in found.nodes)
        _stop(folder, record)
        found = _wait_for_height(alive, (found.shared_height or 0) + 6)
        assert [node.peers for node in found.nodes] == [2, 2, 2]
        assert not status.ask(record).healthy


def _stop(folder: Path, record: NetworkRecord) -> None:
    """Stop the first node as `down` would."""
    alone = folder / "first"
    alone.mkdir()
    (alone / "network.json").write_bytes(background.encoded(NetworkRecord(record.engine, record.nodes[:1])))
    assert [node.name for node in background.down(alone)] == ["node-1"]


def _wait_for_height(record: NetworkRecord, height: int) -> status.NetworkStatus:
    deadline = time.monotonic() + 60
    while ((found := status.ask(record)).shared_height or 0) < height:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return found
