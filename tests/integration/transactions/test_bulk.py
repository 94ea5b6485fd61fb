# SPDX-License-Identifier: Apache-2.0
"""Many transactions at once: each has its own end, and none takes another with it."""

import pytest
from sqlalchemy import Engine, select

from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.domain.refusals import Refusal
from stoken.errors import ConflictError, FencedError, RefusedError
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.outbox import Enqueued, Outbox, OutboxRow
from stoken.transactions.signer import SignerError
from stoken.transactions.submissions import Submission
from stoken.transactions.tables import outbox as table
from stoken.transactions.tables import senders
from tests.integration.faulty_signer import FaultySigner
from tests.integration.transactions.test_key_gate import MINT, act
from tests.integration.transactions.write_path import SECRET

OTHER = b"\x2b" * 32
TO = b"\x0e" * 20
POISON, FATAL = b"poison", b"fatal!"


def _refuse(_to: bytes, data: bytes) -> None:
    if data == b"a name":
        raise RefusedError(Refusal.PII_ON_CHAIN_FORBIDDEN)


class Bulk:
    """An outbox of keys whose signers fail on marked payloads."""

    def __init__(self, engine: Engine, rpc: RpcClient, *secrets: bytes, gate: KeyGate | None = None) -> None:
        self.engine, self.rpc = engine, rpc
        made = [FaultySigner(each, POISON, FATAL) for each in secrets or (SECRET,)]
        self.signers = {signer.address: signer for signer in made}
        self.outbox = Outbox(self.signers, 20260, check=_refuse, gate=gate)
        self.outbox.take_over(engine, rpc)

    def enqueue(self, *given: tuple[str, bytes] | tuple[str, bytes, str]) -> list[Enqueued]:
        """Enqueue keys with their data, and an owner."""
        made = [Submission(key, TO, data, 100_000, "test", *owner) for key, data, *owner in given]
        with unit_of_work(self.engine) as connection:
            return self.outbox.enqueue_all(connection, made)

    def stored(self) -> list[tuple[str, int]]:
        """Return keys and nonces in the order of their sequence."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(table.c.key, table.c.nonce).order_by(table.c.sequence))
            return [(row.key, row.nonce) for row in rows]

    def next_nonces(self) -> list[int]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(senders.c.next_nonce)).scalars())


@pytest.fixture
def bulk(engine: Engine, rpc: RpcClient) -> Bulk:
    return Bulk(engine, rpc)


def kinds(results: list[Enqueued]) -> list[type]:
    return [type(each) for each in results]


class TestEnqueueAll:
    def test_many_have_their_nonces_in_their_order(self, bulk: Bulk) -> None:
        rows = bulk.enqueue(*((f"number {at}", b"%d" % at) for at in range(250)))
        assert [each.nonce for each in rows if isinstance(each, OutboxRow)] == list(range(250))
        assert bulk.stored() == [(f"number {at}", at) for at in range(250)]
        assert bulk.next_nonces() == [250]

    def test_the_row_is_as_a_reader_finds_it(self, bulk: Bulk) -> None:
        first = bulk.enqueue(("one", b"1"), ("two", b"2"))
        assert bulk.enqueue(("one", b"1"), ("two", b"2"), ("three", b"3"))[:2] == first
        assert bulk.next_nonces() == [3]

    def test_the_same_key_twice_is_one_transaction(self, bulk: Bulk) -> None:
        one, again, other = bulk.enqueue(("one", b"1"), ("one", b"1"), ("one", b"2"))
        assert one is again
        assert isinstance(other, ConflictError)
        assert bulk.stored() == [("one", 0)]

    def test_a_key_used_before_is_a_conflict_alone(self, bulk: Bulk) -> None:
        bulk.enqueue(("one", b"1"))
        assert kinds(bulk.enqueue(("two", b"2"), ("one", b"other"), ("three", b"3"))) == [
            OutboxRow,
            ConflictError,
            OutboxRow,
        ]
        assert bulk.stored() == [("one", 0), ("two", 1), ("three", 2)]

    def test_nothing_at_all_is_no_work(self, bulk: Bulk) -> None:
        assert bulk.enqueue() == []
        assert bulk.next_nonces() == [0]

    def test_an_older_writer_stores_none(self, bulk: Bulk, engine: Engine, rpc: RpcClient) -> None:
        Bulk(engine, rpc)
        with pytest.raises(FencedError):
            bulk.enqueue(("one", b"1"), ("two", b"2"))
        assert bulk.stored() == []


class TestPoison:
    def test_what_may_be_text_fails_alone(self, bulk: Bulk) -> None:
        results = bulk.enqueue(("one", b"1"), ("bad", b"a name"), ("two", b"2"))
        assert kinds(results) == [OutboxRow, RefusedError, OutboxRow]
        assert bulk.stored() == [("one", 0), ("two", 1)]

    def test_what_the_key_policy_forbids_fails_alone(self, engine: Engine, rpc: RpcClient) -> None:
        bulk = Bulk(engine, rpc, gate=KeyGate(20260, TO, founding=b"\x01" * 32))
        results = bulk.enqueue(("one", b""), ("bad", act(MINT)), ("two", b""))
        assert kinds(results) == [OutboxRow, RefusedError, OutboxRow]
        assert bulk.stored() == [("one", 0), ("two", 1)]

    def test_what_the_signer_fails_on_leaves_no_gap(self, bulk: Bulk) -> None:
        results = bulk.enqueue(("one", b"1", "anne"), ("bad", POISON, "bora"), ("two", b"2", "chul"))
        assert kinds(results) == [OutboxRow, SignerError, OutboxRow]
        assert bulk.stored() == [("one", 0), ("two", 1)]
        assert bulk.next_nonces() == [2]
        assert kinds(bulk.enqueue(("three", b"3"))) == [OutboxRow]
        assert bulk.stored()[-1] == ("three", 2)

    def test_nothing_of_the_same_owner_overtakes_it(self, bulk: Bulk) -> None:
        results = bulk.enqueue(
            ("before", b"1", "anne"), ("bad", POISON, "anne"), ("after", b"2", "anne"), ("else", b"3", "bora")
        )
        assert kinds(results) == [OutboxRow, SignerError, SignerError, OutboxRow]
        assert [key for key, _ in bulk.stored()] == ["before", "else"]

    def test_a_signer_that_fails_twice_is_asked_no_more(self, engine: Engine, rpc: RpcClient) -> None:
        bulk = Bulk(engine, rpc)
        owners = [(f"number {at}", FATAL, f"owner {at}") for at in range(10)]
        assert kinds(bulk.enqueue(*owners)) == [SignerError] * 10
        assert [each.asked for each in bulk.signers.values()] == [2]
        assert bulk.next_nonces() == [0]

    def test_other_keys_go_on(self, engine: Engine, rpc: RpcClient) -> None:
        bulk = Bulk(engine, rpc, SECRET, OTHER)
        # These two owners fall to different keys.
        bad = [(f"bad {at}", POISON, "issuer") for at in range(3)]
        results = bulk.enqueue(*bad, ("good", b"1", "bank"))
        assert kinds(results) == [SignerError] * 3 + [OutboxRow]
        assert bulk.stored() == [("good", 0)]
