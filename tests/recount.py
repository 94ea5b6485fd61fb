# SPDX-License-Identifier: Apache-2.0
"""Counts again what must hold after any fault: mirror, outbox and register against the node, one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, select

from stoken.chain.rpc import RpcClient
from stoken.db import reading
from stoken.ledger import queries
from stoken.mirror import store
from stoken.mirror import tables as mirror
from stoken.transactions.tables import outbox
from tests.e2e.bare_node import BareNode
from tests.ledger_events import ISIN, TOKEN

Json = Any
_ENDED = ("mined", "failed")


def recount(engine: Engine, rpc: RpcClient) -> None:
    """Check I1, I2 and I3 of a mirror that stands at the node's head."""
    mirror_is_the_chain(engine, rpc)
    each_transaction_has_one_effect(engine, rpc)
    no_nonce_carries_two_hashes(engine, rpc)


def mirror_is_the_chain(engine: Engine, rpc: RpcClient) -> None:
    """I2: every mirrored block has the hash, the transactions and the logs that the node has there."""
    with reading(engine) as connection:
        at = store.read_checkpoint(connection)
        mirrored = {block.number: block for block in store.read_blocks(connection, 0, at.number)}
        transactions = _transactions(connection)
    assert sorted(mirrored) == list(range(at.number + 1))
    for number, block in zip(mirrored, _blocks(rpc, list(mirrored)), strict=True):
        assert mirrored[number].hash.hex() == block["hash"][2:]
        assert transactions.get(number, []) == [item["hash"] for item in block["transactions"]]
        logs = rpc.call("eth_getLogs", {"blockHash": block["hash"]}) if block["transactions"] else []
        assert [_log(log) for log in logs] == [
            (log.address, log.topics, log.data, log.log_index) for log in mirrored[number].logs
        ]
    assert mirrored[at.number].hash == at.hash


def each_transaction_has_one_effect(engine: Engine, rpc: RpcClient) -> None:
    """I1: what the outbox calls mined or failed ended so, in that block; what it calls pending is in none."""
    with reading(engine) as connection:
        rows = connection.execute(select(outbox)).all()
    receipts = rpc.batch([("eth_getTransactionReceipt", (f"0x{row.hash.hex()}",)) for row in rows])
    for row, receipt in zip(rows, receipts, strict=True):
        assert (receipt is not None) == (row.status in _ENDED), (row.key, row.status)
        if receipt is not None:
            assert int(receipt["blockNumber"], 16) == row.block_number, row.key
            assert receipt["status"] == ("0x1" if row.status == "mined" else "0x0"), row.key
            assert (row.failure is not None) == (row.status == "failed")
    assert all(count == 1 for count in Counter(row.key for row in rows).values())


def no_nonce_carries_two_hashes(engine: Engine, rpc: RpcClient) -> None:
    """I3: for each of our nonces the outbox knows one hash, and the chain holds no other."""
    with reading(engine) as connection:
        rows = connection.execute(select(outbox.c.sender, outbox.c.nonce, outbox.c.hash)).all()
        head = store.read_checkpoint(connection).number
    signed = {(f"0x{row.sender.hex()}", row.nonce): f"0x{row.hash.hex()}" for row in rows}
    assert len(signed) == len(rows)
    senders = {sender for sender, _ in signed}
    for block in _blocks(rpc, range(head + 1)):
        for item in block["transactions"]:
            if item["from"] in senders:
                assert signed[item["from"], int(item["nonce"], 16)] == item["hash"]


def register_is_the_chains(engine: Engine, url: str) -> None:
    """I2 and I4 for the ledger: what is final in the register is what the token's transfers add up to, bare."""
    with reading(engine) as connection:
        register = queries.register(connection, ISIN)
    held = {f"0x{holder.hex()}": units for holder, units in register.holdings}
    assert held == BareNode(url).balances(f"0x{TOKEN.hex()}", register.block.number)


def _transactions(connection: Connection) -> Mapping[int, list[str]]:
    columns = mirror.transactions.c
    found: dict[int, list[str]] = {}
    for row in connection.execute(
        select(mirror.transactions).order_by(columns.block_number, columns.transaction_index)
    ):
        found.setdefault(row.block_number, []).append(f"0x{row.hash.hex()}")
    return found


def _blocks(rpc: RpcClient, numbers: Sequence[int]) -> list[Json]:
    return rpc.batch([("eth_getBlockByNumber", (hex(number), True)) for number in numbers])


def _log(log: Json) -> tuple[bytes, bytes, bytes, int]:
    address, data = bytes.fromhex(log["address"][2:]), bytes.fromhex(log["data"][2:])
    topics = b"".join(bytes.fromhex(topic[2:]) for topic in log["topics"])
    return (address, topics, data, int(log["logIndex"], 16))
