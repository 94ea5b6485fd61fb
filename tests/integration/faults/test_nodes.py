# SPDX-License-Identifier: Apache-2.0
"""F4, F5, F9 to F13: nodes that forget, lag, forge, leave out, refuse, break off, or say nothing at all."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.errors import LedgerUnavailableError
from stoken.mirror import store
from stoken.mirror.completeness import IncompleteBlockError
from stoken.network.anvil import Anvil
from tests.emitting import EmittingPath, put_code
from tests.fault_proxy import (
    ANY,
    CutAfterAccept,
    Delay,
    Drop,
    Duplicate,
    Fault,
    FaultProxy,
    ForgedHash,
    HalfOpen,
    MissingLogs,
    StaleHead,
    Status,
    Trickle,
)
from tests.recount import recount, register_is_the_chains

_SEND = "eth_sendRawTransaction"
#: Longer than any single answer may take a client that waits a second.
_DEADLINE_SECONDS = 3
_BREAKS: dict[str, Callable[[], Fault]] = {
    "429": lambda: Status(429),
    "502": lambda: Status(502),
    "503": lambda: Status(503),
    "reset-before-accept": Drop,
    "reset-after-accept": CutAfterAccept,
    "slow": lambda: Delay(0.3),
    "time-out": lambda: Delay(1.5),
    "twice": Duplicate,
    "half-open": HalfOpen,
}


def _work_until_mined(path: EmittingPath, rpc: RpcClient, *keys: str) -> int:
    """Run the worker's rounds, mining after each, until the transactions are mined; return how many rounds failed."""
    failed = 0
    for _ in range(60):
        if all(path.row(key).status == "mined" for key in keys):
            return failed
        try:
            path.round()
        except LedgerUnavailableError:
            failed += 1
        path.now += 5
        rpc.call("evm_mine")
    raise AssertionError([path.row(key).status for key in keys])


def _number(engine: Engine) -> int:
    with reading(engine) as connection:
        return store.read_checkpoint(connection).number


def _recount(path: EmittingPath, proxy: FaultProxy, rpc: RpcClient) -> None:
    """Count again with a node that behaves, and all of it final."""
    proxy.behave()
    rpc.call("anvil_mine", "0x6")
    path.follow_as_the_worker()
    recount(path.engine, rpc)
    register_is_the_chains(path.engine, rpc.url)


class TestNodeThatForgets:
    def test_f4_after_a_restart_with_an_empty_pool_it_gets_the_same_bytes(self, engine: Engine, tmp_path: Path) -> None:
        node = Anvil(block_seconds=None, state_file=tmp_path / "state.json").start()
        with FaultProxy(node.url) as proxy, RpcClient(node.url) as rpc, RpcClient(proxy.url) as through:
            put_code(rpc)
            path = EmittingPath(engine, through)
            path.create_issue()
            path.mint("one", 1, 5)
            path.round()
            assert len(rpc.call("txpool_content")["pending"]) == 1
            node.stop()
            node.start()
            put_code(rpc)
            assert rpc.call("txpool_content")["pending"] == {}
            _work_until_mined(path, rpc, "issue", "one")
            recount(engine, rpc)
            assert len(set(proxy.sent)) == 2
        node.stop()

    def test_f5_what_was_lost_is_sent_again_and_later_nonces_wait(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        rows = [path.enqueue(f"number {at}") for at in range(3)]
        path.broadcast.execute()
        rpc.call("anvil_dropTransaction", f"0x{rows[0].hash.hex()}")
        rpc.call("evm_mine")
        path.follow_as_the_worker()
        assert [path.row(f"number {at}").status for at in range(3)] == ["broadcast"] * 3
        _work_until_mined(path, rpc, *(f"number {at}" for at in range(3)))
        assert len(set(proxy.sent)) == 4
        _recount(path, proxy, rpc)


class TestNodeThatLags:
    @pytest.mark.parametrize("behind", [1, 3])
    def test_f9_an_older_head_never_moves_the_cursor_back(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient, behind: int
    ) -> None:
        _work_until_mined(path, rpc, "issue")
        rpc.call("anvil_mine", "0x5")
        path.follow_as_the_worker()
        before = _number(path.engine)
        proxy.fail(ANY, StaleHead(behind), times=None)
        for at in range(3):
            path.mint(f"mint {at}", at, 1)
            path.round()
            assert _number(path.engine) == before
        assert path.row("issue").status == "mined"
        proxy.behave()
        _work_until_mined(path, rpc, "mint 0", "mint 1", "mint 2")
        _recount(path, proxy, rpc)


class TestNodeThatForges:
    def test_f10_a_hash_that_it_takes_back_leaves_no_trace(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        _work_until_mined(path, rpc, "issue")
        rpc.call("anvil_mine", "0x5")
        path.follow_as_the_worker()
        proxy.fail("eth_getBlockByNumber", ForgedHash())
        path.mint("one", 1, 5)
        _work_until_mined(path, rpc, "one")
        assert proxy.struck == 1
        _recount(path, proxy, rpc)


class TestNodeThatLeavesOut:
    @pytest.mark.parametrize(("method", "behind"), [("eth_getLogs", 30), ("eth_getBlockReceipts", 0)])
    def test_f11_part_of_a_blocks_logs_is_never_committed(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient, method: str, behind: int
    ) -> None:
        path.mint("one", 1, 5)
        path.broadcast.execute()
        rpc.call("evm_mine")
        if behind:
            rpc.call("anvil_mine", hex(behind))
        proxy.fail(method, MissingLogs(), times=2)
        for _ in range(2):
            with pytest.raises(IncompleteBlockError):
                path.mirror.run_to_head()
            assert _number(path.engine) < 1
        assert proxy.struck == 2
        path.follow_as_the_worker()
        assert path.row("one").status == "mined"
        _recount(path, proxy, rpc)


class TestConnectionThatBreaks:
    @pytest.mark.parametrize("broken", _BREAKS)
    def test_f12_sending_and_reading_again_has_one_effect(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient, broken: str
    ) -> None:
        path.mint("one", 1, 5)
        for method in (_SEND, _SEND, "eth_getBlockReceipts", "eth_getBlockByNumber"):
            proxy.fail(method, _BREAKS[broken]())
        _work_until_mined(path, rpc, "issue", "one")
        assert proxy.struck == 4
        assert len(set(proxy.sent)) == 2
        _recount(path, proxy, rpc)


class TestNodeThatSaysNothing:
    def test_f13_a_half_open_connection_ends_at_the_deadline(self, path: EmittingPath, proxy: FaultProxy) -> None:
        proxy.fail(ANY, HalfOpen(), times=None)
        assert _seconds_to_give_up(path.round) < _DEADLINE_SECONDS

    def test_f13_an_answer_that_trickles_ends_at_the_deadline(self, path: EmittingPath, proxy: FaultProxy) -> None:
        proxy.fail("eth_chainId", Trickle(), times=None)
        began = time.monotonic()
        with pytest.raises(LedgerUnavailableError):
            path.rpc.call("eth_chainId")
        assert time.monotonic() - began < _DEADLINE_SECONDS

    def test_f13_what_waits_stays_bounded_and_goes_out_in_order(
        self, path: EmittingPath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        keys = [f"mint {at}" for at in range(250)]
        for at, key in enumerate(keys):
            path.mint(key, at % 5, 1)
        proxy.fail(_SEND, HalfOpen(), times=2)
        for _ in range(2):
            assert _seconds_to_give_up(path.broadcast.execute) < _DEADLINE_SECONDS
        assert proxy.sent == []
        _work_until_mined(path, rpc, keys[-1])
        assert [path.row(key).status for key in keys] == ["mined"] * len(keys)
        assert len(set(proxy.sent)) == 251
        _recount(path, proxy, rpc)


def _seconds_to_give_up(step: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(LedgerUnavailableError):
        step()
    return time.monotonic() - began
