# SPDX-License-Identifier: Apache-2.0
"""Recounts registers from Transfer logs by bare JSON-RPC, without stoken.

    python examples/recount_register.py --rpc http://127.0.0.1:8545 --json demo.json

compares every register of a demo's JSON, unit for unit; with `--token ADDRESS` it prints one token's register.
"""

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)
TOTAL_SUPPLY = "0x18160ddd"  # totalSupply()
NOBODY = "0x" + "00" * 20
#: Nodes bound the range of one query: Besu's default is 5,000 blocks.
BLOCKS_PER_QUERY = 5000
TIMEOUT_SECONDS = 30


class Node:
    """A JSON-RPC endpoint."""

    def __init__(self, url: str) -> None:
        """Take the endpoint's http or https URL."""
        if not url.startswith(("http://", "https://")):
            raise SystemExit(f"not a node's URL: {url}")
        self._url = url

    def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
        """Return a method's result, or end the program with the node's error."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
                content = json.load(answer)
        except OSError as error:
            raise SystemExit(f"the node at {self._url} does not answer: {error}") from error
        if "error" in content:
            raise SystemExit(f"{method}: {content['error']}")
        return content["result"]

    def transfers(self, token: str, last_block: int) -> Iterator[tuple[str, str, int]]:
        """Yield (sender, receiver, units) of each Transfer of a token, in order."""
        for first in range(0, last_block + 1, BLOCKS_PER_QUERY):
            blocks = {"fromBlock": hex(first), "toBlock": hex(min(first + BLOCKS_PER_QUERY - 1, last_block))}
            for log in self.call("eth_getLogs", {"address": token, "topics": [TRANSFER], **blocks}):
                _, sender, receiver = log["topics"]
                yield f"0x{sender[-40:]}".lower(), f"0x{receiver[-40:]}".lower(), int(log["data"], 16)


def register(node: Node, token: str, last_block: int) -> dict[str, int]:
    """Return every holder with its units: what came in less what went out."""
    units: dict[str, int] = {}
    for sender, receiver, moved in node.transfers(token, last_block):
        units[sender] = units.get(sender, 0) - moved
        units[receiver] = units.get(receiver, 0) + moved
    units.pop(NOBODY, None)
    return {account: held for account, held in sorted(units.items()) if held}


def compare(node: Node, document: dict[str, Any]) -> int:
    """Recount each instrument of a demo's JSON at its head; return how many differ."""
    head = int(document["head"]["number"])
    broken = 0
    for instrument in document["instruments"]:
        said = {line["address"].lower(): int(line["units"]) for line in instrument["register"] if int(line["units"])}
        counted = register(node, instrument["token"], head)
        supply = int(node.call("eth_call", {"to": instrument["token"], "data": TOTAL_SUPPLY}, hex(head)), 16)
        minted, registered = int(instrument["minted"]), int(instrument["registered"])
        holds = counted == said and sum(counted.values()) == supply and minted <= registered
        broken += not holds
        sums = f"{len(counted)} holders, {sum(counted.values())} units, supply {supply}, registered {registered}"
        print(f"{instrument['isin']}: {'equal' if holds else 'DIFFERS'}: {sums}")
    return broken


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare a demo's registers, or print one token's."""
    parser = argparse.ArgumentParser(description="Recount registers from Transfer logs by bare JSON-RPC.")
    parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="URL of a node")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--json", type=Path, help="JSON document that `stoken demo --json` wrote")
    what.add_argument("--token", help="address of a token")
    options = parser.parse_args(arguments)
    node = Node(options.rpc)
    if options.json:
        return 1 if compare(node, json.loads(options.json.read_text())) else 0
    for account, held in register(node, options.token, int(node.call("eth_blockNumber"), 16)).items():
        print(account, held)
    return 0


if __name__ == "__main__":
    sys.exit(main())
