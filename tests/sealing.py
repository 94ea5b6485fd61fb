# SPDX-License-Identifier: Apache-2.0
"""Blocks sealed by keys that the tests hold, and a node that shows another node's blocks sealed so.

Headers are encoded here by the `rlp` library from the list of their fields, apart from the code under test.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import msgspec
import rlp
from eth_hash.auto import keccak

from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of, sign

Json = Any
KEYS = [bytes([place]) * 32 for place in range(1, 8)]
FOUR = KEYS[:4]
#: The fields of a London header in their order: in hex as they are, or as integers.
_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("#difficulty", "#number", "#gasLimit", "#gasUsed", "#timestamp", "extraData", "mixHash", "nonce"),
    *("#baseFeePerGas",),
)


def header(number: int, parent: str, **fields: str) -> Json:
    """Return an unsealed London header of an empty block."""
    word = "0x" + "11" * 32
    return {
        **dict.fromkeys(("sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"), word),
        **dict.fromkeys(("gasUsed", "baseFeePerGas"), "0x0"),
        "parentHash": parent,
        "number": hex(number),
        "miner": "0x" + "22" * 20,
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x1",
        "gasLimit": "0x5f5e100",
        "timestamp": hex(1_700_000_000 + number),
        "nonce": "0x" + "00" * 8,
        "transactions": [],
        **fields,
    }


def sealed(
    block: Mapping[str, Any],
    validators: Sequence[bytes] = FOUR,
    signers: Sequence[bytes] | None = None,
    *,
    round_: int = 0,
    ibft: bool = False,
) -> Json:
    """Return a block with validators, seals (by default of all) and the hash that follows; keys stand for people."""
    named = sorted(map(address_of, validators))
    if ibft:
        head, hashed, unsealed = [bytes(32), named, b""], [], [round_.to_bytes(4)]
    else:
        scalar = round_.to_bytes((round_.bit_length() + 7) // 8)
        head, hashed, unsealed = [bytes(32), named, []], [b"", []], [scalar, []]
    digest = keccak(_encode(block, rlp.encode([*head, *unsealed])))
    seals = [_seal(key, digest) for key in (validators if signers is None else signers)]
    extra = rlp.encode([*head, unsealed[0], seals])
    found = keccak(_encode(block, rlp.encode([*head, *hashed])))
    return {**block, "extraData": "0x" + extra.hex(), "hash": "0x" + found.hex()}


def hash_of(block: Mapping[str, Any]) -> bytes:
    """Return a block's hash as it names it."""
    return bytes.fromhex(block["hash"][2:])


def _seal(key: bytes, digest: bytes) -> bytes:
    signature = sign(key, digest)
    return signature[:64] + bytes([signature[64] - 27])


def _encode(block: Mapping[str, Any], extra: bytes) -> bytes:
    fields: list[bytes | int] = []
    for field in _FIELDS:
        if field == "extraData":
            fields.append(extra)
        elif field.startswith("#"):
            fields.append(int(block[field[1:]], 16))
        else:
            fields.append(bytes.fromhex(block[field][2:]))
    return bytes(rlp.encode(fields))


class SealedNode(httpx.BaseTransport):
    """Shows the blocks of a node as validators would have sealed them; `seal` may do worse."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self.seal: Callable[[Json], Json] = sealed
        self.blocks: list[Json] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one call or a batch."""
        asked = msgspec.json.decode(request.read())
        answer = [self._answer(call) for call in asked] if isinstance(asked, list) else self._answer(asked)
        return httpx.Response(200, content=msgspec.json.encode(answer))

    def _answer(self, call: Json) -> Json:
        result = self._result(call["method"], call["params"])
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _result(self, method: str, params: Json) -> Json:
        self._follow()
        if method == "eth_getBlockByNumber":
            number = -1 if params[0] == "latest" else int(params[0], 16)
            return self.blocks[number] if number < len(self.blocks) else None
        if method == "eth_getBlockByHash":
            return next((block for block in self.blocks if block["hash"] == params[0]), None)
        result = self._rpc.call(method, *params)
        if method == "eth_getLogs":
            for log in result:
                log["blockHash"] = self.blocks[int(log["blockNumber"], 16)]["hash"]
        return result

    def _follow(self) -> None:
        head = int(self._rpc.call("eth_blockNumber"), 16)
        for number in range(len(self.blocks), head + 1):
            found = self._rpc.call("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003 - JSON-RPC has no names
            parent = self.blocks[-1]["hash"] if self.blocks else found["parentHash"]
            later = ("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash")
            london = {name: value for name, value in found.items() if name not in later}
            self.blocks.append(self.seal({**london, "parentHash": parent}))
