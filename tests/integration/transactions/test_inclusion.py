# SPDX-License-Identifier: Apache-2.0
"""A node cannot make a transaction of ours seem mined, failed or lost: what it says must give the roots of a block."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from typing_extensions import override

from stoken.chain.raw_transactions import encode_transaction, signer_and_nonce
from stoken.chain.rpc import NodeError, RpcClient
from stoken.db import reading
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.inclusion import Inclusion
from stoken.network.anvil import Anvil
from stoken.transactions.confirm import ConfirmStep, confirmed_to
from stoken.transactions.signer import sign_transaction
from stoken.transactions.watch import WatchStep
from tests.fault_proxy import Fault, FaultProxy
from tests.integration.transactions.write_path import WritePath

Json = Any
_STRANGE = "0x" + "5a" * 32
#: A key of the node's own, which the tests' own transactions of other kinds come from.
_OTHER = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")


class Forged(Fault):
    """Whatever the node answers is changed by a function, where that has something to change."""

    def __init__(self, change: Callable[[Json], Json]) -> None:
        self._change = change

    @override
    def result(self, call: Json, result: Json) -> Json:
        return self._change(result)


def listing(before: str, after: str) -> Forged:
    """Put one hash in the place of another in the list of a block's transactions."""

    def change(block: Json) -> Json:
        if not isinstance(block, dict) or before not in block["transactions"]:
            return block
        return block | {"transactions": [after if item == before else item for item in block["transactions"]]}

    return Forged(change)


@pytest.fixture
def proxy(node: Anvil) -> Iterator[FaultProxy]:
    with FaultProxy(node.url) as between:
        yield between


@pytest.fixture
def lied(engine: Engine, proxy: FaultProxy) -> Iterator[WritePath]:
    """Return a write path whose only node is behind the proxy."""
    with RpcClient(proxy.url) as rpc:
        path = WritePath(engine, rpc)
        path.take_over()
        yield path


def _hash(path: WritePath, key: str) -> str:
    return f"0x{path.row(key).hash.hex()}"


def _somebodys(rpc: RpcClient) -> str:
    sent = {"from": f"0x{_OTHER.hex()}", "to": _STRANGE[:42], "gas": "0x5208", "gasPrice": "0x77359400"}
    return str(rpc.call("eth_sendTransaction", sent))


def _mirror(path: WritePath) -> None:
    path.rpc.call("evm_mine")
    path.mirror.run_to_head()


class TestMined:
    def test_ours_named_in_the_place_of_another_is_not_mined(
        self, lied: WritePath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        lied.enqueue("one")
        other = _somebodys(rpc)
        proxy.fail("eth_getBlockByNumber", listing(other, _hash(lied, "one")), None)
        _mirror(lied)
        assert lied.confirm.execute() == 0
        assert lied.row("one").status == "signed"
        proxy.behave()
        lied.settle()
        assert (lied.row("one").status, lied.row("one").block_number) == ("mined", 2)

    def test_nor_where_the_block_by_its_hash_is_forged_alike(
        self, lied: WritePath, proxy: FaultProxy, rpc: RpcClient
    ) -> None:
        lied.enqueue("one")
        other = _somebodys(rpc)
        for method in ("eth_getBlockByNumber", "eth_getBlockByHash"):
            proxy.fail(method, listing(other, _hash(lied, "one")), None)
        _mirror(lied)
        with pytest.raises(IncompleteBlockError, match="transactions do not give its root"):
            lied.confirm.execute()
        assert lied.row("one").status == "signed"


def _of_a_type_to_come(number: int) -> Forged:
    """Give the transactions of one block, where they are told in full, a type that nobody knows."""

    def change(block: Json) -> Json:
        if block["number"] != hex(number) or any(isinstance(each, str) for each in block["transactions"]):
            return block
        return block | {"transactions": [each | {"type": "0x7f"} for each in block["transactions"]]}

    return Forged(change)


class TestUnreadableBlocks:
    @pytest.fixture
    def mined(self, lied: WritePath, rpc: RpcClient) -> WritePath:
        """Return a path with one transaction in each of the blocks 1 to 3, the first with somebody else's."""
        for at in (1, 2, 3):
            lied.enqueue(str(at))
            lied.broadcast.execute()
            if at == 1:
                _somebodys(rpc)
            _mirror(lied)
        return lied

    def _statuses(self, path: WritePath) -> list[str]:
        return [path.row(each).status for each in ("1", "2", "3")]

    def test_the_transactions_of_the_others_are_recorded(self, mined: WritePath, proxy: FaultProxy) -> None:
        proxy.fail("eth_getBlockByHash", _of_a_type_to_come(1), None)
        with pytest.raises(IncompleteBlockError, match="block 1: a transaction is unreadable"):
            mined.confirm.execute()
        assert self._statuses(mined) == ["broadcast", "mined", "mined"]
        with reading(mined.engine) as connection:
            assert confirmed_to(connection) == 3
        proxy.behave()
        assert mined.confirm.execute() == 1
        assert self._statuses(mined) == ["mined"] * 3

    def test_nor_do_receipts_that_give_no_root_hold_up_those_of_other_blocks(
        self, mined: WritePath, proxy: FaultProxy
    ) -> None:
        def change(receipts: Json) -> Json:
            return [each | {"status": "0x0"} if each["blockNumber"] == "0x2" else each for each in receipts]

        proxy.fail("eth_getBlockReceipts", Forged(change), None)
        with pytest.raises(IncompleteBlockError, match="block 2: its receipts"):
            mined.confirm.execute()
        assert self._statuses(mined) == ["mined", "broadcast", "mined"]

    def test_they_hold_up_none_where_one_step_takes_no_more(self, mined: WritePath, proxy: FaultProxy) -> None:
        proxy.fail("eth_getBlockByHash", _of_a_type_to_come(1), None)
        step = ConfirmStep(mined.engine, mined.rpc, step_max=1)
        with pytest.raises(IncompleteBlockError):
            step.execute()
        assert (step.execute(), step.execute(), step.execute()) == (1, 1, 0)
        assert self._statuses(mined) == ["broadcast", "mined", "mined"]


class TestManyAtOnce:
    def test_are_judged_by_block_some_a_step_and_final_is_what_lies_below_the_others(self, path: WritePath) -> None:
        for key in ("one", "two", "three"):
            path.enqueue(key)
            path.broadcast.execute()
            _mirror(path)
        step = ConfirmStep(path.engine, path.rpc, step_max=1)
        for at, statuses in enumerate((["mined", "broadcast", "broadcast"], ["mined", "mined", "broadcast"])):
            assert step.execute() == 1
            assert [path.row(each).status for each in ("one", "two", "three")] == statuses
            with reading(path.engine) as connection:
                assert confirmed_to(connection) == at
        assert (step.execute(), step.execute()) == (1, 0)
        with reading(path.engine) as connection:
            assert confirmed_to(connection) == 3


class TestFailed:
    def test_a_receipt_that_says_so_and_gives_no_root_fails_nothing(self, lied: WritePath, proxy: FaultProxy) -> None:
        lied.enqueue("one")
        lied.broadcast.execute()
        _mirror(lied)
        failed = Forged(lambda receipts: [receipts[0] | {"status": "0x0"}])
        proxy.fail("eth_getBlockReceipts", failed)
        with pytest.raises(IncompleteBlockError, match="receipts do not give its root"):
            lied.confirm.execute()
        assert lied.row("one").status == "broadcast"
        lied.confirm.execute()
        assert lied.row("one").status == "mined"


class TestLost:
    def _look(self, path: WritePath) -> int:
        path.now += 5
        return path.watch.execute()

    def test_one_that_a_block_is_said_not_to_hold_is_found_there(self, lied: WritePath, proxy: FaultProxy) -> None:
        lied.enqueue("one")
        lied.broadcast.execute()
        proxy.fail("eth_getBlockByNumber", listing(_hash(lied, "one"), _STRANGE), None)
        _mirror(lied)
        assert lied.confirm.execute() == 0
        assert self._look(lied) == 0
        lied.confirm.execute()
        assert (lied.row("one").status, lied.row("one").failure) == ("mined", None)

    def test_a_count_without_the_transaction_that_used_the_nonce_loses_nothing(
        self, lied: WritePath, proxy: FaultProxy
    ) -> None:
        lied.enqueue("one")
        lied.rpc.call("evm_mine")
        lied.mirror.run_to_head()
        proxy.fail("eth_getTransactionCount", Forged(lambda _: "0x1"), None)
        assert self._look(lied) == 0
        assert lied.row("one").status == "signed"
        proxy.behave()
        lied.settle()
        assert lied.row("one").status == "mined"

    def test_a_state_that_the_node_no_longer_has_loses_nothing(self, path: WritePath, rpc: RpcClient) -> None:
        class Pruned(RpcClient):
            """A node that answers of the newest block alone."""

            @override
            def call(self, method: str, *params: object) -> Json:
                if method == "eth_getTransactionCount" and int(str(params[1]), 16) < 9:
                    raise NodeError(-32000, "missing trie node")
                return super().call(method, *params)

        path.enqueue("one")
        path.rpc.call("eth_sendRawTransaction", _signed_elsewhere(path, b"\x0f" * 20))
        path.rpc.call("evm_mine")
        rpc.call("anvil_mine", "0x9")
        path.mirror.run_to_head()
        while path.roots.execute():
            pass
        with Pruned(rpc.url) as pruned:
            assert WatchStep(path.engine, pruned, path.outbox, clock=lambda: 5.0).execute() == 0
        assert path.row("one").status == "signed"
        assert WatchStep(path.engine, rpc, path.outbox, clock=lambda: 5.0).execute() == 1
        assert path.row("one").block_number == 1


def _signed_elsewhere(path: WritePath, to: bytes) -> str:
    raw, _ = sign_transaction(path.signers[path.sender], 0, 100_000, to, b"", path.capabilities.chain_id)
    return f"0x{raw.hex()}"


class TestUnverifiedBlocks:
    def test_what_catch_up_wrote_has_no_end_before_its_roots_are_verified(self, path: WritePath) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        path.rpc.call("anvil_mine", "0x20")
        path.mirror.run_to_head()
        assert path.confirm.execute() == 0
        assert path.row("one").status == "broadcast"
        while path.roots.execute():
            pass
        path.confirm.execute()
        assert path.row("one").status == "mined"


class TestBlocksOfOtherKinds:
    def test_every_type_gives_the_root(self, path: WritePath, rpc: RpcClient) -> None:
        sender = {"from": f"0x{_OTHER.hex()}", "to": _STRANGE[:42], "gas": "0x186a0"}
        access = [{"address": _STRANGE[:42], "storageKeys": [_STRANGE]}]
        fees = {"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x0"}
        kinds = [
            {"gasPrice": "0x77359400", "value": "0x1"},
            {"gasPrice": "0x77359400", "accessList": access, "type": "0x1"},
            {**fees, "data": "0x1234"},
            {**fees, "accessList": access, "type": "0x2"},
        ]
        for kind in kinds:
            rpc.call("eth_sendTransaction", sender | kind)
        path.enqueue("one")
        path.settle()
        assert path.row("one").status == "mined"
        block = rpc.call("eth_getBlockByNumber", "0x1", True)  # noqa: FBT003 - JSON-RPC has no names
        assert sorted(int(each["type"], 16) for each in block["transactions"]) == [0, 0, 1, 2, 2]
        signers = {signer_and_nonce(encode_transaction(each)) for each in block["transactions"]}
        assert signers == {(path.sender, 0), *((_OTHER, nonce) for nonce in range(4))}

    def test_a_block_that_the_node_lacks_is_left_out(self, rpc: RpcClient) -> None:
        assert Inclusion(rpc).headers([b"\x77" * 32]) == ({}, [])
        assert Inclusion(rpc).raw_transactions(b"\x77" * 32) is None

    def test_a_type_that_nobody_knows_shows_nothing(self, lied: WritePath, proxy: FaultProxy, rpc: RpcClient) -> None:
        def strange(block: Json) -> Json:
            return block | {"transactions": [each | {"type": "0x7f"} for each in block["transactions"]]}

        _somebodys(rpc)
        rpc.call("evm_mine")
        block = bytes.fromhex(rpc.call("eth_getBlockByNumber", "0x1", False)["hash"][2:])  # noqa: FBT003
        proxy.fail("eth_getBlockByHash", Forged(strange))
        with pytest.raises(IncompleteBlockError, match="type 127"):
            Inclusion(lied.rpc).raw_transactions(block)


class TestLaggingNode:
    def test_a_block_that_it_does_not_have_yet_is_asked_for_again(self, lied: WritePath, proxy: FaultProxy) -> None:
        lied.enqueue("one")
        lied.broadcast.execute()
        _mirror(lied)
        proxy.fail("eth_getBlockByHash", Forged(lambda _: None))
        assert lied.confirm.execute() == 0
        assert ConfirmStep(lied.engine, lied.rpc).execute() == 1
