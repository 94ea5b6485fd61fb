# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of gateway or worker amid the order flow: started again, they lose nothing and double nothing."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoken.db import open_engine, unit_of_work
from stoken.ledger.digest import digest, rebuild
from stoken.network.anvil import Anvil
from stoken.orders import entries, outcomes
from stoken.orders.entries import NewOrder
from stoken.orders.outcomes import Accepted, Trade
from stoken.orders.replay import replay
from tests.e2e.playing import SCENE_ORDERS, Played, play_with_a_kill
from tests.requirements import requirement

_CROWD = 20
_ORDERS = 400
#: The failpoint and the pass of the order flow at which it strikes, and who dies there.
_KILLS = {
    "journal.committed:20": "serve",
    "settlement.decided:2": "work",
    "outbox.committed:2": "work",
    "outbox.broadcast:2": "work",
    "mirror.block:2": "work",
}


@pytest.fixture(params=_KILLS)
def failpoint(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def node(database_kind: str) -> Iterator[Anvil]:
    """A node that mines by the clock, or each transaction at once."""
    automine = database_kind == "postgresql"
    with Anvil(block_seconds=None if automine else 0.25, automine=automine, keep_history=True) as running:
        yield running


@pytest.fixture
def played(failpoint: str, node: Anvil, empty_database_url: str, tmp_path: Path) -> Played:
    amount = ("--investors", str(_CROWD), "--orders", str(_ORDERS))
    return play_with_a_kill(failpoint, node.url, empty_database_url, tmp_path, *amount)


@pytest.mark.slow
class TestKill:
    @requirement("SET-02")
    def test_nothing_is_lost_and_nothing_doubled(self, played: Played, failpoint: str) -> None:
        others = {"serve": 0, "work": 0}
        assert played.document["restarts"] == others | {_KILLS[failpoint]: 1}
        assert [check["name"] for check in played.document["invariants"] if not check["holds"]] == []
        _each_order_is_answered_once(played)
        _each_trade_settles_once(played)
        _the_ledger_is_what_the_mirror_gives_again(played)


def _each_order_is_answered_once(played: Played) -> None:
    """Sent until answered, an order may stand in the journal more than once; it is accepted once."""
    accepted: Counter[tuple[bytes, str]] = Counter()
    rows = played.journal()
    for row in rows:
        entry, answer = entries.decode(row.entry), outcomes.decode(row.outcome).answer
        if isinstance(entry, NewOrder) and isinstance(answer, Accepted):
            accepted[entry.broker, entry.client_order_id] += 1
    assert set(accepted.values()) == {1}
    assert len(accepted) == played.document["orders"]["accepted"] == _ORDERS + SCENE_ORDERS
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert replay(rows).mismatch is None


def _each_trade_settles_once(played: Played) -> None:
    matched = [
        (event.trade_id, event.quantity)
        for row in played.journal()
        for event in outcomes.decode(row.outcome).events
        if isinstance(event, Trade)
    ]
    settlement = played.document["contracts"]["settlement"]
    assert sorted(played.node.settled_trades(settlement, played.head)) == sorted(matched)
    assert len(matched) == len({trade_id for trade_id, _ in matched}) == played.document["settled_trades"]


def _the_ledger_is_what_the_mirror_gives_again(played: Played) -> None:
    suite = {name: bytes.fromhex(address[2:]) for name, address in played.document["contracts"].items()}
    engine = open_engine(played.database_url)
    with unit_of_work(engine) as connection:
        before = digest(connection)
        assert rebuild(connection, suite) == before
    engine.dispose()
