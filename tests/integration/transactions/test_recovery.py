# SPDX-License-Identifier: Apache-2.0
"""What keys sent beyond a database is searched on the chain, and only what this program signed is taken in."""

import pytest
from eth_account import Account
from sqlalchemy import Engine

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, load_key
from stoken.chain.transactions import sign_legacy
from stoken.db import unit_of_work
from stoken.errors import FencedError, StartupError
from stoken.transactions import recovered, recovery
from stoken.transactions.recovery import Found
from stoken.transactions.tables import senders
from tests.integration.transactions.write_path import SECRET, WritePath

CHAIN_ID = 20260


def send(rpc: RpcClient, nonce: int, data: bytes = b"") -> bytes:
    """Send as a worker over another database would, and return the hash."""
    raw, digest = sign_legacy(SECRET, nonce, 100_000, b"\x0e" * 20, data, CHAIN_ID)
    rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
    return digest


def found(path: WritePath) -> list[Found]:
    return recovery.search(path.rpc, CHAIN_ID, recovery.gaps(path.engine, path.rpc))


class TestSearch:
    def test_what_no_database_knows_is_read_back_to_the_byte(self, path: WritePath, rpc: RpcClient) -> None:
        path.enqueue("own")
        path.settle()
        sent = []
        for nonce in (1, 2, 3):
            sent.append(send(rpc, nonce, bytes((nonce,))))
            rpc.call("anvil_mine", "0x28")
        (first, *_), taken = (each := found(path)), [one.hash for one in each]
        assert taken == sent
        assert (first.nonce, first.data, first.raw) == (
            1, b"\x01", sign_legacy(SECRET, 1, 100_000, b"\x0e" * 20, b"\x01", CHAIN_ID)[0],
        )  # fmt: skip

    def test_nothing_is_searched_where_the_database_knows_all(self, path: WritePath) -> None:
        path.enqueue("own")
        path.settle()
        assert recovery.gaps(path.engine, path.rpc).wanted == set()
        assert found(path) == []

    def test_what_waits_at_the_node_has_to_be_mined_first(self, path: WritePath, rpc: RpcClient) -> None:
        send(rpc, 0)
        with pytest.raises(StartupError, match="wait at the node"):
            recovery.gaps(path.engine, rpc)
        rpc.call("evm_mine")
        assert len(found(path)) == 1

    def test_what_another_program_signed_is_refused(self, path: WritePath, rpc: RpcClient) -> None:
        gift = {"nonce": 0, "gas": 21_000, "gasPrice": 0, "to": b"\x0e" * 20, "value": 1, "chainId": CHAIN_ID}
        rpc.call("anvil_setBalance", f"0x{path.sender.hex()}", "0x1")
        signed = Account.sign_transaction(gift, SECRET)
        rpc.call("eth_sendRawTransaction", f"0x{signed.raw_transaction.hex()}")
        rpc.call("evm_mine")
        with pytest.raises(StartupError, match=r"nonce 0 of the key 0x.* was used by another program"):
            found(path)

    def test_a_key_that_the_database_never_had_is_searched_from_its_first_nonce(
        self, path: WritePath, rpc: RpcClient
    ) -> None:
        key = load_key(b"\x2b" * 32)
        raw, digest = sign_legacy(key, 0, 100_000, b"\x0e" * 20, b"", CHAIN_ID)
        rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        rpc.call("evm_mine")
        younger = WritePath(path.engine, rpc, SECRET, b"\x2b" * 32)
        with pytest.raises(StartupError, match="has sent 1 transactions, this database knows 0"):
            younger.take_over()
        missing = recovery.gaps(path.engine, rpc, younger.signers)
        taken = recovery.search(rpc, CHAIN_ID, missing)
        with unit_of_work(path.engine) as connection:
            recovery.store(connection, missing, taken)
        younger.take_over()
        assert [(each.sender, each.hash) for each in taken] == [(address_of(key), digest)]

    def test_what_replaced_a_transaction_since_is_found_and_ends_it(self, path: WritePath, rpc: RpcClient) -> None:
        path.enqueue("replaced")
        digest = send(rpc, 0, b"\x05")
        rpc.call("evm_mine")
        missing = recovery.gaps(path.engine, rpc)
        with unit_of_work(path.engine) as connection:
            taken = recovery.store(connection, missing, recovery.search(rpc, CHAIN_ID, missing))
        path.follow()
        assert [each.hash for each in taken] == [digest]
        assert path.row("replaced").status == "replaced"
        assert path.row(recovered.key_of(digest)).status == "mined"

    def test_what_was_sent_after_all_is_left_as_it_is(self, path: WritePath, rpc: RpcClient) -> None:
        rpc.call("eth_sendRawTransaction", f"0x{(path.enqueue('own'), path.raw('own'))[1].hex()}")
        rpc.call("evm_mine")
        missing = recovery.gaps(path.engine, rpc)
        with unit_of_work(path.engine) as connection:
            assert recovery.store(connection, missing, recovery.search(rpc, CHAIN_ID, missing)) == []
        path.follow()
        assert path.row("own").status == "mined"


class TestStore:
    def test_a_worker_that_goes_on_meanwhile_keeps_the_database_as_it_is(self, path: WritePath, rpc: RpcClient) -> None:
        send(rpc, 0)
        rpc.call("evm_mine")
        missing, taken = recovery.gaps(path.engine, rpc), found(path)
        with unit_of_work(path.engine) as connection:
            connection.execute(senders.update().values(next_nonce=1))
        with pytest.raises(FencedError), unit_of_work(path.engine) as connection:
            recovery.store(connection, missing, taken)

    def test_the_same_call_claims_it_and_any_other_takes_the_next_nonce(
        self, path: WritePath, engine: Engine, rpc: RpcClient
    ) -> None:
        digest = send(rpc, 0, b"\x01")
        rpc.call("evm_mine")
        with unit_of_work(engine) as connection:
            recovery.store(connection, recovery.gaps(engine, rpc), found(path))
        path.take_over()
        assert path.enqueue("other", data=b"\x02").nonce == 1
        assert path.enqueue("same", data=b"\x01").hash == digest
        assert path.enqueue("same again", data=b"\x01").nonce == 2
        path.settle()
        assert [path.row(each).status for each in ("same", "other", "same again")] == ["mined"] * 3
