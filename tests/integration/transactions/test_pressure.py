# SPDX-License-Identifier: Apache-2.0
"""A node's pool that fills up: less is sent before it is full, in order, and all of it is mined."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.network.anvil import Anvil
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.tables import outbox
from tests.fault_proxy import FaultProxy, Says
from tests.integration.transactions.write_path import SECRET, WritePath

OTHER = b"\x2b" * 32
ISSUER, BROKER = "issuer", "bank"


@pytest.fixture
def proxy(node: Anvil) -> Iterator[FaultProxy]:
    with FaultProxy(node.url) as standing:
        yield standing


@pytest.fixture
def path(engine: Engine, proxy: FaultProxy) -> Iterator[WritePath]:
    with RpcClient(proxy.url) as through:
        made = WritePath(engine, through, SECRET, OTHER)
        made.take_over()
        yield made


def _hold(path: WritePath, pool_max: int) -> None:
    path.broadcast = BroadcastStep(path.engine, path.rpc, path.capabilities, pool_max=pool_max, clock=lambda: path.now)


def _sent(path: WritePath, proxy: FaultProxy) -> list[tuple[bytes, int]]:
    """Return what the node got, as senders and nonces, in order."""
    with reading(path.engine) as connection:
        rows = connection.execute(select(outbox.c.raw, outbox.c.sender, outbox.c.nonce)).all()
    known = {row.raw: (row.sender, row.nonce) for row in rows}
    return [known[raw] for raw in proxy.sent]


def _pooled(rpc: RpcClient) -> int:
    status = rpc.call("txpool_status")
    return int(status["pending"], 16) + int(status["queued"], 16)


class TestPool:
    def test_it_is_never_filled_and_everything_is_mined_in_order(
        self, path: WritePath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        _hold(path, 20)
        for at in range(30):
            path.order(f"issuer {at}", ISSUER)
            path.order(f"broker {at}", BROKER)
        fullest = 0
        for _ in range(20):
            while path.broadcast.execute():
                fullest = max(fullest, _pooled(rpc))
            rpc.call("evm_mine")
            path.follow()
            path.now += 1
        assert fullest == 18
        assert {path.row(f"{who} {at}").status for who in ("issuer", "broker") for at in range(30)} == {"mined"}
        sent = _sent(path, proxy)
        for key in path.signers:
            nonces = [nonce for sender, nonce in sent if sender == key]
            assert list(dict.fromkeys(nonces)) == list(range(30))

    def test_one_that_is_full_gets_the_first_of_each_key_and_the_step_rests(
        self, path: WritePath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        proxy.fail("txpool_besuStatistics", Says({"maxSize": 100, "localCount": 0, "remoteCount": 100}), None)
        for at in range(5):
            path.order(f"issuer {at}", ISSUER)
            path.order(f"broker {at}", BROKER)
        assert [path.broadcast.execute() for _ in range(20)] == [2] + [0] * 19
        assert {nonce for _, nonce in _sent(path, proxy)} == {0}
        rpc.call("evm_mine")
        path.follow()
        assert path.broadcast.execute() == 2

    def test_what_a_full_pool_waits_for_is_sent(self, path: WritePath, proxy: FaultProxy, rpc: RpcClient) -> None:
        for at in range(5):
            path.enqueue(f"number {at}")
        for at in range(1, 5):
            rpc.call("eth_sendRawTransaction", f"0x{path.raw(f'number {at}').hex()}")
        proxy.fail("txpool_besuStatistics", Says({"maxSize": 4, "localCount": 4, "remoteCount": 0}), None)
        assert path.broadcast.execute() == 1
        rpc.call("evm_mine")
        path.follow()
        assert {path.row(f"number {at}").status for at in range(5)} == {"mined"}

    def test_a_node_that_says_nothing_of_it_gets_what_the_bounds_allow(self, path: WritePath) -> None:
        _hold(path, 0)
        for at in range(30):
            path.order(f"number {at}", ISSUER)
        assert path.broadcast.execute() == 30
