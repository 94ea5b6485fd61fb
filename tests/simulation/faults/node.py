# SPDX-License-Identifier: Apache-2.0
"""Nodes over that chain, spoken to as any node is: JSON-RPC as bytes, with faults."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import httpx
import msgspec

from stoken.mirror import Log
from tests.simulation.faults import chain, contract
from tests.simulation.faults.chain import Block, Tx, text

Json = Any
GAS_LIMIT: Final = 30_000_000
_BLOCK_TXS_MAX: Final = 6


def _nothing() -> None:
    """Let nothing happen."""


class _Answer(Exception):  # noqa: N818 - it is one
    """An error object as the answer."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({"data": data} if data else {})}


class Node:
    """One node, and the network behind it: what a client sees passes its faults."""

    def __init__(self, random: Random, *, besu: bool, pool_max: int, founding: Sequence[Log] = ()) -> None:
        self._random = random
        self.besu = besu
        self._pool_max = pool_max
        self.blocks: list[Block] = [chain.genesis(founding)]
        self.by_hash: dict[bytes, Block] = {self.blocks[0].hash: self.blocks[0]}
        #: What it shows while it is parted from the network: a branch of its own.
        self.branch: list[Block] | None = None
        self.pool: dict[tuple[bytes, int], Tx] = {}
        #: Every raw transaction that ever arrived, whatever was answered.
        self.arrived: dict[bytes, Tx] = {}
        #: Blocks by which the node lags behind the network, and how likely each fault is.
        self.lag = 0
        self.faults: dict[str, float] = {}
        self.met: Counter[str] = Counter()
        #: Called amid requests, so that the chain moves while it is read.
        self.between = _nothing

    # --- the network ----------------------------------------------------------------------------------------------

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def mine(self) -> None:
        """Add a block with some of what waits and something of somebody else's."""
        self._append(self._contents(self.head))

    def reorg(self, depth: int) -> None:
        """Replace the last blocks by a longer branch: their transactions come again, fail, or are forgotten."""
        depth = min(depth, len(self.blocks) - 1)
        if not depth:
            return
        dropped = [tx for block in self.blocks[-depth:] for tx in block.txs if tx.sender != b"\xfe" * 20]
        del self.blocks[-depth:]
        for tx in dropped:
            if self._random.random() < 0.7:
                self.pool.setdefault((tx.sender, tx.nonce), tx)
        for _ in range(depth + 1):
            self.mine()

    def lose_pool(self) -> None:
        """Restart with an empty pool."""
        self.pool.clear()

    def part(self, depth: int, blocks: int, *, known: bool) -> None:
        """Go on alone from so far below the head; `known` where a mirror may follow it, to come back later."""
        self.branch = self.blocks[: len(self.blocks) - min(depth, len(self.blocks) - 1)]
        for _ in range(blocks):
            block = chain.build(self.branch[-1], self._contents(self.branch[-1]), self._random.randbytes(4))
            self.branch.append(block)
            if known:
                self.by_hash[block.hash] = block

    def _contents(self, parent: Block) -> list[Any]:
        contents: list[Any] = []
        if self._random.random() < 0.5:
            contents.append((*chain.foreign(self._random, parent), True))
        nonces = dict(parent.nonces)
        for (sender, nonce), tx in sorted(self.pool.items()):
            if nonce != nonces.get(sender, 0) or len(contents) >= _BLOCK_TXS_MAX or self._random.random() < 0.1:
                continue
            nonces[sender] = nonce + 1
            fails = self._reverts(tx)
            contents.append((tx, chain.credit(tx), not fails))
            if tx.batch and not fails:
                contents[-1] = (tx, self._settle(tx, parent, contents), True)
        return contents

    def _reverts(self, tx: Tx) -> bool:
        always = contract.reverts(tx.batch) if tx.batch else tx.amount % chain.REVERTS == 0
        return bool(tx.ref or tx.batch) and (always or self._random.random() < self.faults.get("fail", 0))

    def _settle(self, tx: Tx, parent: Block, before: list[Any]) -> list[Log]:
        """Return what a batch logs after what a block holds before it; each trade may fail alone."""
        balances = Counter(parent.balances)
        for _, logs, succeeded in before:
            chain.apply(balances, logs if succeeded else ())
        time = parent.time + chain.BLOCK_SECONDS
        return contract.settle(tx.batch, balances, time, lambda: self._random.random() < self.faults.get("trade", 0))

    def _append(self, contents: list[Any]) -> None:
        block = chain.build(self.head, contents, self._random.randbytes(4))
        self.blocks.append(block)
        self.by_hash[block.hash] = block
        for key in [key for key, tx in self.pool.items() if tx.nonce < block.nonces.get(tx.sender, 0)]:
            del self.pool[key]

    # --- the client's side ----------------------------------------------------------------------------------------

    def exchange(self, content: bytes) -> tuple[int, bytes]:
        """Answer a request with a status and a body, or raise what the HTTP library would."""
        if self._strikes("drop"):
            raise httpx.ConnectError("refused")
        if self._strikes("busy"):
            return self._random.choice((429, 503)), b"busy"
        body = msgspec.json.decode(content)
        answer = [self._one(call) for call in body] if isinstance(body, list) else self._one(body)
        if self._strikes("cut"):
            raise httpx.ReadTimeout("cut after accept")
        return 200, msgspec.json.encode(answer)

    def _strikes(self, fault: str) -> bool:
        struck = self._random.random() < self.faults.get(fault, 0)
        self.met[fault] += struck
        return struck

    def _one(self, call: Json) -> Json:
        self.between()
        method = getattr(self, call["method"], None)
        if method is None:
            missing = f"the method {call['method']} does not exist/is not available"
            return {"id": call["id"], "error": {"code": -32601, "message": missing}}
        try:
            return {"id": call["id"], "result": method(*call["params"])}
        except _Answer as error:
            return {"id": call["id"], "error": error.error}

    @property
    def _shown(self) -> list[Block]:
        return self.blocks if self.branch is None else self.branch

    def _at(self, tag: str) -> Block | None:
        blocks = self._shown
        seen = max(0, len(blocks) - 1 - self.lag)
        number = seen if tag in {"latest", "pending"} else int(tag, 16)
        return blocks[number] if number <= seen else None

    def eth_chainId(self) -> str:  # noqa: N802 - the methods' own names
        return hex(chain.CHAIN_ID)

    def eth_blockNumber(self) -> str:  # noqa: N802
        return hex(len(self._shown) - 1)

    def web3_clientVersion(self) -> str:  # noqa: N802
        return "besu/v26.8.0" if self.besu else "Geth/v1.13.15"

    def eth_getBlockByNumber(self, tag: str, _full: bool) -> Json:  # noqa: FBT001, N802
        block = self._at(tag)
        if block is None:
            return None
        answer = chain.header(block, GAS_LIMIT)
        if block.number and self._strikes("forged_parent"):
            answer["parentHash"] = text(self._random.randbytes(32))
        return answer

    def eth_getBlockByHash(self, digest: str, full: bool) -> Json:  # noqa: FBT001, N802
        block = self.by_hash.get(bytes.fromhex(digest[2:]))
        if block is None or block.number > len(self._shown) - 1 - self.lag:
            return None
        return chain.header(block, GAS_LIMIT, full=full)

    def eth_getBlockReceipts(self, tag: str) -> Json:  # noqa: N802
        block = self._at(tag)
        return None if block is None else [self._receipt(receipt) for receipt in block.receipts]

    def eth_getTransactionReceipt(self, digest: str) -> Json:  # noqa: N802
        for block in reversed(self._shown[: len(self._shown) - self.lag]):
            for receipt in block.receipts:
                if receipt["transactionHash"] == digest:
                    return receipt
        return None

    def _receipt(self, receipt: Json) -> Json:
        if receipt["logs"] and self._strikes("forged_amount"):
            forged = {**receipt["logs"][0], "data": text((1).to_bytes(32))}
            return {**receipt, "logs": [forged, *receipt["logs"][1:]]}
        return receipt

    def eth_getLogs(self, where: Json) -> Json:  # noqa: N802
        blocks = self._shown[int(where["fromBlock"], 16) : int(where["toBlock"], 16) + 1]
        logs = [log for block in blocks for receipt in block.receipts for log in receipt["logs"]]
        if logs and self._strikes("missing_log"):
            del logs[self._random.randrange(len(logs))]
        return logs

    def eth_getTransactionCount(self, address: str, tag: str) -> Json:  # noqa: N802
        block = self._at(tag)
        if block is None:
            return None
        sender = bytes.fromhex(address[2:])
        count = block.nonces.get(sender, 0)
        while tag == "pending" and (sender, count) in self.pool:
            count += 1
        return hex(count)

    def eth_call(self, _call: Json, _tag: str) -> Json:
        raise _Answer(3, "execution reverted", "0x")

    def eth_sendRawTransaction(self, raw: str) -> str:  # noqa: N802
        tx = chain.read(bytes.fromhex(raw[2:]))
        self.arrived[tx.hash] = tx
        held = self.pool.get((tx.sender, tx.nonce))
        if held is not None and held.hash == tx.hash:
            raise _Answer(-32000, "Known transaction" if self.besu else "already known")
        if tx.nonce < self.head.nonces.get(tx.sender, 0):
            raise _Answer(-32001, "Nonce too low")
        if (tx.ref and tx.amount % chain.UNACCEPTABLE == 0) or contract.is_unacceptable(tx.batch):
            raise _Answer(-32000, "oversized data: transaction size 132203, limit 131072")
        if held is not None and not self.besu:
            raise _Answer(-32000, "replacement transaction underpriced")
        if held is None and len(self.pool) >= self._pool_max and not self._evict(tx):
            raise _Answer(-32000, "txpool is full")
        self.pool[tx.sender, tx.nonce] = tx
        return text(tx.hash)

    def _evict(self, tx: Tx) -> bool:
        """Drop a transaction that no block can hold yet, for one that the next may; False where there is none."""
        gapped = [
            key for key in self.pool if any((key[0], at) not in self.pool for at in range(self._next(key[0]), key[1]))
        ]
        if not gapped or self._next(tx.sender) != tx.nonce:
            return False
        self.met["evicted"] += 1
        del self.pool[max(gapped, key=lambda key: key[1])]
        return True

    def _next(self, sender: bytes) -> int:
        return self.head.nonces.get(sender, 0)


class SecondNode:
    """Another node of the network, asked for hashes only: at times silent, at times left behind on an old branch."""

    def __init__(self, first: Node) -> None:
        self._first = first
        self.silent = False
        self._left: list[Block] | None = None

    def leave(self) -> None:
        """Learn of no block from now on."""
        self._left = list(self._first.blocks)

    def heal(self) -> None:
        """Answer again, as the network is."""
        self.silent, self._left = False, None

    def exchange(self, content: bytes) -> tuple[int, bytes]:
        """Answer a request with a status and a body, or raise what the HTTP library would."""
        if self.silent:
            raise httpx.ConnectTimeout("half-open")
        call = msgspec.json.decode(content)
        blocks = self._first.blocks if self._left is None else self._left
        number = int(call["params"][0], 16)
        block = chain.header(blocks[number], GAS_LIMIT) if number < len(blocks) else None
        return 200, msgspec.json.encode({"id": call["id"], "result": block})
