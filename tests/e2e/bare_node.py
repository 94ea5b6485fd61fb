# SPDX-License-Identifier: Apache-2.0
"""A node asked in bare JSON-RPC: counts registers and trades again, and shares no line with stoken."""

from collections import Counter
from typing import Any

import httpx

_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#: keccak256 of TradeSettled(bytes20,uint64,address,address,address,uint64,uint64,uint64,uint64)
_TRADE_SETTLED = "0xa48954fb3e11decc567f9381ed8c01a929f4ada5ab0825bb6b1105b7de50a968"
_TOTAL_SUPPLY = "0x18160ddd"
_ZERO = "0x" + "0" * 40
_RANGE = 1_000


class BareNode:
    def __init__(self, url: str) -> None:
        self._url = url

    def balances(self, token: str, last_block: int) -> dict[str, int]:
        held: Counter[str] = Counter()
        for log in self._logs(token, _TRANSFER, last_block):
            giver, taker = ("0x" + topic[26:] for topic in log["topics"][1:])
            held[giver] -= int(log["data"], 16)
            held[taker] += int(log["data"], 16)
        del held[_ZERO]
        assert all(units >= 0 for units in held.values())
        return {holder: units for holder, units in held.items() if units}

    def minted(self, token: str, last_block: int) -> int:
        created = (log for log in self._logs(token, _TRANSFER, last_block) if log["topics"][1][26:] == _ZERO[2:])
        return sum(int(log["data"], 16) for log in created)

    def settled_trades(self, settlement: str, last_block: int) -> list[tuple[int, int]]:
        """Trade id and quantity of each TradeSettled log."""
        logs = self._logs(settlement, _TRADE_SETTLED, last_block)
        # data: seller, buyer, quantity, price, sellNonce, buyNonce; 64 hex digits each
        return [(int(log["topics"][2], 16), int(log["data"][2 + 2 * 64 : 2 + 3 * 64], 16)) for log in logs]

    def settlement_transactions(self, settlement: str, last_block: int) -> int:
        return len({log["transactionHash"] for log in self._logs(settlement, _TRADE_SETTLED, last_block)})

    def supply(self, token: str, block: int) -> int:
        return int(self._ask("eth_call", {"to": token, "data": _TOTAL_SUPPLY}, hex(block)), 16)

    def block_hash(self, number: int) -> str:
        return str(self._ask("eth_getBlockByNumber", hex(number), False)["hash"])  # noqa: FBT003 - JSON-RPC has no names

    def chain_id(self) -> int:
        return int(self._ask("eth_chainId"), 16)

    def transactions(self, last_block: int) -> list[tuple[bytes, bytes]]:
        """Receiver (empty where a contract is made) and data of every transaction."""
        return [
            (bytes.fromhex((sent["to"] or "0x")[2:]), bytes.fromhex(sent["input"][2:]))
            for number in range(last_block + 1)
            for sent in self._ask("eth_getBlockByNumber", hex(number), True)["transactions"]  # noqa: FBT003 - JSON-RPC has no names
        ]

    def _logs(self, contract: str, topic: str, last_block: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for first in range(0, last_block + 1, _RANGE):
            last = min(last_block, first + _RANGE - 1)
            wanted = {"address": contract, "topics": [topic], "fromBlock": hex(first), "toBlock": hex(last)}
            found += self._ask("eth_getLogs", wanted)
        return found

    def _ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = httpx.post(self._url, json=body, timeout=30).json()
        assert "error" not in answer, answer
        return answer["result"]
