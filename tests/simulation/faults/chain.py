# SPDX-License-Identifier: Apache-2.0
"""A chain in memory: blocks with real receipts, roots and blooms over a toy state that pays every credit it is told.

It refuses no reference that was paid before: what is sent twice is paid twice, and shows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import Any, Final, NamedTuple

import rlp
from coincurve import PublicKey
from eth_hash.auto import keccak

from stoken.mirror import Log
from stoken.mirror.completeness import LogsBloom
from stoken.mirror.receipts import encode_receipt, trie_root
from tests.ledger_events import SUITE, TOKEN, encode_log, issue
from tests.simulation.faults.contract import SETTLEMENT, Settlement, settled_trade, settlements

CHAIN_ID: Final = 20260
BLOCK_SECONDS: Final = 2
GENESIS_TIME: Final = 1_800_000_000
TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
DEPOSIT: Final = SUITE["deposit"]
#: A credit of a multiple of these is reverted always, or refused by the node as it is.
REVERTS: Final = 7
UNACCEPTABLE: Final = 29
_GAS_USED: Final = 40_000
#: Accounts of nobody's that these worlds know.
_SOMEBODY: Final = b"\xac" * 19
_BLOOM: Final = LogsBloom()


class Tx(NamedTuple):
    """A transaction as a node reads it; `ref` is the reference of a credit, `batch` what settles, each empty else."""

    hash: bytes
    raw: bytes
    sender: bytes
    nonce: int
    gas: int
    ref: bytes
    account: bytes
    amount: int
    batch: tuple[Settlement, ...] = ()


class Block(NamedTuple):
    """A block and the state after it."""

    number: int
    hash: bytes
    parent: bytes
    time: int
    txs: tuple[Tx, ...]
    receipts: tuple[dict[str, Any], ...]
    logs: tuple[Log, ...]
    bloom: int
    root: bytes
    nonces: dict[bytes, int]
    balances: Counter[tuple[bytes, bytes]]
    #: How often each reference was paid, and each trade settled.
    effects: Counter[bytes]
    settled: Counter[int]


@lru_cache(maxsize=64)
def read(raw: bytes) -> Tx:
    """Read a raw legacy transaction and recover its sender."""
    nonce, price, gas, to, value, data, v, r, s = rlp.decode(raw)
    chain = CHAIN_ID.to_bytes(2)
    digest = keccak(rlp.encode([nonce, price, gas, to, value, data, chain, b"", b""]))
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes((int.from_bytes(v) - 35 - 2 * CHAIN_ID,))
    public = PublicKey.from_signature_and_message(signature, digest, hasher=None).format(compressed=False)
    batch = settlements(data) if to == SETTLEMENT else ()
    is_credit = bool(data) and not batch
    ref, account, amount = (data[68:100], data[16:36], int.from_bytes(data[36:68])) if is_credit else (b"", b"", 0)
    sender = keccak(public[1:])[12:]
    return Tx(keccak(raw), raw, sender, int.from_bytes(nonce), int.from_bytes(gas), ref, account, amount, batch)


def transfer(contract: bytes, sender: bytes, receiver: bytes, amount: int) -> Log:
    """Return the log of a transfer; its place is filled in by the block."""
    topics = TRANSFER + sender.rjust(32, b"\0") + receiver.rjust(32, b"\0")
    return Log(0, 0, 0, contract, topics, amount.to_bytes(32))


def foreign(random: Random, parent: Block) -> tuple[Tx, list[Log]]:
    """Return somebody else's transaction: units minted, moved or burned."""
    holders = [
        account
        for (contract, account), held in parent.balances.items()
        if contract == TOKEN and held and account[:19] == _SOMEBODY
    ]
    receiver = _SOMEBODY + bytes((random.randrange(4),))
    if holders and random.random() < 0.5:
        sender = random.choice(holders)
        units = random.randrange(1, parent.balances[TOKEN, sender] + 1)
        log = transfer(TOKEN, sender, random.choice((receiver, bytes(20))), units)
    else:
        log = transfer(TOKEN, bytes(20), receiver, random.randrange(1, 100))
    return _somebodys(random.randbytes(32)), [log]


def _somebodys(salt: bytes) -> Tx:
    """Return a transaction that nobody signed: only its bytes and their hash are looked at."""
    raw = rlp.encode([0, 0, _GAS_USED, TOKEN, 0, b"", 27, int.from_bytes(salt), 1])
    return Tx(keccak(raw), raw, b"\xfe" * 20, 0, _GAS_USED, b"", b"", 0)


def genesis(founding: Sequence[Log] = ()) -> Block:
    """Return block 0: it creates the one token, which the ledger follows, and founds a market where there is one."""
    created = encode_log(issue(), 0, 0)
    tx = _somebodys(b"\1" * 32)
    empty = Block(-1, bytes(32), bytes(32), GENESIS_TIME, (), (), (), 0, b"", {}, Counter(), Counter(), Counter())
    return build(empty, [(tx, [created, *founding], True)], b"")


def build(parent: Block, contents: Iterable[tuple[Tx, Sequence[Log], bool]], salt: bytes) -> Block:
    """Return the block that follows with these transactions, their logs, and whether they succeeded."""
    number, state, effects = parent.number + 1, Counter(parent.balances), Counter(parent.effects)
    settled = parent.settled
    nonces, txs, logs, receipts, used = dict(parent.nonces), [], [], [], 0
    for index, (tx, said, succeeded) in enumerate(contents):
        own = [each._replace(block_number=number, transaction_index=index) for each in said] if succeeded else []
        own = [each._replace(log_index=len(logs) + at) for at, each in enumerate(own)]
        apply(state, own)
        trades = [trade for each in own if (trade := settled_trade(each)) is not None]
        settled = settled + Counter(trades) if trades else settled
        effects.update([tx.ref] if tx.ref and succeeded else [])
        nonces[tx.sender] = tx.nonce + 1
        used += _GAS_USED
        receipts.append(_receipt(tx, number, used, own, succeeded))
        txs.append(tx)
        logs += own
    digest = sha256(parent.hash + salt + b"".join(tx.hash for tx in txs) + number.to_bytes(8)).digest()
    for receipt in receipts:
        receipt["logs"] = [_log(each, digest) for each in receipt["logs"]]
    encoded = [
        encode_receipt(each, [log for log in logs if log.transaction_index == at]) for at, each in enumerate(receipts)
    ]
    root = trie_root(encoded)
    return Block(
        number, digest, parent.hash, parent.time + BLOCK_SECONDS, tuple(txs), tuple(receipts), tuple(logs),
        _BLOOM.of(logs), root, nonces, state, effects, settled,
    )  # fmt: skip


def credit(tx: Tx) -> list[Log]:
    """Return what a credit logs."""
    return [transfer(DEPOSIT, bytes(20), tx.account, tx.amount)] if tx.ref else []


def apply(state: Counter[tuple[bytes, bytes]], logs: Iterable[Log]) -> None:
    """Move what logs of transfers say."""
    for log in logs:
        if log.topics[:32] == TRANSFER:
            amount = int.from_bytes(log.data)
            state[log.address, log.topics[44:64]] -= amount
            state[log.address, log.topics[76:96]] += amount
            state[log.address, bytes(20)] = 0


def header(block: Block, gas_limit: int, *, full: bool = False) -> dict[str, Any]:
    """Return a block as a node answers it."""
    return {
        "number": hex(block.number),
        "hash": text(block.hash),
        "parentHash": text(block.parent),
        "timestamp": hex(block.time),
        "logsBloom": hex(block.bloom),
        "receiptsRoot": text(block.root),
        "transactionsRoot": text(_root(tuple(tx.raw for tx in block.txs))),
        "transactions": [_body(tx) if full else text(tx.hash) for tx in block.txs],
        "gasLimit": hex(gas_limit),
    }


def text(value: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return f"0x{value.hex()}"


@lru_cache(maxsize=1024)
def _root(transactions: tuple[bytes, ...]) -> bytes:
    return trie_root(transactions)


def _body(tx: Tx) -> dict[str, Any]:
    nonce, price, gas, to, value, data, *signature = rlp.decode(tx.raw)
    numbers = {"nonce": nonce, "gasPrice": price, "gas": gas, "value": value}
    numbers |= dict(zip(("v", "r", "s"), signature, strict=True))
    fields = {name: hex(int.from_bytes(number)) for name, number in numbers.items()}
    return {"hash": text(tx.hash), "to": text(to) if to else None, "input": text(data), **fields}


def _receipt(tx: Tx, number: int, used: int, logs: Sequence[Log], succeeded: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "transactionHash": text(tx.hash),
        "blockNumber": hex(number),
        "status": hex(succeeded),
        "type": "0x0",
        "gasUsed": hex(min(_GAS_USED, tx.gas - 1)),
        "cumulativeGasUsed": hex(used),
        "logsBloom": f"0x{_BLOOM.of(logs):0512x}",
        "logs": list(logs),
    }


def _log(log: Log, block_hash: bytes) -> dict[str, Any]:
    return {
        "blockNumber": hex(log.block_number),
        "blockHash": text(block_hash),
        "logIndex": hex(log.log_index),
        "transactionIndex": hex(log.transaction_index),
        "address": text(log.address),
        "topics": [text(log.topics[at : at + 32]) for at in range(0, len(log.topics), 32)],
        "data": text(log.data),
    }
