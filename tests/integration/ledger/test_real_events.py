# SPDX-License-Identifier: Apache-2.0
"""The ledger against the real suite: what it folded from events is what the contracts answer at the same block."""

from sqlalchemy import Engine, select

from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.issuance.calldata import interface
from stoken.ledger import queries, tables
from stoken.ledger.digest import digest, rebuild
from stoken.ledger.invariants import invariants
from tests.consortium import BUYER, SELLER
from tests.integration.write_world import ISIN, WriteWorld


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
