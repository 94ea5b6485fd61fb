# SPDX-License-Identifier: Apache-2.0
"""Names every read and write of storage in a transaction, with its gas, by JSON-RPC and the reference pages.

    python examples/trace_transfer.py --rpc http://127.0.0.1:8545 TRANSACTION

The node must answer debug_traceTransaction (geth, Besu, and anvil with --steps-tracing). Names and slots come from
docs/reference/contracts; a slot of a mapping is recognised by what was hashed to it.
"""

import argparse
import json
import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from eth_hash.auto import keccak

REFERENCE = Path(__file__).resolve().parent.parent / "docs/reference/contracts"
IMPLEMENTATION = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
NAMESPACE = re.compile(r"^Namespace `[\w.]+\.(\w+)`, from slot `(0x\w+)`:\n\n((?:\|.*\n?)+)", re.MULTILINE)
MEMBER = re.compile(r"^\| `(\w+)` \| (\d+)", re.MULTILINE)
WORD = 32
SHORT = 8
TIMEOUT_SECONDS = 30


class Access(NamedTuple):
    """A read or write of one slot."""

    operation: str
    name: str
    cold: bool
    gas: int


def call(url: str, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
    """Return a method's result, or end the program with the node's error."""
    if not url.startswith(("http://", "https://")):
        raise SystemExit(f"not a node's URL: {url}")
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
            content = json.load(answer)
    except OSError as error:
        raise SystemExit(f"the node at {url} does not answer: {error}") from error
    if content.get("error") or content["result"] is None:
        raise SystemExit(f"{method}: {content.get('error', 'unknown transaction')}")
    return content["result"]


def layout() -> dict[int, str]:
    """Return the name of each slot that the reference pages give, members of one slot together."""
    names: dict[int, list[str]] = {IMPLEMENTATION: ["ERC-1967 implementation"]}
    for page in sorted(REFERENCE.glob("*.md")):
        for contract, first, members in NAMESPACE.findall(page.read_text()):
            for member, slot in MEMBER.findall(members):
                held = names.setdefault(int(first, 16) + int(slot), [])
                if f"{contract}.{member}" not in held:
                    held.append(f"{contract}.{member}")
    found = {slot: f"{held[0]}{' …' if len(held) > 1 else ''}" for slot, held in names.items()}
    # The compiler hashes the slot of an array ahead, so that the trace does not show it.
    return {int.from_bytes(keccak(slot.to_bytes(WORD))): f"{name}[0]" for slot, name in found.items()} | found


def accesses(trace: Mapping[str, Any], parties: Mapping[int, str]) -> Iterator[Access]:
    """Yield the reads and writes of storage in their order."""
    names = layout()
    warm: set[tuple[int, int]] = set()
    # The contract whose storage each depth of the call stack works on.
    contexts: list[int] = []
    called = 0
    steps = trace["structLogs"]
    for step, following in zip(steps, [*steps[1:], {}], strict=True):
        contexts = [*contexts[: step["depth"]], called][: step["depth"]]
        operation, stack = step["op"], [int(word, 16) for word in step.get("stack", ())]
        if operation in {"CALL", "STATICCALL", "DELEGATECALL"}:
            called = contexts[-1] if operation == "DELEGATECALL" else stack[-2]
        elif operation in {"KECCAK256", "SHA3"}:
            hashed = _hashed(step["memory"], stack[-1], stack[-2])
            if hashed and hashed[-1] in names:
                key = parties.get(hashed[0]) or _short(hashed[0]) if len(hashed) > 1 else "0"
                names[int(following["stack"][-1], 16)] = f"{names[hashed[-1]]}[{key}]"
        elif operation in {"SLOAD", "SSTORE"}:
            place = contexts[-1], stack[-1]
            yield Access(operation, _name(names, stack[-1]), place not in warm, int(step["gasCost"]))
            warm.add(place)


def _hashed(memory: Sequence[str], at: int, size: int) -> list[int]:
    """Return what is hashed to a slot: key and slot of a mapping, or the slot of an array; nothing if it is neither."""
    if size not in {WORD, 2 * WORD}:
        return []
    content = bytes.fromhex("".join(word.removeprefix("0x") for word in memory))[at : at + size]
    return [int.from_bytes(content[start : start + WORD]) for start in range(0, size, WORD)]


def _name(names: Mapping[int, str], slot: int) -> str:
    """Name a slot, a later word of a struct by what it follows."""
    for before in range(8):
        if slot - before in names:
            return names[slot - before] + (f" +{before}" if before else "")
    return _short(slot)


def _short(value: int) -> str:
    text = f"{value:x}"
    return f"0x{text}" if len(text) <= SHORT else f"0x{text[:4]}…{text[-4:]}"


def lines(url: str, transaction: str) -> Iterator[str]:
    """Yield a table of the reads and writes, and the sums."""
    sent = call(url, "eth_getTransactionByHash", transaction)
    gas = int(call(url, "eth_getTransactionReceipt", transaction)["gasUsed"], 16)
    trace = call(url, "debug_traceTransaction", transaction, {"enableMemory": True, "disableStorage": True})
    parties = {int(sent["from"], 16): "sender", int(sent["input"][10:74] or "0", 16): "receiver", 0: "0"}
    spent = 0
    for access in accesses(trace, parties):
        spent += access.gas
        state = "cold" if access.cold else "warm"
        yield f"{access.operation:6} {state} {access.gas:6,}  {access.name}"
    yield f"storage {spent:,} of {gas:,} gas"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the reads and writes of a transaction."""
    parser = argparse.ArgumentParser(description="Name every read and write of storage in a transaction.")
    parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="URL of a node")
    parser.add_argument("transaction", help="hash of a transaction")
    options = parser.parse_args(arguments)
    for line in lines(options.rpc, options.transaction):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
