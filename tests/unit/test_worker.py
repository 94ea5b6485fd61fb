# SPDX-License-Identifier: Apache-2.0
"""The loop runs its steps in order, survives their errors, and ends where no retry can help."""

import threading

import pytest

from stoken.errors import FencedError, LedgerUnavailableError
from stoken.worker import RETRY_SECONDS, RETRY_SECONDS_MAX, Worker


class Steps:
    """Steps that write down that they ran, and do what they are told."""

    def __init__(self, **results: int | Exception) -> None:
        self.ran: list[str] = []
        self._results = results

    def listed(self) -> list[tuple[str, "OneStep"]]:
        return [(name, OneStep(self, name, result)) for name, result in self._results.items()]


class OneStep:
    def __init__(self, steps: Steps, name: str, result: int | Exception) -> None:
        self._steps, self._name, self._result = steps, name, result

    def execute(self) -> int:
        self._steps.ran.append(self._name)
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


class TestRunOnce:
    def test_steps_run_in_their_order(self) -> None:
        steps = Steps(mirror=0, issuance=0, broadcast=0)
        assert Worker(steps.listed(), idle_seconds=1).run_once() == 1
        assert steps.ran == ["mirror", "issuance", "broadcast"]

    def test_after_work_there_is_no_pause(self) -> None:
        assert Worker(Steps(mirror=0, issuance=3).listed()).run_once() == 0

    def test_an_error_stops_no_other_step(self) -> None:
        steps = Steps(mirror=LedgerUnavailableError(), issuance=ZeroDivisionError(), broadcast=1)
        assert Worker(steps.listed()).run_once() > 0
        assert steps.ran == ["mirror", "issuance", "broadcast"]

    def test_errors_make_the_pause_longer_up_to_a_maximum(self) -> None:
        worker = Worker(Steps(mirror=LedgerUnavailableError()).listed())
        pauses = [worker.run_once() for _ in range(12)]
        assert pauses[0] == 2 * RETRY_SECONDS
        assert pauses == sorted(pauses)
        assert pauses[-1] == RETRY_SECONDS_MAX

    def test_a_fenced_writer_ends(self) -> None:
        steps = Steps(issuance=FencedError(), broadcast=1)
        with pytest.raises(FencedError):
            Worker(steps.listed()).run_once()
        assert steps.ran == ["issuance"]


class TestStop:
    def test_before_the_start_no_step_runs(self) -> None:
        steps, stopping = Steps(mirror=1), threading.Event()
        stopping.set()
        Worker(steps.listed(), stopping=stopping).run()
        assert steps.ran == []

    def test_the_running_step_is_the_last(self) -> None:
        steps = Steps(mirror=1, broadcast=1)
        listed = steps.listed()
        worker = Worker(listed)

        class Stopping(OneStep):
            def execute(self) -> int:
                worker.stop()
                return super().execute()

        listed[0] = ("mirror", Stopping(steps, "mirror", 1))
        worker.run()
        assert steps.ran == ["mirror"]
