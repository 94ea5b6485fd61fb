# SPDX-License-Identifier: Apache-2.0
"""Nothing is decided by blocks of catch-up before their logs are shown to be complete; it waits, and goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from typing_extensions import override

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.issuance.queries import RequestStatus
from stoken.ledger import breaks
from stoken.ledger.comparison import heal
from stoken.ledger.roots import read_again
from stoken.ledger.verification import Verification
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.network.anvil import Anvil
from tests.consortium import SELLER
from tests.fault_proxy import Fault, FaultProxy
from tests.integration.write_world import WriteWorld

Json = Any


class HidesTwins(Fault):
    """The last log of a block is left out where an earlier one has its address and topics: no bloom shows that."""

    @override
    def result(self, call: Json, result: Json) -> Json:
        if not isinstance(result, list):
            return result
        by_block: dict[str, list[Json]] = {}
        for log in result:
            by_block.setdefault(log["blockNumber"], []).append(log)
        for logs in by_block.values():
            while len(logs) > 1 and _marks(logs[-1]) in [_marks(each) for each in logs[:-1]]:
                logs.pop()
        return [log for logs in by_block.values() for log in logs]


def _marks(log: Json) -> tuple[str, list[str]]:
    return log["address"], log["topics"]


class Caught:
    """A worker that caught up with a node that hides logs."""

    def __init__(self, world: WriteWorld, through: RpcClient) -> None:
        self.world = WriteWorld(world.engine, through)
        self.world.token = world.token

    def decided(self) -> int:
        """Let every step that decides run, and count what was decided."""
        world = self.world
        return world.confirm.execute() + world.issuance.execute() + world.settlement.execute()

    def heal(self, rpc: RpcClient) -> None:
        world = self.world
        mended = read_again(world.engine, ChainReader(rpc))
        verification = Verification(world.suite.contracts, PinnedCalls(rpc))
        heal(world.engine, world.suite.contracts, verification, "operator", 0, mended=mended)

    def cases(self) -> int:
        with reading(self.world.engine) as connection:
            return len(breaks.cases(connection, only_open=True))


@pytest.fixture
def caught(engine: Engine, rpc: RpcClient, node: Anvil) -> Iterator[Caught]:
    """Found a market, mint twice alike in one block, and catch up with it through a node that hides the last log."""
    world = WriteWorld(engine, rpc)
    world.found_market()
    for name in ("twin-1", "twin-2"):
        world.request(name, world.desk.mint(world.token, SELLER, 7))
    world.issuance.execute()
    world.broadcast.execute()
    rpc.call("anvil_mine", "0x14")
    with FaultProxy(node.url) as proxy, RpcClient(proxy.url) as through:
        proxy.fail("eth_getLogs", HidesTwins(), None)
        made = Caught(world, through)
        made.world.mirror.run_to_head()
        yield made


class TestCatchUpWithANodeThatHidesALog:
    def test_no_request_or_trade_is_decided_and_nothing_has_an_end(self, caught: Caught, rpc: RpcClient) -> None:
        world = caught.world
        world.request("later", world.desk.mint(world.token, SELLER, 1))
        trade = world.trade(10)
        world.journal(trade)
        assert caught.decided() == 0
        while world.roots.execute():
            pass
        assert caught.cases() == 1
        assert caught.decided() == 0
        assert world.outcome("later").status is RequestStatus.RECEIVED
        assert world.outcome("twin-2").status is RequestStatus.SENT
        assert world.instruction(trade) is None

        caught.heal(rpc)
        for _ in range(3):
            world.turn()
        assert [world.outcome(each).status for each in ("twin-2", "later")] == [RequestStatus.DONE] * 2
        settled = world.instruction(trade)
        assert settled is not None
        assert settled.status == "settled"
        assert world.units(SELLER) == 505
