# SPDX-License-Identifier: Apache-2.0
"""Counts the registers again from the node alone, by bare JSON-RPC: neither mirror nor decoder is trusted here."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from eth_hash.auto import keccak

_TRANSFER = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
_NOBODY = "0x" + "00" * 20
_RANGE = 2_000


@dataclass(frozen=True, slots=True)
class Count:
    """What the Transfer logs of one token add up to, in units; addresses are 0x-hex, zero balances left out."""

    balances: dict[str, int]
    minted: int
    burned: int


class Node:
    """A node, asked in bare JSON-RPC."""

    def __init__(self, url: str, first_block: int) -> None:
        """Take the node, and the block below which nothing of the demo lies."""
        self._client = httpx.Client(timeout=30)
        self._url = url
        self._first_block = first_block

    def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON is what the node makes it
        """Return a call's result; raises RuntimeError with the node's own words."""
        reply = self._client.post(
            self._url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        ).json()
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def count(self, token: str, last_block: int) -> Count:
        """Add up every Transfer log of a token up to and including a block."""
        balances: defaultdict[str, int] = defaultdict(int)
        minted = burned = 0
        for log in self.logs(token, _TRANSFER, last_block):
            sender, receiver = ("0x" + topic[-40:] for topic in log["topics"][1:])
            units = int(log["data"], 16)
            minted += units * (sender == _NOBODY)
            burned += units * (receiver == _NOBODY)
            balances[sender] -= units
            balances[receiver] += units
        balances.pop(_NOBODY, None)
        return Count({holder: units for holder, units in balances.items() if units}, minted, burned)

    def head(self) -> tuple[int, str]:
        """Return number and hash of the head."""
        block = self.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC has no names
        return int(block["number"], 16), str(block["hash"])

    def time(self) -> int:
        """Return the block time of the head, in seconds."""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)  # noqa: FBT003

    def call(self, contract: bytes, data: bytes, block: str = "latest") -> bytes:
        """Return what a contract's view answers."""
        answer: str = self.ask("eth_call", {"to": "0x" + contract.hex(), "data": "0x" + data.hex()}, block)
        return bytes.fromhex(answer[2:])

    def token_of(self, factory: bytes, isin: bytes) -> bytes:
        """Return the token that a factory made for an ISIN."""
        data = keccak(b"tokenOf(bytes12)")[:4] + isin.ljust(32, b"\0")
        return self.call(factory, data)[-20:]

    def supply(self, token: str, block: int) -> int:
        """Return totalSupply() at a block."""
        call = {"to": token, "data": "0x" + keccak(b"totalSupply()")[:4].hex()}
        return int(self.ask("eth_call", call, hex(block)), 16)

    def logs(self, contract: str, topic: str, last_block: int) -> Iterator[dict[str, Any]]:
        """Yield the logs of a contract's event, up to and including a block."""
        for first in range(self._first_block, last_block + 1, _RANGE):
            last = min(first + _RANGE - 1, last_block)
            wanted = {"address": contract, "topics": [topic], "fromBlock": hex(first), "toBlock": hex(last)}
            yield from self.ask("eth_getLogs", wanted)

    def seoul_date(self) -> date:
        """Return the market's date at the head."""
        return datetime.fromtimestamp(self.time(), ZoneInfo("Asia/Seoul")).date()
