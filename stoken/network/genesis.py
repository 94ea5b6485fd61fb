# SPDX-License-Identifier: Apache-2.0
"""First blocks of geth's chains: sealed in turn by signers (Clique), or by whoever drives them (Engine API)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

GAS_LIMIT: Final = 1_000_000_000
_FORKS: Final = (
    *("homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock", "constantinopleBlock"),
    *("petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"),
)
_VANITY: Final = bytes(32)
_SEAL: Final = bytes(65)

Genesis = dict[str, Any]


def clique(chain_id: int, signers: Sequence[bytes], block_seconds: int, code: Mapping[bytes, bytes]) -> Genesis:
    """Return the genesis of a chain that these signers seal, under London's rules; `code` stands at its addresses."""
    config = {"clique": {"period": block_seconds, "epoch": 30_000}}
    sealers = b"".join(sorted(signers))
    return _genesis(chain_id, config, code) | {
        "difficulty": "0x1",
        "extraData": f"0x{(_VANITY + sealers + _SEAL).hex()}",
    }


def driven(chain_id: int, code: Mapping[bytes, bytes]) -> Genesis:
    """Return the genesis of a chain without consensus of its own, under Cancun's rules."""
    config = {
        "shanghaiTime": 0,
        "cancunTime": 0,
        "terminalTotalDifficulty": 0,
        "terminalTotalDifficultyPassed": True,
    }
    return _genesis(chain_id, config, code) | {"difficulty": "0x0"}


def _genesis(chain_id: int, config: Genesis, code: Mapping[bytes, bytes]) -> Genesis:
    return {
        "config": {"chainId": chain_id, **dict.fromkeys(_FORKS, 0), **config},
        "gasLimit": hex(GAS_LIMIT),
        # Above half of the limit a base fee would rise and never return: it stays at zero at this limit.
        "baseFeePerGas": "0x0",
        "alloc": {address.hex(): {"balance": "0x0", "code": f"0x{runtime.hex()}"} for address, runtime in code.items()},
    }
