# SPDX-License-Identifier: Apache-2.0
"""The ledger against the real suite: what it folded from events is what the contracts answer at the same block."""

from sqlalchemy import Engine, select, update

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.db import reading, unit_of_work
from stoken.issuance.calldata import interface
from stoken.ledger import queries, tables
from stoken.ledger.comparison import compare_all, count_rows, heal
from stoken.ledger.digest import digest, rebuild
from stoken.ledger.invariants import invariants
from stoken.ledger.verification import Verification
from stoken.mirror.pinned import PinnedCalls
from tests import consortium
from tests.consortium import BUYER, SELLER
from tests.integration.write_world import ISIN, WriteWorld
from tests.requirements import requirement


def _ask(rpc: RpcClient, block: int, to: bytes, contract: str, function: str, *arguments: object) -> int:
    data = interface(contract).encode(function, *arguments)  # type: ignore[arg-type]
    call = {"to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}
    return int(rpc.call("eth_call", call, hex(block))[:66], 16)


class TestLedgerOfTheRealSuite:
    def test_equals_the_contracts_at_every_block_and_is_rebuilt_from_logs(self, engine: Engine, rpc: RpcClient) -> None:
        world = WriteWorld(engine, rpc)
        world.found_market()
        world.settle(world.trade(10), world.trade(20))
        with reading(engine) as connection:
            last = queries.final_block(connection).number
            first = next(
                block for block in range(last) if queries.register(connection, ISIN.decode(), at_block=block).units
            )
            for block in range(first, last + 1):
                held = dict(queries.register(connection, ISIN.decode(), at_block=block).holdings)
                for account in (SELLER.account, BUYER.account):
                    balance = _ask(rpc, block, world.token, "SecurityToken", "balanceOf", account)
                    assert held.get(account, 0) == balance
            for cash in queries.cash_accounts(connection):
                balance = _ask(rpc, last, world.suite["deposit"], "DepositToken", "balanceOf", cash.account)
                assert cash.balance == balance
            supply = _ask(rpc, last, world.token, "SecurityToken", "totalSupply")
            found = invariants(connection, {world.token: supply})
            assert {item.name for item in found} == {"Q1", "Q2", "Q3", "Q4", "Q5", "Q6"}
            assert all(item.holds for item in found)
            assert connection.execute(select(tables.quarantine)).all() == []
            live = digest(connection)
        with unit_of_work(engine) as connection:
            assert rebuild(connection, world.suite.contracts) == live

    def test_every_row_agrees_with_the_contracts_and_damage_is_named_and_healed(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        world = WriteWorld(engine, rpc)
        world.found_market()
        world.settle(world.trade(10))
        verification = Verification(world.suite.contracts, PinnedCalls(rpc))
        found = compare_all(engine, verification, lambda: 1)
        assert (found.differences, found.new_cases) == ([], 0)
        with reading(engine) as connection:
            assert found.rows == count_rows(connection)
            live = digest(connection)
        with unit_of_work(engine) as connection:
            connection.execute(update(tables.cash_accounts).values(balance=tables.cash_accounts.c.balance + 1))
            connection.execute(update(tables.trades).values(trade_id=tables.trades.c.trade_id + 1))
            connection.execute(update(tables.fills).values(filled=9))
        damaged = compare_all(engine, verification, lambda: 2)
        named = {(item.table, item.field) for item in damaged.differences}
        assert named == {("cash_accounts", "balance"), ("trades", "settled"), ("fills", "filled"), ("invariants", "Q6")}
        assert damaged.new_cases == len(damaged.differences)
        healed = heal(engine, world.suite.contracts, verification, "duty officer", 3)
        assert (healed.after, healed.closed) == (live, damaged.new_cases)
        assert compare_all(engine, verification, lambda: 4).differences == []

    @requirement("NET-03")
    def test_a_key_without_any_coin_registers_accounts_at_a_gas_price_of_zero(
        self, engine: Engine, rpc: RpcClient
    ) -> None:
        world = WriteWorld(engine, rpc)
        world.found_market()
        sender = f"0x{address_of(consortium.SENDER).hex()}"
        registry = f"0x{world.suite['registry'].hex()}"
        numbers = range(int(rpc.call("eth_blockNumber"), 16) + 1)
        blocks = rpc.batch([("eth_getBlockByNumber", (hex(number), True)) for number in numbers])
        sent = [each for block in blocks for each in block["transactions"] if each["from"] == sender]
        assert any(each["to"] == registry for each in sent)
        assert {each["gasPrice"] for each in sent} == {"0x0"}
        assert {rpc.call("eth_getBalance", sender, hex(number)) for number in (0, numbers[-1])} == {"0x0"}
        with reading(engine) as connection:
            assert set(connection.execute(select(tables.accounts.c.account)).scalars()) >= {SELLER.account}
