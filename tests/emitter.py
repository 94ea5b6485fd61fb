# SPDX-License-Identifier: Apache-2.0
"""A contract that logs whatever it is told, put at any address of an anvil: real logs without the real suite."""

from collections.abc import Iterable
from typing import Any

from stoken.chain.rpc import RpcClient
from tests.ledger_events import Emitted, encode_log

_TOPICS_MAX = 4
#: PUSH1 n, PUSH1 0, MLOAD, PUSH1 0, BYTE, EQ, PUSH2 target, JUMPI.
_JUMP_BYTES = 13


def runtime() -> bytes:
    """Assemble: calldata is a byte n, n topics, data; log it."""
    copy_calldata, blocks, jumps = "3660006000" + "37", "", ""
    start = len(copy_calldata) // 2 + (_TOPICS_MAX + 1) * _JUMP_BYTES + 1
    for topics in range(_TOPICS_MAX + 1):
        jumps += f"60{topics:02x}6000516000" + "1a" + "14" + f"61{start + len(blocks) // 2:04x}57"
        pushed = "".join(f"60{1 + 32 * at:02x}51" for at in reversed(range(topics)))
        skip = f"60{1 + 32 * topics:02x}"
        blocks += "5b" + pushed + f"{skip}3603{skip}" + f"{0xA0 + topics:02x}" + "00"
    return bytes.fromhex(copy_calldata + jumps + "00" + blocks)


def install(rpc: RpcClient, addresses: Iterable[bytes]) -> None:
    """Put the emitter at these addresses."""
    code = f"0x{runtime().hex()}"
    for address in addresses:
        rpc.call("anvil_setCode", "0x" + address.hex(), code)


def emit(rpc: RpcClient, events: Iterable[Emitted]) -> list[str]:
    """Send one transaction an event and return their hashes; the node mines them in this order."""
    sender = rpc.call("eth_accounts")[0]
    return [rpc.call("eth_sendTransaction", _transaction(sender, event)) for event in events]


def mine(rpc: RpcClient, *contents: Iterable[Emitted]) -> None:
    """Mine one block for each list of events."""
    for events in contents:
        emit(rpc, events)
        rpc.call("evm_mine")


def calldata(event: Emitted) -> bytes:
    """Return what the emitter logs an event for."""
    log = encode_log(event, 0, 0)
    return bytes([len(log.topics) // 32]) + log.topics + log.data


def _transaction(sender: str, event: Emitted) -> dict[str, Any]:
    return {
        "from": sender,
        "to": "0x" + event[0].hex(),
        "data": "0x" + calldata(event).hex(),
        "gas": hex(300_000),
        "gasPrice": "0x0",
    }
