# SPDX-License-Identifier: Apache-2.0
"""A transaction that ends without a block of its own: its nonce is filled on record, and only that makes it final."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth_hash.auto import keccak
from sqlalchemy import Engine, select
from typing_extensions import override

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import complete
from stoken.chain.transactions import sign_legacy
from stoken.db import reading, unit_of_work
from stoken.errors import NotFoundError, TransactionStateError
from stoken.mirror import Finality, MirrorStep
from stoken.transactions import queries
from stoken.transactions.broadcast import REFUSALS_MAX
from stoken.transactions.outbox import Outbox
from stoken.transactions.queries import Transaction
from stoken.transactions.signer import KeystoreSigner
from stoken.transactions.tables import outbox
from stoken.transactions.withdraw import WithdrawStep
from tests.integration.transactions.write_path import SECRET, WritePath


class Varying(KeystoreSigner):
    """Signs with a new random number each time, as tokens do; the keystore's is always the same."""

    @override
    def sign(self, payload: bytes) -> bytes:
        key = ec.derive_private_key(int.from_bytes(SECRET), ec.SECP256K1())
        digest = keccak(payload)
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
        return complete(digest, r.to_bytes(32) + s.to_bytes(32), self.address)


def ask(path: WritePath, key: str, command: str) -> None:
    with unit_of_work(path.engine) as connection:
        queries.ask(connection, key, command, "typed twice")


def versions(path: WritePath, key: str) -> list[Transaction]:
    with reading(path.engine) as connection:
        return queries.find(connection, key)


def refuse(path: WritePath) -> None:
    """Let the node refuse what is due until it is taken at its word."""
    for _ in range(REFUSALS_MAX):
        path.broadcast.execute()
        path.now += 5
    path.withdraw.execute()


class TestUnacceptable:
    def test_it_ends_as_a_recorded_failure_and_frees_those_behind_it(self, path: WritePath) -> None:
        path.enqueue("never", gas=20_000)
        path.enqueue("behind")
        refuse(path)
        path.settle()
        row = path.row("never")
        assert (row.status, row.without_effect) == ("replaced", True)
        assert row.failure is not None
        assert row.failure.error == "Unacceptable"
        assert "intrinsic gas" in str(row.failure.arguments["node"])
        assert path.row("behind").status == "mined"
        assert path.nonce_on_chain() == 2

    def test_it_is_not_over_before_a_block_holds_the_other(self, path: WritePath) -> None:
        path.enqueue("never", gas=20_000)
        refuse(path)
        assert (path.row("never").status, path.row("never").without_effect) == ("replaced", False)

    def test_a_refusal_or_two_may_pass(self, path: WritePath) -> None:
        path.enqueue("never", gas=20_000)
        for _ in range(REFUSALS_MAX - 1):
            path.broadcast.execute()
            path.now += 5
        assert path.withdraw.execute() == 0
        assert path.row("never").status == "broadcast"

    def test_both_hashes_of_the_nonce_are_on_record(self, path: WritePath) -> None:
        path.enqueue("never", gas=20_000)
        refuse(path)
        first, second = versions(path, "never")
        assert (first.version, second.version) == (0, 1)
        assert first.replaced_by == second.hash
        assert second.purpose == "fill"


class TestCancel:
    def test_what_never_left_is_canceled_and_its_nonce_filled(self, path: WritePath) -> None:
        path.enqueue("one")
        path.enqueue("two")
        ask(path, "one", "cancel")
        path.withdraw.execute()
        path.settle()
        row = path.row("one")
        assert (row.status, row.without_effect) == ("canceled", True)
        assert row.failure is not None
        assert (row.failure.error, row.failure.arguments) == ("Canceled", {"note": "typed twice"})
        assert path.row("two").status == "mined"
        assert path.rpc.call("eth_getTransactionReceipt", f"0x{row.hash.hex()}") is None

    def test_what_may_have_left_is_not_canceled(self, path: WritePath) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        with pytest.raises(TransactionStateError, match="the transaction is broadcast"):
            ask(path, "one", "cancel")

    def test_a_byte_that_left_after_the_asking_wins(self, path: WritePath) -> None:
        path.enqueue("one")
        ask(path, "one", "cancel")
        path.broadcast.execute()
        path.withdraw.execute()
        path.settle()
        assert path.row("one").status == "mined"
        assert len(versions(path, "one")) == 1

    def test_an_unknown_transaction_is_not_found(self, path: WritePath) -> None:
        with pytest.raises(NotFoundError):
            ask(path, "none", "cancel")

    def test_a_reorg_takes_the_end_back_and_it_comes_again(self, engine: Engine, rpc: RpcClient) -> None:
        path = WritePath(engine, rpc)
        path.mirror = MirrorStep(engine, rpc, finality=Finality(depth=5))
        path.take_over()
        path.enqueue("one")
        ask(path, "one", "cancel")
        path.withdraw.execute()
        path.settle()
        assert path.row("one").without_effect
        rpc.call("anvil_reorg", 1, [])
        path.follow()
        assert not path.row("one").without_effect
        path.now += 5
        path.settle()
        assert path.row("one").without_effect


class TestReplace:
    def test_an_engine_that_keeps_the_first_does_not_replace(self, path: WritePath) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        ask(path, "one", "replace")
        path.withdraw.execute()
        assert path.row("one").status == "broadcast"
        path.settle()
        assert path.row("one").status == "mined"

    def test_the_one_in_a_block_wins_whichever_it_is(self, path: WritePath) -> None:
        path.enqueue("one")
        path.broadcast.execute()
        ask(path, "one", "replace")
        besu = WithdrawStep(path.engine, path.outbox, path.capabilities_of("besu/v26.8.0"))
        besu.execute()
        first, second = versions(path, "one")
        assert (first.status, second.status) == ("replaced", "signed")
        path.settle()
        first, second = versions(path, "one")
        assert (first.status, first.failure) == ("mined", None)
        assert (second.status, second.block_number) == ("replaced", first.block_number)
        assert second.replaced_by == first.hash
        path.now += 5
        assert path.broadcast.execute() == 0

    def test_what_won_until_a_reorg_and_loses_then_still_says_why(self, engine: Engine, rpc: RpcClient) -> None:
        path = WritePath(engine, rpc)
        path.mirror = MirrorStep(engine, rpc, finality=Finality(depth=5))
        path.take_over()
        path.enqueue("one")
        path.broadcast.execute()
        ask(path, "one", "replace")
        WithdrawStep(path.engine, path.outbox, path.capabilities_of("besu/v26.8.0")).execute()
        asked = path.row("one").failure
        path.settle()
        assert (path.row("one").status, path.row("one").failure) == ("mined", None)
        rpc.call("anvil_reorg", 1, [])
        rpc.call("anvil_dropAllTransactions")
        with reading(engine) as connection:
            raw = connection.execute(select(outbox.c.raw).where(outbox.c.version == 1)).scalar_one()
        rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        rpc.call("evm_mine")
        path.follow()
        path.follow()
        assert (path.row("one").status, path.row("one").failure) == ("replaced", asked)

    def test_what_filled_a_nonce_and_lost_it_fills_it_again_though_a_token_never_signs_the_same(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        path = WritePath(engine, rpc)
        path.mirror = MirrorStep(engine, rpc, finality=Finality(depth=5))
        path.outbox = Outbox({path.sender: Varying(SECRET)}, path.capabilities.chain_id)
        path.take_over()
        path.enqueue("one", gas=21_000)
        path.broadcast.execute()
        besu = WithdrawStep(path.engine, path.outbox, path.capabilities_of("besu/v26.8.0"))
        ask(path, "one", "replace")
        besu.execute()
        path.settle()
        assert path.row("one").status == "mined"
        rpc.call("anvil_reorg", 1, [])
        path.follow()
        ask(path, "one", "replace")
        besu.execute()
        first, second = versions(path, "one")
        assert (first.status, second.status) == ("replaced", "broadcast")


class TestForeignNonce:
    def test_what_another_writer_displaced_ends_as_a_recorded_failure(self, path: WritePath) -> None:
        path.enqueue("one")
        path.enqueue("two")
        raw, _ = sign_legacy(SECRET, 0, 21_000, b"\x01" * 20, b"", path.capabilities.chain_id)
        path.rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        path.rpc.call("evm_mine")
        path.follow()
        assert path.watch.execute() == 1
        row = path.row("one")
        assert row.without_effect
        assert row.failure is not None
        assert row.failure.error == "NonceUsed"
        path.settle()
        assert path.row("two").status == "mined"

    def test_our_own_nonces_are_no_alarm(self, path: WritePath) -> None:
        path.enqueue("one")
        path.settle()
        path.enqueue("two")
        assert path.watch.execute() == 0
        assert path.row("two").status == "signed"
