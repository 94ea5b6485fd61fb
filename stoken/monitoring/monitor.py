# SPDX-License-Identifier: Apache-2.0
"""Reads how mirror and transactions stand, from the database and from the steps of this process."""

import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec
import structlog
from sqlalchemy import Connection, Engine

from stoken.chain.validators import Validators
from stoken.db import reading
from stoken.drift import records as drifts
from stoken.errors import LedgerUnavailableError
from stoken.ledger import breaks
from stoken.ledger.sweep import read_sweep
from stoken.mirror.heartbeat import Health, Limits, health, last_beat
from stoken.mirror.store import Checkpoint, read_checkpoint
from stoken.mirror.verified import verified_to
from stoken.telemetry.metrics import Counts, Sample, render
from stoken.transactions import measures
from stoken.transactions.pool import PoolFill

_SECOND_NS: Final = 1_000_000_000
#: A round of the loop waits for a node's time-outs a few times; one that takes longer hangs.
LIVE_SECONDS: Final = 300
_FAILING: Final = "step_failing"
_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """What sends: its window, its pool, and since when the oldest transaction waits."""

    @property
    def window(self) -> int:
        """Transactions that may be in flight."""

    @property
    def fill(self) -> PoolFill | None:
        """How full the node's pool is, None where it does not say."""

    def oldest_seconds(self) -> float:
        """Return for how long the oldest transaction was seen to wait."""


class Standing(msgspec.Struct, frozen=True):
    """Whether orders may rely on this worker: `alarms` says why not; None stands for what nobody knows."""

    ready: bool
    alarms: tuple[str, ...]
    block: int
    final_block: int
    head: int
    halted_tokens: tuple[str, ...]
    validators_alive: int | None = None
    validators_total: int | None = None


class Monitor:
    """The state of a worker's process; read from another thread than the loop's."""

    def __init__(
        self,
        engine: Engine,
        sender: Sender,
        limits: Limits,
        validators: Callable[[], Validators | None],
        counts: Counts | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Take the database of `work`, what sends, how far the mirror may lag, whom to ask for validators.

        `counts` is what the steps count in.
        """
        self._engine = engine
        self._sender = sender
        self._limits = limits
        self._validators = validators
        self._clock = clock
        self._failing: dict[str, str] = {}
        self._ran_at = time.monotonic()
        self.counts = counts or Counts()

    def ran(self, step: str, seconds: float, failure: Exception | None) -> None:
        """Note a run of a step: how long it took, and what ended it."""
        self._ran_at = time.monotonic()
        self.counts.add("stoken_step_seconds_total", seconds, step)
        if failure is None:
            self._failing.pop(step, None)
            return
        reason = type(failure).__name__
        self._failing[step] = reason
        self.counts.add("stoken_step_failures_total", 1, step, reason)
        if getattr(failure, "code", "") == "SIGNER_UNAVAILABLE":
            self.counts.add("stoken_signer_errors_total")
        if reason == "WitnessDisagreesError":
            self.counts.add("stoken_mirror_witness_disagreements_total")

    def is_live(self) -> bool:
        """Tell whether the loop goes round."""
        return time.monotonic() - self._ran_at < LIVE_SECONDS

    def standing(self) -> Standing:
        """Say whether the mirror is current and no alarm stands."""
        with reading(self._engine) as connection:
            return self._standing(connection, health(connection, self._clock(), self._limits))

    def metrics(self) -> bytes:
        """Return every metric as Prometheus reads it."""
        with reading(self._engine) as connection:
            now = self._clock()
            standing = self._standing(connection, health(connection, now, self._limits))
            samples = [
                *_of_standing(standing),
                *_of_mirror(connection, read_checkpoint(connection), now),
                *_of_ledger(connection, now),
                *_of_outbox(connection),
            ]
        return render(self.counts, [*samples, *self._of_sender()])

    def _standing(self, connection: Connection, found: Health) -> Standing:
        at, alive = read_checkpoint(connection), self._ask_validators()
        halted, drifted = breaks.halted_tokens(connection), drifts.open_tokens(connection)
        alarms = [found.reason] if not found.current else []
        alarms += ["ledger_differs"] if halted else []
        alarms += ["verdicts_differ"] if drifted else []
        alarms += ["too_few_validators"] if alive is not None and not alive.go_on else []
        # Another thread runs the steps.
        alarms += [f"{_FAILING}:{step}" for step in sorted(self._failing.copy())]
        return Standing(
            ready=not alarms,
            alarms=tuple(alarms),
            block=at.number,
            final_block=at.final_number,
            head=found.head,
            halted_tokens=tuple(f"0x{token.hex()}" if token else "all" for token in sorted({*halted, *drifted})),
            validators_alive=None if alive is None else alive.alive,
            validators_total=None if alive is None else alive.total,
        )

    def _ask_validators(self) -> Validators | None:
        try:
            return self._validators()
        except (LedgerUnavailableError, KeyError, TypeError, ValueError) as error:
            _log.warning("validators.unknown", reason=str(error))
            return None

    def _of_sender(self) -> Iterator[Sample]:
        yield Sample("stoken_outbox_oldest_seconds", self._sender.oldest_seconds())
        yield Sample("stoken_outbox_window", self._sender.window)
        fill = self._sender.fill
        if fill is not None:
            yield Sample("stoken_pool_transactions", fill.held)
            yield Sample("stoken_pool_limit", fill.limit)


def _of_standing(found: Standing) -> Iterator[Sample]:
    yield Sample("stoken_ready", found.ready)
    for alarm in found.alarms:
        yield Sample("stoken_alarm", 1, (alarm,))
    yield Sample("stoken_ledger_halted_tokens", len(found.halted_tokens))
    if found.validators_alive is not None and found.validators_total is not None:
        yield Sample("stoken_validators_alive", found.validators_alive)
        yield Sample("stoken_validators_total", found.validators_total)


def _of_mirror(connection: Connection, at: Checkpoint, now: int) -> Iterator[Sample]:
    yield Sample("stoken_mirror_block", at.number)
    yield Sample("stoken_mirror_final_block", at.final_number)
    yield Sample("stoken_mirror_verified_block", verified_to(connection))
    if at.number >= 0:
        yield Sample("stoken_mirror_lag_seconds", max(0, now // _SECOND_NS - at.time))
    beat = last_beat(connection)
    if beat is None:
        return
    yield Sample("stoken_mirror_lag_blocks", beat.lag_blocks)
    yield Sample("stoken_mirror_looked_seconds", max(0, now - beat.looked_at_ns) / _SECOND_NS)
    if beat.period_ns:
        yield Sample("stoken_mirror_blocks_per_second", beat.blocks * _SECOND_NS / beat.period_ns)
        yield Sample("stoken_mirror_logs_per_second", beat.logs * _SECOND_NS / beat.period_ns)


def _of_ledger(connection: Connection, now: int) -> Iterator[Sample]:
    yield Sample("stoken_ledger_quarantined_logs", breaks.quarantined_logs(connection))
    yield Sample("stoken_ledger_open_breaks", len(breaks.cases(connection, only_open=True)))
    swept = read_sweep(connection)
    if swept.completed_at_ns:
        yield Sample("stoken_ledger_verified_seconds", max(0, now - swept.completed_at_ns) / _SECOND_NS)


def _of_outbox(connection: Connection) -> Iterator[Sample]:
    for each in measures.waiting(connection):
        labels = (f"0x{each.sender.hex()}", each.status)
        yield Sample("stoken_outbox_transactions", each.transactions, labels)
        yield Sample("stoken_outbox_gas", each.gas, labels)
    yield Sample("stoken_outbox_held", measures.held(connection))
