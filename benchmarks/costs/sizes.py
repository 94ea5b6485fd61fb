# SPDX-License-Identifier: Apache-2.0
"""Bytes of runtime code of each contract that can be deployed."""

from typing import Final

from stoken.chain import artifacts
from stoken.chain.artifacts import Artifact
from stoken.chain.rpc import RpcClient

#: EIP-170.
BYTES_MAX: Final = 24_576
_WORD: Final = 32


def sizes(rpc: RpcClient) -> dict[str, int]:
    """Return the size of each artifact with code, as it stands on a node that the suite was deployed on."""
    codes = _deployed_codes(rpc)
    made = [artifact for artifact in map(artifacts.load, artifacts.names()) if artifact.bytecode]
    return {artifact.name: _size(rpc, artifact, codes) for artifact in made}


def _size(rpc: RpcClient, artifact: Artifact, codes: list[bytes]) -> int:
    for code in codes:
        if artifact.hash_of(code) == artifact.runtime_hash:
            return len(code)
    # Not part of the deployment: what its creation would store; immutables are as long whatever they are.
    inputs = next((entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), ())
    created = artifact.bytecode + bytes(_WORD * len(inputs))
    code = rpc.call("eth_call", {"data": "0x" + created.hex()}, "latest")
    return len(bytes.fromhex(code[2:]))


def _deployed_codes(rpc: RpcClient) -> list[bytes]:
    head = int(rpc.call("eth_blockNumber"), 16)
    blocks = rpc.batch([("eth_getBlockByNumber", [hex(number), False]) for number in range(1, head + 1)])
    hashes = [each for block in blocks for each in block["transactions"]]
    receipts = rpc.batch([("eth_getTransactionReceipt", [each]) for each in hashes])
    created = [receipt["contractAddress"] for receipt in receipts if receipt["contractAddress"]]
    codes = rpc.batch([("eth_getCode", [address, "latest"]) for address in created])
    return [bytes.fromhex(code[2:]) for code in codes]
