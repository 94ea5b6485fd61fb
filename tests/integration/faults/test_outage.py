# SPDX-License-Identifier: Apache-2.0
"""A node that is killed under way: orders are refused, and what was accepted before goes out once, in its order."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.errors import LedgerUnavailableError
from stoken.ledger.roots import RootsStep
from stoken.mirror.heartbeat import Heartbeat, Limits, health
from stoken.mirror.reader import ChainReader
from stoken.network.anvil import Anvil
from stoken.orders import entries, outcomes
from stoken.orders.entries import NewOrder
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.orders.journal import Journal
from stoken.orders.outcomes import Accepted
from stoken.transactions.tables import outbox
from tests.consortium import BUYER, SELLER
from tests.e2e.bare_node import BareNode
from tests.fault_proxy import ANY, FaultProxy, HalfOpen
from tests.integration.gateway.harness import Gateway
from tests.integration.write_world import WriteWorld
from tests.requirements import requirement

_NS = 1_000_000_000
_LIMITS = Limits(stale_ns=2 * _NS)
_TURNS_MAX = 30
#: An HTTP client has its answer within this time, whatever the node does.
_ANSWER_SECONDS = 2
#: Trades accepted before the node goes: the first half is sent, the rest is not even signed.
_TRADES = 8


class Outage:
    """A worker's steps over a node that may be killed, and a venue that learns from it whether to take orders."""

    def __init__(self, engine: Engine, node: Anvil, rpc: RpcClient, gateway: Gateway) -> None:
        self.node, self.engine, self.gateway = node, engine, gateway
        self.world = WriteWorld(engine, rpc)
        self.world.found_market()
        self.roots = RootsStep(engine, ChainReader(rpc), time.time_ns)
        self.heartbeat = Heartbeat(engine, time.time_ns)
        # The venue's own blocks are not this chain's: of the worker it only learns how the ledger stands.
        self.feed = BlockFeed(gateway.actor, gateway.services.market, health=self._health)

    def _health(self, _: Connection) -> LedgerHealth:
        with reading(self.engine) as connection:
            found = health(connection, time.time_ns(), _LIMITS)
        return LedgerHealth(found.current, (), found.head, found.reason)

    def look(self) -> None:
        """Mirror what there is and tell the venue how the ledger stands."""
        with suppress(LedgerUnavailableError):
            progress = self.world.mirror.run_to_head()
            while self.roots.execute():
                pass
            self.heartbeat.beat(progress.head - progress.number, progress.blocks)
        self.gateway.run(self.feed.step())

    def kill(self) -> None:
        """Kill the node once its state is on disk, and wait until the ledger is stale."""
        time.sleep(2.5)
        self.node.kill()
        time.sleep(2.5)
        self.look()

    def attempt(self) -> int:
        """Run every step once, as the worker's loop does, and return how many the node failed."""
        failed = 0
        world = self.world
        steps = (world.mirror, world.issuance, world.settlement, world.broadcast, world.confirm)
        for step in steps:
            try:
                step.execute()
            except LedgerUnavailableError:
                failed += 1
        return failed

    def come_back(self) -> None:
        """Start the node from its state and go on until everything has an end."""
        self.node.start()
        for _ in range(_TURNS_MAX):
            self.world.turn()
            found = [self.world.instruction_of(number) for number in range(1, _TRADES + 1)]
            if all(each is not None and each.status == "settled" for each in found):
                return
        raise AssertionError(found)

    def settled(self) -> list[tuple[int, int]]:
        """Return trades and quantities as the chain has them, read without stoken."""
        head = int(self.world.rpc.call("eth_blockNumber"), 16)
        return BareNode(self.node.url).settled_trades(f"0x{self.world.suite['settlement'].hex()}", head)


@pytest.fixture
def outage(engine: Engine, gateway: Gateway, tmp_path: Path) -> Iterator[Outage]:
    with (
        Anvil(block_seconds=None, keep_history=True, state_file=tmp_path / "state.json") as node,
        RpcClient(node.url, timeout=2) as rpc,
    ):
        yield Outage(engine, node, rpc, gateway)


def _accepted(gateway: Gateway) -> list[str]:
    """Return the client ids of the orders that the journal accepted, in its order."""
    rows = Journal(gateway.services.market).rows()
    found = [(entries.decode(row.entry), outcomes.decode(row.outcome).answer) for row in rows]
    return [
        entry.client_order_id for entry, answer in found if isinstance(entry, NewOrder) and isinstance(answer, Accepted)
    ]


@pytest.mark.slow
class TestOutage:
    @requirement("OPS-04")
    def test_orders_are_refused_and_what_was_accepted_goes_out_once_in_its_order(self, outage: Outage) -> None:
        world, gateway = outage.world, outage.gateway
        outage.look()
        assert gateway.sell(client_order_id="before").status_code == 201
        trades = [world.trade(1 + at) for at in range(_TRADES)]
        for trade in trades[: _TRADES // 2]:
            world.journal(trade)
            world.settlement.execute()
        world.broadcast.execute()
        outage.kill()

        for trade in trades[_TRADES // 2 :]:
            world.journal(trade)
        assert [outage.attempt() for _ in range(3)] == [2, 2, 2]
        refused = gateway.sell(client_order_id="during")
        assert (refused.status_code, refused.json()["code"]) == (503, "LEDGER_UNAVAILABLE")
        assert {"mirror_height", "head"} <= set(refused.json()["details"])
        outage.come_back()
        outage.look()

        assert gateway.sell(client_order_id="after").status_code == 201
        # What was refused was not queued: it is no order, now or later.
        assert _accepted(gateway) == ["before", "after"]
        assert outage.settled() == [(trade.trade_id, trade.quantity) for trade in trades]
        assert world.units(BUYER) == sum(trade.quantity for trade in trades) == 500 - world.units(SELLER)
        _each_nonce_was_used_once_in_the_order_of_its_sequence(outage)


@pytest.mark.slow
class TestNodeThatHangs:
    def test_f13_keeps_no_client_of_the_gateway_waiting(self, engine: Engine, gateway: Gateway, node: Anvil) -> None:
        with FaultProxy(node.url) as proxy, RpcClient(proxy.url, timeout=4) as rpc:
            outage = Outage(engine, node, rpc, gateway)
            outage.look()
            proxy.fail(ANY, HalfOpen(), times=None)
            hanging = threading.Thread(target=outage.attempt)
            hanging.start()
            began, answers = time.monotonic(), []
            while hanging.is_alive():
                asked = time.monotonic()
                outage.gateway.run(outage.feed.step())
                status = gateway.sell(quantity=1).status_code
                answers.append((status, time.monotonic() - asked))
            assert time.monotonic() - began > 4
            assert max(seconds for _, seconds in answers) < _ANSWER_SECONDS
            statuses = [status for status, _ in answers]
            assert set(statuses) == {201, 503}
            assert statuses == sorted(statuses)


def _each_nonce_was_used_once_in_the_order_of_its_sequence(outage: Outage) -> None:
    with reading(outage.engine) as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.sequence)).all()
    assert [row.nonce for row in rows] == list(range(len(rows)))
    assert {row.status for row in rows} == {"mined"}
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    places = [outage.world.rpc.call("eth_getTransactionReceipt", f"0x{row.hash.hex()}") for row in rows]
    order = [(int(place["blockNumber"], 16), int(place["transactionIndex"], 16)) for place in places]
    assert order == sorted(order)
