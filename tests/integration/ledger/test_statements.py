# SPDX-License-Identifier: Apache-2.0
"""Owner statements: exactly the place of the record date, the whole issue, every trust mark; nothing else is one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.errors import RefusedError
from stoken.issuance.calldata import interface
from stoken.ledger import tables
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.signatures import ContractKind
from stoken.ledger.statements import OwnerStatement, owner_statement, record_dates
from stoken.mirror import MinedBlock, store
from stoken.mirror.store import Checkpoint
from tests.integration.compliance.moves import Asked, Moves
from tests.integration.compliance.world import ACCOUNTS, World
from tests.integration.compliance.world import ISIN as ISIN_OF_WORLD
from tests.ledger_events import ISIN, NOBODY, SUITE, TOKEN, Emitted, address, chain, emitted, issue, transfer
from tests.requirements import requirement

_K = ContractKind
_DAY = datetime(2026, 3, 2, 3, tzinfo=UTC)


def declared(number: int, block: int) -> Emitted:
    return emitted(_K.TOKEN, "RecordDateSet", number, block, int(_DAY.timestamp()))


def encumbered(id_: bytes, account: bytes, kind: int, units: int, party: bytes = NOBODY) -> Emitted:
    return emitted(_K.ENCUMBRANCES, "EncumbranceSet", id_, TOKEN, account, kind, units, 0, party, bytes(32))


def history() -> list[MinedBlock]:
    """In block 2 a record date between two moves, and a burn after it; another one in block 3."""
    return chain(
        [
            [issue(), transfer(NOBODY, address(1), 100), encumbered(b"m" * 32, address(1), 3, 40, address(9))],
            [encumbered(b"c" * 32, address(1), 4, 5), encumbered(b"p" * 32, address(1), 2, 7)],
            [
                transfer(address(1), address(2), 30),
                declared(1, 2),
                transfer(address(1), address(3), 10),
                transfer(address(2), NOBODY, 5),
            ],
            [declared(2, 3), emitted(_K.ENCUMBRANCES, "EncumbranceReleased", b"c" * 32)],
            [transfer(address(3), address(2), 10)],
        ]
    )


def apply(engine: Engine, blocks: Sequence[MinedBlock], final: int) -> None:
    with unit_of_work(engine) as connection:
        store.insert_blocks(connection, blocks)
        LedgerProjection(SUITE).apply(connection, blocks, final)
        store.write_checkpoint(connection, Checkpoint(blocks[-1].number, blocks[-1].hash, final))


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    apply(engine, history(), final=4)
    return engine


def units(statement: OwnerStatement) -> dict[bytes, int]:
    return {line.account: line.units for line in statement.lines}


class TestOwnerStatement:
    def test_what_moved_after_it_in_its_own_block_does_not_count(self, ledger: Engine) -> None:
        with reading(ledger) as connection:
            first = owner_statement(connection, ISIN, record_date=1)
            assert (first.record_date, first.block.number, first.supply) == (1, 2, 100)
            assert units(first) == {address(1): 70, address(2): 30}
            second = owner_statement(connection, ISIN)
            assert (second.record_date, second.block.number, second.supply) == (2, 3, 95)
            assert units(second) == {address(1): 60, address(2): 25, address(3): 10}

    @requirement("CA-01")
    def test_the_lines_add_up_to_the_issue_and_show_every_trust_mark(self, ledger: Engine) -> None:
        with reading(ledger) as connection:
            statements = [owner_statement(connection, ISIN, record_date=number) for number in (1, 2)]
        for statement in statements:
            assert sum(units(statement).values()) == statement.supply
        line = statements[0].lines[0]
        assert (line.units, line.trust_marked, line.restricted, line.pledged) == (70, 40, 5, 7)
        assert line.trust_marks == ((b"m" * 32, address(9), 40),)
        assert statements[1].lines[0].restricted == 5, "released after the record date, in its block"
        assert statements[0].lines[1].trust_marks == ()

    def test_a_record_date_is_named_by_id_block_or_day(self, ledger: Engine) -> None:
        with reading(ledger) as connection:
            assert owner_statement(connection, ISIN, at_block=2).record_date == 1
            assert owner_statement(connection, ISIN, at_date=date(2026, 3, 2)).record_date == 2
            assert [each.id for each in record_dates(connection, ISIN)] == [1, 2]

    @requirement("CA-01")
    @pytest.mark.parametrize(
        "named",
        [
            {"record_date": 3},
            {"at_block": 1},
            {"at_date": date(2026, 3, 3)},
            {"record_date": 1, "at_block": 3},
        ],
    )
    def test_where_none_was_declared_there_is_none(self, ledger: Engine, named: dict[str, int | date]) -> None:
        with reading(ledger) as connection, pytest.raises(RefusedError) as caught:
            owner_statement(connection, ISIN, **named)  # type: ignore[arg-type] - by keyword
        assert caught.value.code == "CA_RECORD_DATE_INVALID"

    def test_not_before_its_block_is_final(self, engine: Engine) -> None:
        apply(engine, history(), final=2)
        with reading(engine) as connection:
            assert owner_statement(connection, ISIN, record_date=1).supply == 100
            with pytest.raises(RefusedError) as caught:
                owner_statement(connection, ISIN, record_date=2)
        assert caught.value.code == "LEDGER_NOT_FINAL"

    @requirement("CA-01")
    def test_a_row_changed_behind_the_ledgers_back_is_found(self, ledger: Engine) -> None:
        table = tables.position_changes
        with unit_of_work(ledger) as connection:
            number = select(tables.positions.c.number).where(tables.positions.c.account == address(2))
            row = (table.c.number == number.scalar_subquery()) & (table.c.changed_block == 2)
            assert connection.execute(update(table).where(row).values(balance=26)).rowcount == 1
        with reading(ledger) as connection, pytest.raises(RefusedError) as caught:
            owner_statement(connection, ISIN, record_date=1)
        assert caught.value.code == "RECONCILIATION_BREAK"
        assert caught.value.details["supply"] == "100"
        assert caught.value.details["account"] == "0x" + address(2).hex()


class TestOnChain:
    @requirement("CA-01")
    def test_every_line_is_the_contracts_balance_at_the_record_date(self, rpc: RpcClient, tmp_path: Path) -> None:
        world = World(rpc, tmp_path)
        world.on_token("unpause")
        moves = Moves(world)
        moves.mark("a", 25)
        world.transfer("ab", 30)
        self.in_one_block(world)
        world.transfer("ac", 9)
        world.transfer("ba", 5)
        assert world.on_token("setRecordDate") == "0x1"
        moves.instruct_each(Asked("cb", 4))
        for number in (1, 2):
            with reading(world.engine) as connection:
                statement = owner_statement(connection, ISIN_OF_WORLD, record_date=number)
            stated = units(statement)
            for account in ACCOUNTS.values():
                assert stated.get(account, 0) == world.ask("SecurityToken", world.token, "balanceOfAt", account, number)
            block, time = world.ask("SecurityToken", world.token, "recordDateOf", number)
            assert (statement.block.number, statement.block.time) == (block, time)
            assert statement.supply == world.ask("SecurityToken", world.token, "totalSupply", at=block) == 140
        assert statement.lines[0].trust_marked == 25

    def in_one_block(self, world: World) -> None:
        """A record date, and a move after it in the same block."""
        data = interface("SecurityToken").encode("setRecordDate")
        act = world.desk.act(world.token, data, b"ZZZZ0000000000000307", b"ZZZZ0000000000000113")
        call = interface("Authority").encode("execute", act.statement, act.approvals)
        first = {"from": world.funded, "to": "0x" + world.suite["authority"].hex(), "data": "0x" + call.hex()}
        sent = world.rpc.call("eth_sendTransaction", first | {"gas": hex(8_000_000), "gasPrice": "0x0"})
        assert world.transfer("ab", 11) == "0x1"
        receipt = world.rpc.call("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x1"
        assert int(receipt["blockNumber"], 16) == world.state.block_number, "both in the last block"
