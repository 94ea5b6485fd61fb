# SPDX-License-Identifier: Apache-2.0
"""The one loop: run each step, each in its own commits, then sleep; a signal lets the running step finish."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Final, NamedTuple, Protocol

import structlog

from stoken.errors import FencedError, StartupError, UnavailableError

IDLE_SECONDS: Final = 0.1
#: After an error the loop waits this long, doubled each time, up to the maximum.
RETRY_SECONDS: Final = 0.2
RETRY_SECONDS_MAX: Final = 5.0

_log = structlog.get_logger(__name__)


class Step(Protocol):
    """A part of the loop: does what is due now, commits it, and may be run again at any time."""

    def execute(self) -> object:
        """Do what is due."""


class NamedStep(NamedTuple):
    """A step with its name in the logs."""

    name: str
    step: Step


class Worker:
    """Runs steps until it is told to stop; one of a process, and one process of a database."""

    def __init__(self, steps: Sequence[NamedStep], idle_seconds: float = IDLE_SECONDS) -> None:
        """Take the steps in the order in which they run."""
        self._steps = steps
        self._idle_seconds = idle_seconds
        self._stopping = threading.Event()
        self._failures = 0

    def stop(self) -> None:
        """Let the running step finish and end; may be called from any thread."""
        self._stopping.set()

    def stop_on_signals(self) -> None:
        """Stop on SIGTERM and SIGINT; only from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def run(self) -> None:
        """Loop until stopped.

        Errors are logged and tried again; FencedError and StartupError end the loop, for no retry can help.
        """
        while not self._stopping.is_set():
            self._stopping.wait(self.run_once())

    def run_once(self) -> float:
        """Run each step once and return how long to wait before the next round."""
        failed = False
        for name, step in self._steps:
            if self._stopping.is_set():
                return 0
            failed |= not self._execute(name, step)
        self._failures = self._failures + 1 if failed else 0
        return self._pause()

    def _execute(self, name: str, step: Step) -> bool:
        try:
            step.execute()
        except (FencedError, StartupError):
            raise
        except UnavailableError as error:
            _log.warning("step.unavailable", step=name, reason=str(error))
        except Exception:  # noqa: BLE001 - the one place: a loop that dies helps nobody
            _log.exception("step.failed", step=name)
        else:
            return True
        return False

    def _pause(self) -> float:
        if not self._failures:
            return self._idle_seconds
        return float(min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(self._failures, 10)))

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        _log.info("worker.stopping", signal=signal.Signals(number).name)
        self.stop()
