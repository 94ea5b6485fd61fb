# SPDX-License-Identifier: Apache-2.0
"""The demo's child processes: started with their own settings, and again when they die, as a supervisor would."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from stoken.cli.demo.play import DemoError

FAILPOINT: Final = "STOKEN_FAILPOINT"
_RESTARTS_MAX: Final = 5
_STOP_SECONDS: Final = 40


class Child:
    """One `stoken` process, watched by a thread."""

    def __init__(self, arguments: Sequence[str], settings: Mapping[str, str], log: Path) -> None:
        """Take the command, its STOKEN_* variables, and where its output goes."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOKEN_")}
        self._environment = inherited | dict(settings)
        self._arguments = [sys.executable, "-m", "stoken.cli", *arguments]
        self._log = log
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self.name = arguments[0]
        self.restarts = 0
        self._process = self._start()
        self._watcher.start()

    def check(self) -> None:
        """Raise DemoError with the last line of its output if the process cannot be kept running."""
        if self.restarts > _RESTARTS_MAX:
            lines = self._log.read_text().splitlines()
            raise DemoError(f"stoken {self.name} ended: {lines[-1] if lines else 'without a word'}")

    def stop(self) -> None:
        """Let the process drain and end."""
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                self._arguments, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        while True:
            self._process.wait()
            if self._stopping.is_set() or self.restarts > _RESTARTS_MAX:
                return
            self.restarts += 1
            # What killed it on purpose must not do so again.
            self._environment.pop(FAILPOINT, None)
            self._process = self._start()
