# SPDX-License-Identifier: Apache-2.0
"""Memory of mirror and ledger over a long chain, and of the states of many holders.

The first must not grow with the blocks that were read.

The node is synthetic, in this process: its headers, blooms and logs have the form of real ones and pass the same
checks, so that a million blocks need no node that could serve them.
"""

import argparse
import gc
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final

import msgspec
from typing_extensions import override

from stoken.chain.rpc import Call, RpcClient
from stoken.db import open_engine, schema
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact
from stoken.drift.shelf import Shelves
from stoken.ledger.feed import decode_facts
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Log, MirrorStep
from stoken.mirror.completeness import LogsBloom
from tests.ledger_events import NOBODY, SUITE, TOKEN, Emitted, address, encode_log, issue, transfer

_EMPTY_BLOOM: Final = "0x" + "00" * 256
_ROOT: Final = "0x" + "00" * 32
_HOLDERS: Final = 10_000
_MIB: Final = 1024
_MEMBER: Final = b"ZZZZ0000000000001665"
#: Blocks above the last one read: near the head the mirror wants receipts, which this node has not.
_ABOVE: Final = 5_000
#: One block in so many has an event.
_EVENT_EVERY: Final = 10


class SyntheticNode(RpcClient):
    """Answers what the mirror asks, for a chain of any length; nothing of it is stored."""

    def __init__(self, blocks: int) -> None:
        """Take the number of the head."""
        super().__init__("http://127.0.0.1:0")
        self._head = blocks
        self._bloom = LogsBloom()

    @override
    def call(self, method: str, *params: Any) -> Any:
        """Answer one call."""
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return [_json(log) for number in range(first, last + 1) for log in _logs(number)]
        if method == "eth_chainId":
            return hex(20_260)
        if method == "eth_getBlockByNumber":
            return self._header(self._head if params[0] == "latest" else int(params[0], 16))
        raise NotImplementedError(method)

    @override
    def batch(self, calls: Iterable[Call]) -> list[Any]:
        """Answer several calls."""
        return [self.call(method, *params) for method, params in calls]

    def _header(self, number: int) -> dict[str, Any]:
        logs = _logs(number)
        return {
            "number": hex(number),
            "hash": _hash(number),
            "parentHash": _hash(number - 1) if number else _ROOT,
            "timestamp": hex(1_500_000_000 + number),
            "logsBloom": f"0x{self._bloom.of(logs):0512x}" if logs else _EMPTY_BLOOM,
            "receiptsRoot": _ROOT,
            "transactions": [_hash(number + 2**32)] if logs else [],
        }


def resident_kib() -> int:
    """Return how much memory of this process is in RAM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("the system does not say how much memory a process has")


def measure(blocks: int, samples: int) -> Iterator[tuple[int, int, float]]:
    """Yield blocks read so far, resident memory in KiB, and blocks a second since the last sample."""
    with tempfile.TemporaryDirectory(prefix="stoken-bench-") as name, SyntheticNode(blocks + _ABOVE) as node:
        engine = open_engine(f"sqlite:///{Path(name, 'stoken.db')}")
        schema.upgrade(engine)
        mirror = MirrorStep(engine, node, [LedgerProjection(SUITE)])
        number, before, started = -1, -1, perf_counter()
        for sample in range(1, samples + 1):
            while number < blocks * sample // samples:
                number = mirror.execute().number
            gc.collect()
            yield number, resident_kib(), (number - before) / (perf_counter() - started)
            before, started = number, perf_counter()
        engine.dispose()


def measure_states(holders: int) -> Iterator[tuple[str, float, float]]:
    """Yield each state of holders with an account, a claim and units: its name, MB a million, and holders a second."""
    shelves = Shelves()
    for name, state in (("drift, in the worker", ChainState(shelves.table)), ("venue, in the gateway", ChainState())):
        gc.collect()
        before, started = resident_kib(), perf_counter()
        for number, first in enumerate(range(0, holders, _HOLDERS)):
            # As from the feed, so that no object is shared by chance.
            told = decode_facts(msgspec.msgpack.encode(_holders(range(first, min(first + _HOLDERS, holders)))))
            state.apply_block(number, bytes(32), number, told)
            del told
            shelves.tidy()
        rate = holders / (perf_counter() - started)
        gc.collect()
        yield name, (resident_kib() - before) * _MIB / holders, rate
    shelves.close()


def _holders(numbers: Iterable[int]) -> list[Fact]:
    found = list[Fact]()
    for number in numbers:
        account, identity = (
            hashlib.sha256(kind + number.to_bytes(8)).digest()[:20] for kind in (b"account", b"identity")
        )
        found += [
            facts.AccountBound(account, _MEMBER, identity, 410, 1, 1),
            facts.ClaimAttested(identity, b"K" * 20, 1, 2_000_000_000),
            facts.Transferred(TOKEN, NOBODY, account, 1_000 + number),
        ]
    return found


def main() -> None:
    """Read the chain, and print memory as it grows, or does not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--blocks", type=int, default=1_000_000, help="length of the chain (default 1000000)")
    parser.add_argument("--holders", type=int, help="instead: memory of the worker's and the venue's state of so many")
    parser.add_argument("--samples", type=int, default=20, help="how often to look (default 20)")
    options = parser.parse_args()
    if options.holders:
        print("| state | MB for a million holders | holders a second |\n|---|---:|---:|")
        for name, megabytes, rate in measure_states(options.holders):
            print(f"| {name} | {megabytes:,.0f} | {rate:,.0f} |", flush=True)
        return
    print("| blocks | resident MiB | blocks a second |\n|---:|---:|---:|")
    sizes = []
    for number, kib, rate in measure(options.blocks, options.samples):
        sizes.append(kib)
        print(f"| {number:,} | {kib / _MIB:,.0f} | {rate:,.0f} |", flush=True)
    half = len(sizes) // 2
    print(f"\ngrowth over the second half: {(sizes[-1] - sizes[half]) / _MIB:,.1f} MiB")


def _logs(number: int) -> list[Log]:
    return [encode_log(event, number, index) for index, event in enumerate(_events(number))]


def _events(number: int) -> list[Emitted]:
    if number == 1:
        return [issue(), *(transfer(NOBODY, address(holder), 1_000_000) for holder in range(_HOLDERS))]
    if number % _EVENT_EVERY:
        return []
    sender, receiver = Random(number).sample(range(_HOLDERS), 2)  # noqa: S311 - the same chain in each run
    return [transfer(address(sender), address(receiver), 1)]


def _json(log: Log) -> dict[str, Any]:
    topics = [f"0x{log.topics[at : at + 32].hex()}" for at in range(0, len(log.topics), 32)]
    return {
        "blockNumber": hex(log.block_number),
        "blockHash": _hash(log.block_number),
        "logIndex": hex(log.log_index),
        "transactionIndex": "0x0",
        "address": f"0x{log.address.hex()}",
        "topics": topics,
        "data": f"0x{log.data.hex()}",
    }


def _hash(number: int) -> str:
    return "0x" + hashlib.sha256(number.to_bytes(8)).hexdigest()


if __name__ == "__main__":
    main()
