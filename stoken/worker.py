# SPDX-License-Identifier: Apache-2.0
"""The one loop: run each step, each in its own commits, then sleep; a signal lets the running step finish."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import structlog

from stoken import bootstrap
from stoken.bootstrap import Step
from stoken.errors import FencedError, StartupError, UnavailableError
from stoken.mirror.step import ReorgTooDeepError
from stoken.monitoring.listener import listening
from stoken.settings import Settings

IDLE_SECONDS: Final = 0.1
#: After an error the loop waits this long, doubled each time, up to the maximum.
RETRY_SECONDS: Final = 0.2
RETRY_SECONDS_MAX: Final = 5.0
#: No retry can help: an operator must decide, and nothing may be sent meanwhile.
FATAL: Final = (FencedError, StartupError, ReorgTooDeepError)

#: Hears of each run of a step: its name, its seconds, and what ended it.
Ran = Callable[[str, float, Exception | None], None]

_log = structlog.get_logger(__name__)


class Worker:
    """Runs steps until it is told to stop; one of a process, and one process of a database."""

    def __init__(
        self,
        steps: Sequence[tuple[str, Step]],
        idle_seconds: float = IDLE_SECONDS,
        ran: Ran | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        """Take the steps, with their names in the logs, in the order in which they run, and who hears of each run.

        `stopping` may be set from outside, also before the first step.
        """
        self._steps = steps
        self._idle_seconds = idle_seconds
        self._ran = ran
        self._stopping = stopping or threading.Event()
        self._failures = 0

    def stop(self) -> None:
        """Let the running step finish and end; may be called from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Loop until stopped.

        Errors are logged and tried again; those of FATAL end the loop.
        """
        while not self._stopping.is_set():
            self._stopping.wait(self.run_once())

    def run_once(self) -> float:
        """Run each step once and return how long to wait before the next round: not at all after work was done."""
        worked, failed = False, False
        for name, step in self._steps:
            if self._stopping.is_set():
                return 0
            done = self._execute(name, step)
            failed |= done is None
            worked |= bool(done)
        self._failures = self._failures + 1 if failed else 0
        if self._failures:
            return float(min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(self._failures, 10)))
        return 0 if worked else self._idle_seconds

    def _execute(self, name: str, step: Step) -> int | None:
        """Return how much the step did, None where it failed."""
        began = time.monotonic()
        done: int | None = None
        failure: Exception | None = None
        try:
            done = step.execute()
        except FATAL:
            raise
        except UnavailableError as error:
            failure = error
            _log.warning("step.unavailable", step=name, reason=str(error))
        except Exception as error:  # noqa: BLE001 - the one place: a loop that dies helps nobody
            failure = error
            _log.exception("step.failed", step=name)
        if self._ran is not None:
            self._ran(name, time.monotonic() - began, failure)
        return done


def _stop_on_signals(stopping: threading.Event) -> None:
    """Set an event on SIGTERM and SIGINT; only from the main thread."""

    def stop(number: int, _frame: FrameType | None) -> None:
        _log.info("worker.stopping", signal=signal.Signals(number).name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def work(settings: Settings) -> None:
    """Run the worker until a signal stops it; StartupError where it must not start, any of FATAL where it must end."""
    stopping = threading.Event()
    # Before all else: a start may take long, and what it began must be closed.
    _stop_on_signals(stopping)
    services = bootstrap.worker(settings)
    try:
        with listening(services.monitor, settings.monitoring):
            Worker(services.steps, ran=services.monitor.ran, stopping=stopping).run()
    finally:
        services.close()
