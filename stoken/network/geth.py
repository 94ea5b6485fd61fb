# SPDX-License-Identifier: Apache-2.0
"""A real client beside the embedded engine: geth v1.13.15, the last that seals Clique, without a fee.

For loopback only: this version has known denial-of-service advisories. `make test-network` builds it.
"""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from coincurve import PrivateKey
from typing_extensions import override

import stoken
from stoken.chain.rpc import RpcClient
from stoken.chain.signatures import address_of
from stoken.errors import StartupError
from stoken.network.genesis import GAS_LIMIT, Genesis, clique
from stoken.network.process import HOST, NodeProcess, reserve

CHAIN_ID: Final = 20261
#: A node's two keys open with what lies beside them: scrypt would only cost time.
_WORK_FACTOR: Final = 2
_FLAGS: Final = (
    *("--http", "--http.addr", HOST, "--http.api", "admin,clique,debug,eth,miner,net,txpool,web3"),
    *("--authrpc.addr", HOST, "--ipcdisable", "--nat", "none", "--netrestrict", "127.0.0.0/8"),
    *("--syncmode", "full", "--gcmode", "archive", "--state.scheme", "hash", "--cache", "64"),
    *("--rpc.batch-request-limit", "0", "--rpc.batch-response-max-size", "0", "--rpc.gascap", "0"),
    # A backlog of one key is thousands of transactions here; the defaults are for a public network.
    *("--txpool.accountslots", "50000", "--txpool.globalslots", "50000"),
    *("--txpool.accountqueue", "50000", "--txpool.globalqueue", "50000"),
    *("--miner.gasprice", "0", "--miner.gaslimit", str(GAS_LIMIT)),
)
#: There is no flag for the address that peers are heard at.
_CONFIGURATION: Final = '[Node.P2P]\nListenAddr = "{host}:{port}"\nNoDiscovery = true\nMaxPeers = 16\n'


class Geth(NodeProcess):
    """A running geth in a folder of its own; alone it seals a block each second, under London's rules, as everywhere.

    With a genesis it is one node of that chain: it seals with `secret` where there is one, else others say what comes.
    """

    name = "geth"

    def __init__(
        self, folder: Path, genesis: Genesis | None = None, *, secret: bytes | None = None, port: int = 0
    ) -> None:
        """Take an empty folder, or one that an earlier run left: then the chain goes on."""
        super().__init__(port)
        self._folder = folder
        self._genesis = genesis
        self._secret = secret
        #: Where peers reach it, and where the Engine API is served: the same over restarts of this object.
        self.peer_port, self.engine_port = reserve(), reserve()
        #: Nodes that it connects to whenever it starts.
        self.peers: list[str] = []

    @property
    def engine_url(self) -> str:
        """The endpoint of the Engine API."""
        return f"http://{HOST}:{self.engine_port}"

    @property
    def jwt_file(self) -> Path:
        """The secret that opens the Engine API, made by geth when it first starts."""
        return self._folder / "geth" / "jwtsecret"

    @property
    def enode(self) -> str:
        """How peers name this node."""
        public = PrivateKey(self._node_key()).public_key.format(compressed=False)[1:]
        return f"enode://{public.hex()}@{HOST}:{self.peer_port}?discport=0"

    @override
    def command(self) -> Sequence[str]:
        binary = find_binary()
        if not self._genesis_file.exists():
            self._initialise(binary)
        configuration = self._folder / "config.toml"
        configuration.write_text(_CONFIGURATION.format(host=HOST, port=self.peer_port))
        chain_id = json.loads(self._genesis_file.read_text())["config"]["chainId"]
        return [
            *(binary, "--config", str(configuration), "--datadir", str(self._folder), *_FLAGS),
            *("--networkid", str(chain_id), "--http.port", str(self.port), "--authrpc.port", str(self.engine_port)),
            *self._sealing(),
        ]

    @override
    def ready(self, rpc: RpcClient) -> None:
        # The flags alone do not admit transactions without a price.
        rpc.call("miner_setGasPrice", "0x0")
        self.connect(rpc, self.peers)

    def connect(self, rpc: RpcClient, peers: Iterable[str]) -> None:
        """Let the node connect to others, and again whenever a connection breaks."""
        rpc.batch([("admin_addPeer", (peer,)) for peer in peers])

    def disconnect(self, rpc: RpcClient, peers: Iterable[str]) -> None:
        """Let the node leave others; they must leave it too, or they come back."""
        rpc.batch([(method, (peer,)) for peer in peers for method in ("admin_removePeer", "admin_removeTrustedPeer")])

    @property
    def _genesis_file(self) -> Path:
        return self._folder / "genesis.json"

    @property
    def _signer_file(self) -> Path:
        return self._folder / "signer"

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def _sealing(self) -> Iterable[str]:
        if not self._signer_file.exists():
            return ()
        signer = self._signer_file.read_text()
        unlock = ("--allow-insecure-unlock", "--unlock", signer, "--password", str(self._password_file))
        return ("--mine", "--miner.etherbase", signer, *unlock)

    def _node_key(self) -> bytes:
        file = self._folder / "geth" / "nodekey"
        if not file.exists():
            # A signer is known by the key of its node, as validators of QBFT are.
            _write_secret(file, (self._secret or secrets.token_bytes(32)).hex())
        return bytes.fromhex(file.read_text())

    def _initialise(self, binary: str) -> None:
        if self._genesis is None:
            self._secret = secrets.token_bytes(32)
            self._genesis = clique(CHAIN_ID, [address_of(self._secret)], 1, {})
        self._node_key()
        if self._secret is not None:
            self._store_signer(self._secret)
        # Under its name only once geth took it, so that a half-made folder is made again.
        draft = self._folder / "genesis.draft.json"
        draft.write_text(json.dumps(self._genesis))
        _run(binary, "--datadir", str(self._folder), "--state.scheme", "hash", "init", str(draft))
        draft.rename(self._genesis_file)

    def _store_signer(self, secret: bytes) -> None:
        from eth_account import Account  # noqa: PLC0415 - slow to import, and needed once

        password = secrets.token_hex()
        _write_secret(self._password_file, password)
        keystore = json.dumps(Account.encrypt(secret, password, iterations=_WORK_FACTOR))
        _write_secret(self._folder / "keystore" / "signer.json", keystore)
        self._signer_file.write_text(f"0x{address_of(secret).hex()}")


def find_binary() -> str:
    """Return geth's path: the one that `make test-network` built, or the one on PATH."""
    built = Path(stoken.__file__).parent.parent / ".cache" / "geth" / "bin" / "geth"
    if built.exists():
        return str(built)
    on_path = shutil.which("geth")
    if on_path is None:
        raise StartupError("geth is missing: `make test-network` builds it, or put v1.13.15 on PATH")
    return on_path


def _write_secret(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(content)


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own options
    if ended.returncode:
        last = ended.stderr.strip().split("\n")[-1]
        raise StartupError(f"geth does not start: {last}")
