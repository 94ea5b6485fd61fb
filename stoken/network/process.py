# SPDX-License-Identifier: Apache-2.0
"""A node that runs as a child process: started, watched, stopped, or left running for a later command to stop."""

import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from stoken.chain.rpc import RpcClient
from stoken.errors import LedgerUnavailableError, StartupError

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 15
_STOP_SECONDS: Final = 10


class NodeProcess(ABC):
    """A running node; use it as a context manager, or call `start` and `stop`."""

    #: What messages call it.
    name: str

    def __init__(self, port: int = 0) -> None:
        """Take the port of its JSON-RPC endpoint; 0 picks a free one at the start."""
        self.port = port
        self._log_file: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The endpoint of the running node."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running node."""
        return self._running().pid

    def log_to(self, file: Path) -> None:
        """Keep the output of the node, which is else gone with it."""
        self._log_file = file

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command that runs the node at `self.port`; raises StartupError where something is missing."""

    def ready(self, rpc: RpcClient) -> None:
        """Prepare the node that has begun to answer; raises LedgerUnavailableError while it cannot yet."""
        rpc.call("eth_chainId")

    def start(self) -> Self:
        """Start the node and wait until it answers; raises StartupError in one line where it cannot."""
        self.port = reserve(self.port)
        command = self.command()
        self._output = self._open_output()
        self._process = subprocess.Popen(  # noqa: S603 - our own options
            command,
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
            raise LedgerUnavailableError(f"{self.name} ended with status {status}: {self._last_line()}")

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
        self._forget()

    def kill(self) -> None:
        """End the node as a power cut ends its process: it gets no chance to write anything."""
        process = self._running()
        process.kill()
        process.wait()
        self._forget()

    def release(self) -> int:
        """Let the node outlive this process and return its process id; whoever holds that stops it."""
        process = self._running()
        # Popen complains of a child that nobody waits for; this one is meant to be left.
        process.returncode = 0
        self._forget()
        return process.pid

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _open_output(self) -> IO[bytes]:
        if self._log_file is None:
            return tempfile.TemporaryFile()
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        return self._log_file.open("ab+")

    def _forget(self) -> None:
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LedgerUnavailableError(f"{self.name} is not running")
        return self._process

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with RpcClient(self.url, timeout=1) as rpc:
            while True:
                try:
                    self.check()
                    self.ready(rpc)
                except LedgerUnavailableError as error:
                    if self._running().poll() is not None or time.monotonic() > deadline:
                        raise StartupError(f"{self.name} does not start: {error}") from error
                    time.sleep(0.02)
                else:
                    return

    def _last_line(self) -> str:
        if self._output is None:
            return ""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def reserve(port: int = 0) -> int:
    """Return the port, or a free one for 0; raises StartupError where it is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StartupError(f"port {port} is in use") from error
        bound: int = probe.getsockname()[1]
        return bound
