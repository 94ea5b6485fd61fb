# SPDX-License-Identifier: Apache-2.0
"""A real client beside the embedded engine: geth v1.13.15, the last that seals Clique, one signer, without a fee.

For loopback only: this version has known denial-of-service advisories. `make test-network` builds it.
"""

import json
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from coincurve import PrivateKey
from eth_hash.auto import keccak
from typing_extensions import override

import stoken
from stoken.chain.rpc import RpcClient
from stoken.errors import StartupError
from stoken.network.process import HOST, NodeProcess, reserve

CHAIN_ID: Final = 20261
_GAS_LIMIT: Final = 1_000_000_000
_FORKS: Final = (
    *("homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock", "constantinopleBlock"),
    *("petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"),
)
_VANITY: Final = bytes(32)
_SEAL: Final = bytes(65)
_FLAGS: Final = (
    *("--http", "--http.addr", HOST, "--http.api", "eth,net,web3,debug,miner,txpool"),
    *("--nodiscover", "--maxpeers", "0", "--ipcdisable"),
    *("--syncmode", "full", "--gcmode", "archive"),
    *("--rpc.batch-request-limit", "0", "--rpc.batch-response-max-size", "0", "--rpc.gascap", "0"),
    # A backlog of one key is thousands of transactions here; the defaults are for a public network.
    *("--txpool.accountslots", "50000", "--txpool.globalslots", "50000"),
    *("--txpool.accountqueue", "50000", "--txpool.globalqueue", "50000"),
    *("--mine", "--miner.gasprice", "0", "--miner.gaslimit", str(_GAS_LIMIT), "--allow-insecure-unlock"),
)


class Geth(NodeProcess):
    """A running geth in a folder of its own, sealing a block each `block_seconds`; London's rules, as everywhere."""

    name = "geth"

    def __init__(self, folder: Path, *, port: int = 0, chain_id: int = CHAIN_ID, block_seconds: int = 1) -> None:
        """Take an empty folder, or one that an earlier run left: then the chain goes on."""
        super().__init__(port)
        self._folder = folder
        self._chain_id = chain_id
        self._block_seconds = block_seconds

    @override
    def command(self) -> Sequence[str]:
        binary = find_binary()
        if not self._signer_file.exists():
            self._initialise(binary)
        signer = self._signer_file.read_text()
        return [
            *(binary, "--datadir", str(self._folder), "--networkid", str(self._chain_id), *_FLAGS),
            *("--http.port", str(self.port), "--port", str(reserve()), "--authrpc.port", str(reserve())),
            *("--miner.etherbase", signer, "--unlock", signer, "--password", str(self._password_file)),
        ]

    @override
    def ready(self, rpc: RpcClient) -> None:
        # The flags alone do not admit transactions without a price.
        rpc.call("miner_setGasPrice", "0x0")

    @property
    def _signer_file(self) -> Path:
        return self._folder / "signer"

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def _initialise(self, binary: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = PrivateKey()
        signer = keccak(key.public_key.format(compressed=False)[1:])[12:]
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex())
        key_file = self._folder / "key"
        key_file.touch(mode=0o600)
        key_file.write_text(key.secret.hex())
        genesis_file = self._folder / "genesis.json"
        genesis_file.write_text(json.dumps(self._genesis(signer)))
        data = ("--datadir", str(self._folder))
        password = ("--password", str(self._password_file))
        try:
            _run(binary, *data, "account", "import", "--lightkdf", *password, str(key_file))
        finally:
            key_file.unlink()
        _run(binary, *data, "init", str(genesis_file))
        self._signer_file.write_text(f"0x{signer.hex()}")

    def _genesis(self, signer: bytes) -> dict[str, Any]:
        return {
            "config": {
                "chainId": self._chain_id,
                **dict.fromkeys(_FORKS, 0),
                "clique": {"period": self._block_seconds, "epoch": 30_000},
            },
            "difficulty": "0x1",
            "gasLimit": hex(_GAS_LIMIT),
            # Above half of the limit a base fee would rise and never return: it stays at zero at this limit.
            "baseFeePerGas": "0x0",
            "extraData": f"0x{(_VANITY + signer + _SEAL).hex()}",
            "alloc": {},
        }


def find_binary() -> str:
    """Return geth's path: the one that `make test-network` built, or the one on PATH."""
    built = Path(stoken.__file__).parent.parent / ".cache" / "geth" / "bin" / "geth"
    if built.exists():
        return str(built)
    on_path = shutil.which("geth")
    if on_path is None:
        raise StartupError("geth is missing: `make test-network` builds it, or put v1.13.15 on PATH")
    return on_path


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own options
    if ended.returncode:
        last = ended.stderr.strip().split("\n")[-1]
        raise StartupError(f"geth does not start: {last}")
