# SPDX-License-Identifier: Apache-2.0
"""Faults of nodes, cursors and logs that the mirror survives: docs/reference/faults.toml names these tests."""

import sqlite3
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Connection, Engine, delete, event, func, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.testing import capture_logs

from stoken.chain.rpc import Json, NodeError, RpcClient
from stoken.db import open_engine, reading, schema, unit_of_work
from stoken.errors import LedgerUnavailableError, StartupError
from stoken.ledger import queries
from stoken.ledger import tables as ledger_tables
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import BlockClock, Finality, MinedBlock, MirrorStep, store, tables
from stoken.mirror.clock import BlockTimeError
from stoken.network.anvil import Anvil
from tests.emitter import install, mine
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, address, encode_log, issue, transfer


def _mirror(engine: Engine, rpc: RpcClient, depth: int = 0) -> MirrorStep:
    return MirrorStep(engine, rpc, [LedgerProjection(SUITE)], Finality(depth=depth))


def _number(engine: Engine) -> int:
    with reading(engine) as connection:
        return store.read_checkpoint(connection).number


def _balances(engine: Engine) -> dict[bytes, int]:
    with reading(engine) as connection:
        return dict(queries.register(connection, ISIN).holdings)


def _history(rpc: RpcClient, blocks: int) -> None:
    """Mine the issue of a token and blocks that each move one unit of it."""
    mine(
        rpc,
        [issue(), transfer(NOBODY, address(1), 100)],
        *([transfer(address(1), address(2), 1)] for _ in range(blocks)),
    )


class _Narrow(RpcClient):
    """A node that takes requests for logs of a few blocks only, and says so in its own way."""

    blocks_max = 1
    refusal: Callable[[], Exception]

    def call(self, method: str, *params: object) -> Json:
        if method == "eth_getLogs":
            wanted = params[0]
            assert isinstance(wanted, dict)
            if int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) >= self.blocks_max:
                raise self.refusal()
        return super().call(method, *params)


class _Lagging(RpcClient):
    """A node that answers an older head, for as long as it is told to."""

    head: int | None = None

    def batch(self, calls: object) -> list[Json]:
        listed = list(calls)  # type: ignore[call-overload]
        if self.head is not None:
            listed = [(name, (hex(self.head), False) if args[:1] == ("latest",) else args) for name, args in listed]
        return super().batch(listed)


class TestLimitsOfNodes:
    @pytest.mark.parametrize("blocks_max", [1, 3])
    @pytest.mark.parametrize(
        "refusal",
        [
            lambda: NodeError(-32005, "Requested range exceeds maximum range limit"),
            lambda: NodeError(-32602, "block range is too wide"),
        ],
    )
    def test_a_range_the_node_refuses_is_halved_until_it_answers(
        self, engine: Engine, rpc: RpcClient, node: Anvil, blocks_max: int, refusal: Callable[[], Exception]
    ) -> None:
        _history(rpc, 40)
        with _Narrow(node.url) as narrow:
            narrow.blocks_max, narrow.refusal = blocks_max, refusal
            assert _mirror(engine, narrow).run_to_head().number == 41
        assert _balances(engine) == {address(1): 60, address(2): 40}

    def test_a_refusal_of_a_single_block_is_an_error(self, engine: Engine, rpc: RpcClient, node: Anvil) -> None:
        _history(rpc, 40)
        with _Narrow(node.url) as narrow:
            narrow.blocks_max, narrow.refusal = 0, lambda: NodeError(-32005, "limit exceeded")
            with pytest.raises(LedgerUnavailableError, match="limit exceeded"):
                _mirror(engine, narrow).run_to_head()


class TestLaggingNode:
    def test_an_older_head_never_moves_the_cursor_back(self, engine: Engine, rpc: RpcClient, node: Anvil) -> None:
        _history(rpc, 6)
        with _Lagging(node.url) as lagging:
            mirror = _mirror(engine, lagging)
            mirror.run_to_head()
            for head in (5, 2, 0):
                lagging.head = head
                step = mirror.execute()
                assert (step.number, step.unwound, step.blocks) == (7, 0, 0)
            lagging.head = None
            mine(rpc, [transfer(address(1), address(2), 1)])
            assert mirror.run_to_head().number == 8

    def test_at_the_start_a_node_behind_the_final_block_is_refused(
        self, engine: Engine, rpc: RpcClient, node: Anvil
    ) -> None:
        _history(rpc, 6)
        _mirror(engine, rpc).run_to_head()
        with _Lagging(node.url) as lagging:
            lagging.head = 5
            with pytest.raises(StartupError, match="final block 7, the node ends at 5"):
                _mirror(engine, lagging).execute()


class TestDamagedCursor:
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (update(tables.checkpoint).values(number=3), "cursor is at block 3, its last block is 7"),
            (update(tables.checkpoint).values(number=9), "cursor is at block 9, its last block is 7"),
            (update(tables.checkpoint).values(final_number=8), "damaged"),
            (update(tables.checkpoint).values(hash=b"\x01" * 32), "another hash than its block 7"),
            (delete(tables.checkpoint), "cursor is at block -1, its last block is 7"),
        ],
    )
    def test_start_is_refused(self, engine: Engine, rpc: RpcClient, damage: object, message: str) -> None:
        _history(rpc, 6)
        _mirror(engine, rpc).run_to_head()
        with unit_of_work(engine) as connection:
            connection.execute(damage)  # type: ignore[call-overload]
        with pytest.raises(StartupError, match=message):
            _mirror(engine, rpc).execute()

    def test_a_chain_of_another_genesis_is_refused(self, engine: Engine, rpc: RpcClient) -> None:
        _history(rpc, 1)
        _mirror(engine, rpc).run_to_head()
        with Anvil(block_seconds=None) as other, RpcClient(other.url) as stranger:
            mirror = _mirror(engine, stranger)
            with pytest.raises(StartupError, match="another chain"):
                mirror.execute()
        assert _number(engine) == 2


class TestHostileLogs:
    def emit(self, rpc: RpcClient, emitter: bytes, topics: bytes, data: bytes) -> None:
        sender = rpc.call("eth_accounts")[0]
        body = bytes([len(topics) // 32]) + topics + data
        sent = {"from": sender, "to": f"0x{emitter.hex()}", "data": f"0x{body.hex()}", "gas": hex(29_000_000)}
        rpc.call("eth_sendTransaction", sent | {"gasPrice": "0x0"})
        rpc.call("evm_mine")

    @pytest.mark.parametrize(
        ("topics", "data"),
        [
            (3, b""),
            (3, bytes(31)),
            (3, b"\xff" * 32),
            (3, bytes(64)),
            (2, bytes(32)),
            (3, bytes(200_000)),
        ],
    )
    def test_a_malformed_or_huge_log_is_quarantined_with_an_alarm_and_the_cursor_moves(
        self, engine: Engine, rpc: RpcClient, topics: int, data: bytes
    ) -> None:
        mine(rpc, [issue(), transfer(NOBODY, address(1), 100)])
        form = encode_log(transfer(address(1), address(2), 1), 0, 0)
        self.emit(rpc, TOKEN, form.topics[: 32 * topics], data)
        mine(rpc, [transfer(address(1), address(2), 5)])
        with capture_logs() as logs:
            assert _mirror(engine, rpc).run_to_head().number == 3
        assert [line["log_level"] for line in logs if line["event"] == "log_quarantined"] == ["error"]
        with reading(engine) as connection:
            (row,) = connection.execute(select(ledger_tables.quarantine))
        assert (row.block_number, row.log_index, row.address) == (2, 0, TOKEN)
        assert _balances(engine) == {address(1): 95, address(2): 5}

    def test_a_log_spoofed_by_another_contract_changes_nothing(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, [issue(), transfer(NOBODY, address(1), 100)])
        stranger = b"\x66" * 20
        install(rpc, [stranger])
        for spoofed in (transfer(address(1), address(6), 50), issue("ZZSPOOFED012")):
            form = encode_log(spoofed, 0, 0)
            self.emit(rpc, stranger, form.topics, form.data)
        assert _mirror(engine, rpc).run_to_head().number == 3
        assert _balances(engine) == {address(1): 100}
        with reading(engine) as connection:
            assert [item.isin for item in queries.instruments(connection)] == [ISIN]
            assert connection.execute(select(ledger_tables.quarantine)).all() == []


class TestTime:
    def test_a_block_from_the_future_waits_for_utc(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, [issue()])
        block = rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC
        now = [int(block["timestamp"], 16) - 31]
        clock = BlockClock(lambda: now[0] * 1_000_000_000, 30)
        mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)], clock=clock)
        with pytest.raises(BlockTimeError, match="31 s ahead"):
            mirror.run_to_head()
        assert _number(engine) < 1
        now[0] += 1
        assert mirror.run_to_head().number == 1


class TestPauses:
    def test_an_idle_chain_is_no_error_and_changes_nothing(self, engine: Engine, rpc: RpcClient) -> None:
        _history(rpc, 2)
        mirror = _mirror(engine, rpc)
        mirror.run_to_head()
        with capture_logs() as logs:
            steps = [mirror.execute() for _ in range(5)]
        assert {(step.number, step.blocks, step.caught_up) for step in steps} == {(3, 0, True)}
        assert logs == []


class TestForks:
    def test_transactions_of_every_type_still_hash_to_the_root(self, engine: Engine, rpc: RpcClient) -> None:
        mine(rpc, [issue()])
        sender = rpc.call("eth_accounts")[0]
        sent = {"from": sender, "to": sender, "gas": "0x7530"}
        access = [{"address": f"0x{TOKEN.hex()}", "storageKeys": []}]
        for fee in (
            {"gasPrice": "0x0"},
            {"gasPrice": "0x0", "accessList": access},
            {"maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0"},
        ):
            rpc.call("eth_sendTransaction", sent | fee)
        rpc.call("evm_mine")
        receipts = rpc.call("eth_getBlockReceipts", "latest")
        assert [receipt["type"] for receipt in receipts] == ["0x0", "0x1", "0x2"]
        assert _mirror(engine, rpc).run_to_head().number == 2

    def test_fields_that_a_fork_adds_to_headers_and_logs_are_passed_over(
        self, engine: Engine, rpc: RpcClient, node: Anvil
    ) -> None:
        _history(rpc, 12)
        with _Newer(node.url) as newer:
            assert _mirror(engine, newer).run_to_head().number == 13
        assert _balances(engine) == {address(1): 88, address(2): 12}


class _Newer(RpcClient):
    """A node after a fork: its headers and logs have fields that nobody here knows."""

    def call(self, method: str, *params: object) -> Json:
        answer = super().call(method, *params)
        return [log | {"blockTimestamp": "0x1"} for log in answer] if method == "eth_getLogs" else answer

    def batch(self, calls: object) -> list[Json]:
        added = {"withdrawalsRoot": "0x" + "00" * 32, "requestsHash": None, "extraData": "0x" + "00" * 512}
        return [item | added if isinstance(item, dict) else item for item in super().batch(calls)]  # type: ignore[arg-type]


class _Cut:
    """A projection that loses its database in the middle of the first commit."""

    def __init__(self) -> None:
        self.cuts = 1

    def apply(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:
        del blocks, final_number
        if self.cuts:
            self.cuts -= 1
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            else:
                connection.connection.driver_connection.close()  # type: ignore[union-attr]
                connection.execute(text("SELECT 1"))

    def unwind(self, connection: Connection, to_block: int) -> None:
        del connection, to_block
        raise AssertionError


class TestDatabase:
    def test_one_that_is_cut_off_in_a_commit_leaves_no_part_of_it(self, engine: Engine, rpc: RpcClient) -> None:
        _history(rpc, 30)
        mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE), _Cut()])
        with pytest.raises(DBAPIError):
            mirror.execute()
        assert _number(engine) == -1
        assert mirror.run_to_head().number == 31
        assert _balances(engine) == {address(1): 70, address(2): 30}

    def test_a_full_disk_leaves_no_part_of_a_block(
        self, tmp_path_factory: pytest.TempPathFactory, rpc: RpcClient
    ) -> None:
        # SQLite's own limit of pages stands for the disk: it fails in the middle of a write, as a disk does.
        url = f"sqlite:///{tmp_path_factory.mktemp('disk')}/stoken.db"
        engine, limited = open_engine(url), open_engine(url)
        schema.upgrade(engine)
        _history(rpc, 60)
        _mirror(engine, rpc).run_to_head(20)
        with reading(engine) as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        event.listen(limited, "connect", lambda driver, _: driver.execute(f"PRAGMA max_page_count={pages}"))
        with pytest.raises((OperationalError, sqlite3.OperationalError), match="full"):
            _mirror(limited, rpc).run_to_head()
        with reading(engine) as connection:
            last = connection.execute(select(func.max(tables.blocks.c.number))).scalar_one()
            assert store.check_cursor(connection).number == last < 61
        assert _mirror(engine, rpc).run_to_head().number == 61
        assert _balances(engine) == {address(1): 40, address(2): 60}
        limited.dispose()
        engine.dispose()
