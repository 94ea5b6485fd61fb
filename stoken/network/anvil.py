# SPDX-License-Identifier: Apache-2.0
"""The embedded engine: one anvil process, without a fee, with London's rules."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import stoken
from stoken.chain.rpc import RpcClient
from stoken.errors import LedgerUnavailableError, StartupError

CHAIN_ID: Final = 20260
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 15
_STOP_SECONDS: Final = 10
_FLAGS: Final = (
    *("--hardfork", "london"),
    *("--block-base-fee-per-gas", "0"),
    *("--gas-price", "0"),
    "--disable-min-priority-fee",
    *("--gas-limit", "60000000"),
    "--no-request-size-limit",  # batches of settlements are larger than 2 MB
    *("--accounts", "1"),  # unlocked demo accounts are of no use here
    "--no-cors",
)


class Anvil:
    """A running anvil; use it as a context manager, or call `start` and `stop`."""

    def __init__(
        self,
        *,
        port: int = 0,
        chain_id: int = CHAIN_ID,
        block_seconds: float | None = 1,
        automine: bool = False,
        state_file: Path | None = None,
        keep_history: bool = False,
    ) -> None:
        """Take the options: port 0 picks a free one; without `block_seconds` and `automine` only evm_mine mines."""
        self.port = port
        self._options = (*_FLAGS, "--chain-id", str(chain_id), *_mining(block_seconds, automine=automine))
        if not keep_history:
            self._options += ("--prune-history", "64")
        if state_file is not None:
            self._options += ("--state", str(state_file), "--state-interval", "1")
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The endpoint of the running node."""
        return f"http://{_HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running node."""
        return self._running().pid

    def start(self) -> Self:
        """Start the node and wait until it answers; raises StartupError in one line where it cannot."""
        binary = find_binary()
        self.port = _reserve(self.port)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own options
            [binary, *self._options, "--host", _HOST, "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # An interrupt at the terminal must reach stoken first, which drains and then stops the node.
            start_new_session=True,
        )
        try:
            self._wait()
        except StartupError:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raise LedgerUnavailableError where the process has ended by itself."""
        status = self._running().poll()
        if status is not None:
            raise LedgerUnavailableError(f"anvil ended with status {status}: {self._last_line()}")

    def stop(self) -> None:
        """Stop the node and wait for its end; harmless where it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LedgerUnavailableError("anvil is not running")
        return self._process

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with RpcClient(self.url, timeout=1) as rpc:
            while True:
                try:
                    self.check()
                    rpc.call("eth_chainId")
                except LedgerUnavailableError as error:
                    if self._running().poll() is not None or time.monotonic() > deadline:
                        raise StartupError(f"anvil does not start: {error}") from error
                    time.sleep(0.02)
                else:
                    return

    def _last_line(self) -> str:
        if self._output is None:
            return ""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def find_binary() -> str:
    """Return anvil's path: the project's own (npm), or the one on PATH."""
    roots = (Path(stoken.__file__).parent.parent, Path.cwd())
    for root in roots:
        candidate = root / "node_modules" / ".bin" / "anvil"
        if candidate.exists():
            return str(candidate)
    on_path = shutil.which("anvil")
    if on_path is None:
        raise StartupError(
            "anvil is missing: run `npm ci` in the project, or put anvil on PATH, or name a node by --rpc"
        )
    return on_path


def _mining(block_seconds: float | None, *, automine: bool) -> tuple[str, ...]:
    if automine:
        return ()
    return ("--no-mining",) if block_seconds is None else ("--block-time", str(block_seconds))


def _reserve(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise StartupError(f"port {port} is in use") from error
        bound: int = probe.getsockname()[1]
        return bound
