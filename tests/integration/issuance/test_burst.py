# SPDX-License-Identifier: Apache-2.0
"""Ten thousand requests in a burst, nearly all of one tenant: from the inbox to the chain, over a real node."""

import time
import tracemalloc
from statistics import median
from typing import Final

import pytest
from sqlalchemy import Engine, select, text

from stoken.chain.rpc import RpcClient
from stoken.chain.statements import CashEntry
from stoken.chain.suite import Suite
from stoken.db import reading, unit_of_work
from stoken.domain.transaction_states import TransactionStatus
from stoken.issuance.step import IN_FLIGHT_MAX, REQUESTS_MAX, IssuanceStep, request_key
from stoken.parties import inbox
from stoken.parties.requests import CashCreditRequest
from stoken.transactions.broadcast import STEP_MAX
from stoken.transactions.flight import KEY_MAX
from stoken.transactions.tables import outbox
from tests.integration.transactions.write_path import SECRET, WritePath
from tests.ledger_events import SUITE

HOT: Final = "hot"
SMALL: Final = {"bank": 34, "fund": 33, "broker": 33}
BURST: Final = 10_000
#: Rounds of the worker that are played; the small tenants' last transaction is in a block after so many of them.
ROUNDS: Final = 6
SMALL_DONE: Final = 2
#: What a round may hold in memory: two commits' requests and a batch of signed bytes, not the burst.
BYTES_MAX: Final = 5_000_000
_KEYS: Final = (SECRET, b"\x2b" * 32)


class Burst:
    """The write path of a worker, and what each of its rounds did."""

    def __init__(self, engine: Engine, rpc: RpcClient) -> None:
        self.path = WritePath(engine, rpc, *_KEYS)
        self.path.take_over()
        self.engine = engine
        self.step = IssuanceStep(engine, engine, self.path.outbox, Suite(1, b"", 0, SUITE), 10**7)
        self.decided: list[int] = []
        self.sent: list[int] = []
        self.hot_live: list[int] = []

    def receive(self) -> None:
        """Store the burst; the small tenants come last."""
        with unit_of_work(self.engine) as connection:
            for tenant, count in {HOT: BURST - sum(SMALL.values()), **SMALL}.items():
                for at in range(count):
                    body = CashCreditRequest(CashEntry(b"\xca" * 20, 1, at.to_bytes(32), 2**39), bytes(65))
                    inbox.receive(connection, tenant, f"number {at}", body, 0)

    def round(self) -> None:
        """Decide and send while something is due, then let a block come."""
        while done := self.step.execute():
            self.decided.append(done)
        while sent := self.path.broadcast.execute():
            self.sent.append(sent)
        live = [row for row in self.rows().values() if row[4] in {"signed", "broadcast"}]
        self.hot_live.append(sum(row[0] == HOT for row in live))
        self.path.rpc.call("evm_mine")
        self.path.follow()
        self.path.now += 1

    def rows(self) -> dict[bytes, tuple[str, bytes, int, str, str]]:
        """Return by its hash each transaction's owner, sender, nonce, key and status."""
        with reading(self.engine) as connection:
            columns = (outbox.c.hash, *(outbox.c[name] for name in ("owner", "sender", "nonce", "key", "status")))
            return {row[0]: tuple(row[1:]) for row in connection.execute(select(*columns))}

    def on_chain(self) -> list[bytes]:
        """Return the hashes of all transactions, as the node has them in its blocks."""
        head = int(self.path.rpc.call("eth_blockNumber"), 16)
        blocks = [self.path.rpc.call("eth_getBlockByNumber", hex(number), False) for number in range(head + 1)]  # noqa: FBT003
        return [bytes.fromhex(each[2:]) for block in blocks for each in block["transactions"]]


class TestBurst:
    def test_f30_memory_is_bounded_each_key_is_first_in_first_out_and_no_tenant_waits_for_another(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        burst = Burst(engine, rpc)
        burst.receive()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for number in range(1, ROUNDS + 1):
                burst.round()
                if number == SMALL_DONE:
                    small = [row for row in burst.rows().values() if row[0] in SMALL]
                    assert len(small) == sum(SMALL.values())
                    assert {row[4] for row in small} == {TransactionStatus.MINED}
            grown = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert grown < BYTES_MAX
        assert max(burst.hot_live) < IN_FLIGHT_MAX + REQUESTS_MAX
        assert max(burst.decided) <= REQUESTS_MAX
        assert max(burst.sent) <= STEP_MAX <= KEY_MAX
        rows, mined = burst.rows(), burst.on_chain()
        assert len(mined) == len(set(mined)) > IN_FLIGHT_MAX * (ROUNDS - 1)
        for sender in burst.path.signers:
            nonces = [rows[digest][2] for digest in mined if rows[digest][1] == sender]
            assert nonces == list(range(len(nonces)))
        for tenant in (HOT, *SMALL):
            keys = [rows[digest][3] for digest in mined if rows[digest][0] == tenant]
            assert keys == [request_key(tenant, f"number {at}") for at in range(len(keys))]


class TestChoice:
    @pytest.mark.parametrize(("few", "many"), [(2_000, 200_000)])
    def test_to_find_whose_turn_it_is_costs_the_same_however_many_wait(
        self, engine: Engine, rpc: RpcClient, few: int, many: int
    ) -> None:
        burst = Burst(engine, rpc)
        self.wait(engine, 0, few)
        cheap = self.seconds(engine)
        self.wait(engine, few, many)
        assert self.seconds(engine) < 10 * cheap
        assert burst.step.execute() == REQUESTS_MAX // 2 + 1

    def wait(self, engine: Engine, after: int, last: int) -> None:
        """Let requests of one tenant wait up to a sequence, then one of another."""
        table = "market.requests" if engine.dialect.name == "postgresql" else "market_requests"
        body = CashCreditRequest(CashEntry(b"\xca" * 20, 1, bytes(32), 2**39), bytes(65))
        with unit_of_work(engine) as connection:
            first = inbox.receive(connection, f"cold {last}", "only", body, 0) if after else None
            for_each = (
                f"INSERT INTO {table} SELECT n, 'hot', 'number ' || n, kind, body, body_hash, 0 "  # noqa: S608
                f"FROM {table}, (WITH RECURSIVE c(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM c "
                f"WHERE n < :last) SELECT n FROM c) AS numbers WHERE sequence = 1"
            )
            if first is None:
                first = inbox.receive(connection, "hot", "first", body, 0)
            connection.execute(text(for_each), {"first": first.sequence + 1, "last": last})
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"ANALYZE {table}"))

    def seconds(self, engine: Engine) -> float:
        """Return what a look at the inbox takes: who waits, and the next of each."""
        taken = []
        for _ in range(9):
            began = time.perf_counter()
            with reading(engine) as connection:
                for tenant in inbox.last_after(connection, 0):
                    inbox.after(connection, 0, REQUESTS_MAX // 2, tenant)
            taken.append(time.perf_counter() - began)
        return median(taken)
