# SPDX-License-Identifier: Apache-2.0
"""Signed first, sent until mined, one writer a key."""

import pytest
from eth_hash.auto import keccak
from sqlalchemy import Engine, select

from stoken.chain.rpc import NodeError, RpcClient
from stoken.chain.transactions import calldata, sign_legacy
from stoken.db import reading, unit_of_work
from stoken.errors import ConflictError, FencedError, LedgerUnavailableError, StartupError
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.tables import outbox, senders
from tests.integration.transactions.write_path import SECRET, WritePath


class NodeWithoutTraces(RpcClient):
    """A node that keeps its debug methods to itself, as most do in production."""

    def call(self, method: str, *params: object) -> object:
        if method.startswith("debug_"):
            raise NodeError(-32601, "the method debug_traceTransaction does not exist")
        return super().call(method, *params)


class TestEnqueue:
    def test_a_transaction_begins_signed_and_unsent(self, path: WritePath) -> None:
        row = path.enqueue("one", data=b"\x01\x02")
        assert (row.nonce, row.status, row.block_number) == (0, "signed", None)
        assert calldata(path.raw("one")) == b"\x01\x02"
        assert path.rpc.call("eth_getTransactionByHash", f"0x{row.hash.hex()}") is None

    def test_nonces_are_dense(self, path: WritePath) -> None:
        assert [path.enqueue(f"number {at}").nonce for at in range(3)] == [0, 1, 2]

    def test_the_same_key_gives_the_same_transaction(self, path: WritePath) -> None:
        assert path.enqueue("one", data=b"\x01") == path.enqueue("one", data=b"\x01")
        assert path.enqueue("two").nonce == 1

    def test_the_same_key_for_another_transaction_is_a_conflict(self, path: WritePath) -> None:
        path.enqueue("one", data=b"\x01")
        with pytest.raises(ConflictError):
            path.enqueue("one", data=b"\x02")

    def test_a_unit_of_work_that_fails_takes_no_nonce(self, path: WritePath) -> None:
        def fail() -> None:
            with unit_of_work(path.engine) as connection:
                path.outbox.enqueue(
                    connection, key="lost", sender=path.sender, to=b"\x0e" * 20, data=b"", gas=1, purpose="test"
                )
                raise InterruptedError

        with pytest.raises(InterruptedError):
            fail()
        assert path.enqueue("kept").nonce == 0


class TestTakeOver:
    def test_an_older_writer_can_sign_no_more(self, path: WritePath, engine: Engine, rpc: RpcClient) -> None:
        path.enqueue("before")
        younger = WritePath(engine, rpc)
        younger.take_over()
        with pytest.raises(FencedError, match="another process"):
            path.enqueue("after")
        assert younger.enqueue("after").nonce == 1

    def test_a_nonce_carries_one_hash_whoever_writes(self, path: WritePath, engine: Engine, rpc: RpcClient) -> None:
        younger = WritePath(engine, rpc)
        for at, writer in enumerate((path, younger, path, younger)):
            writer.take_over()
            writer.enqueue(f"number {at}")
        with reading(engine) as connection:
            rows = connection.execute(select(outbox.c.nonce, outbox.c.hash)).all()
        assert sorted(row.nonce for row in rows) == [0, 1, 2, 3]

    def test_a_key_used_elsewhere_is_refused(self, engine: Engine, rpc: RpcClient, path: WritePath) -> None:
        path.enqueue("one")
        path.settle()
        with unit_of_work(engine) as connection:  # as a back-up taken before "one" would say
            connection.execute(senders.update().values(next_nonce=0))
        with pytest.raises(StartupError, match="has sent 1 transactions, this database knows 0"):
            WritePath(engine, rpc).take_over()

    def test_pending_transactions_of_a_fresh_key_are_refused(self, engine: Engine, rpc: RpcClient) -> None:
        elsewhere = WritePath(engine, rpc)
        raw, _ = sign_legacy(SECRET, 0, 21_000, b"\x01" * 20, b"", 20260)
        rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        with pytest.raises(StartupError, match="another writer"):
            elsewhere.take_over()


class TestBroadcast:
    def test_a_mined_transaction_is_confirmed_by_the_mirror_alone(self, path: WritePath) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        assert path.row("one").status == "broadcast"
        path.rpc.call("evm_mine")
        path.confirm.execute()
        assert path.row("one").status == "broadcast"
        path.follow()
        assert (path.row("one").status, path.row("one").block_number) == ("mined", 1)

    def test_many_are_sent_in_order(self, path: WritePath) -> None:
        for at in range(250):
            path.enqueue(f"number {at}")
        path.broadcast.execute()
        path.broadcast.execute()
        path.settle()
        assert path.nonce_on_chain() == 250
        assert {path.row(f"number {at}").status for at in range(250)} == {"mined"}

    def test_a_dropped_transaction_is_sent_again_with_the_same_bytes(self, path: WritePath) -> None:
        digest = f"0x{path.enqueue('one').hash.hex()}"
        path.enqueue("two")
        path.broadcast.execute()
        path.rpc.call("anvil_dropTransaction", digest)
        path.settle()
        assert path.row("one").status == "broadcast"
        path.now += 5
        path.settle()
        assert path.rpc.call("eth_getTransactionReceipt", digest)["status"] == "0x1"
        assert [path.row(key).status for key in ("one", "two")] == ["mined", "mined"]

    def test_nothing_is_sent_twice_within_the_resend_period(self, path: WritePath) -> None:
        path.enqueue("one")
        assert [path.broadcast.execute(), path.broadcast.execute()] == [1, 0]

    def test_known_bytes_are_no_failure(self, path: WritePath, engine: Engine, rpc: RpcClient) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        assert WritePath(engine, rpc).broadcast.execute() == 1
        path.settle()
        assert path.nonce_on_chain() == 1

    def test_gas_in_flight_is_bounded(self, path: WritePath) -> None:
        for at in range(12):
            path.enqueue(f"number {at}", gas=50_000_000)
        assert path.broadcast.execute() == 9

    def test_what_may_have_left_is_marked_before_it_does(self, path: WritePath) -> None:
        path.enqueue("one")
        dead = BroadcastStep(path.engine, RpcClient("http://127.0.0.1:1"), path.capabilities, pool_max=0)
        with pytest.raises(LedgerUnavailableError):
            dead.execute()
        assert path.row("one").status == "broadcast"


class TestConfirm:
    def test_a_transaction_without_logs_that_succeeded_is_mined(self, path: WritePath) -> None:
        path.enqueue("one")
        path.settle()
        assert path.row("one").status == "mined"

    def test_a_revert_is_decoded_by_its_selector(self, path: WritePath) -> None:
        path.deploy_echo()
        selector = bytes.fromhex("d6d2b53d")
        path.enqueue("refused", to=path.echo, data=selector)
        path.settle()
        row = path.row("refused")
        assert row.status == "failed"
        assert row.failure is not None
        assert (row.failure.error, row.failure.approximate) == ("UnknownError", False)

    def test_a_refusal_keeps_its_code_and_arguments(self, path: WritePath) -> None:
        path.deploy_echo()
        selector = keccak(b"InsufficientCash(address,uint256,uint256)")[:4]
        words = b"\0" * 12 + b"\x07" * 20 + (5).to_bytes(32) + (9).to_bytes(32)
        path.enqueue("refused", to=path.echo, data=selector + words)
        path.settle()
        failure = path.row("refused").failure
        assert failure is not None
        assert (failure.code, failure.error) == ("INSUFFICIENT_CASH", "InsufficientCash")
        assert failure.arguments == {"account": "0x" + "07" * 20, "available": 5, "needed": 9}

    def test_without_traces_the_reason_is_replayed_and_marked_approximate(self, path: WritePath) -> None:
        path.deploy_echo()
        path.enqueue("refused", to=path.echo, data=keccak(b"TokenPaused()")[:4])
        path.broadcast.execute()
        path.rpc.call("evm_mine")
        path.mirror.run_to_head()
        with NodeWithoutTraces(path.rpc.url) as rpc:
            ConfirmStep(path.engine, rpc).execute()
        failure = path.row("refused").failure
        assert failure is not None
        assert (failure.code, failure.approximate) == ("TOKEN_PAUSED", True)

    def test_running_out_of_gas_is_named(self, path: WritePath) -> None:
        path.enqueue("short", to=b"", data=bytes.fromhex("5b600056"), gas=60_000)
        path.settle()
        failure = path.row("short").failure
        assert failure is not None
        assert failure.error == "OutOfGas"
