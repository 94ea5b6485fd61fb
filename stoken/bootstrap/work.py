# SPDX-License-Identifier: Apache-2.0
"""Builds the steps of `stoken work`, in the order in which it runs them."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Final, Protocol

from sqlalchemy import Engine

from stoken.bootstrap.connections import check_chain, finality_of, limits_of, open_all
from stoken.bootstrap.signing import key_gate, open_outbox
from stoken.chain import suite as suites
from stoken.chain import validators
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.chain.validators import Validators
from stoken.db import note_commits
from stoken.domain.identifiers import member_id
from stoken.drift.step import DriftStep
from stoken.issuance.step import IssuanceStep
from stoken.ledger.final_blocks import FinalBlocks
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.reconciliation import Reconciliation, SupplyStep
from stoken.ledger.roots import RootsStep
from stoken.ledger.sweep import Sweep, VerifyStep
from stoken.ledger.verification import Verification
from stoken.mirror import BlockClock, MirrorStep, Projection, Window, Witness
from stoken.mirror.heartbeat import Heartbeat
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.mirror.utc import ClockWatch
from stoken.monitoring.monitor import Monitor
from stoken.settings import Settings
from stoken.settlement.step import SettlementStep
from stoken.telemetry.metrics import Counts
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.watch import WatchStep
from stoken.transactions.withdraw import WithdrawStep

#: A chain whose last block is younger counts as moving, where no idle limit is set.
_MOVING_SECONDS: Final = 30


class Step(Protocol):
    """A part of the worker's loop: does what is due, commits it, and returns how much that was."""

    def execute(self) -> int:
        """Do what is due; harmless when repeated, also after a crash."""


class _Following:
    """The mirror as a step: zero only at the head."""

    def __init__(self, mirror: MirrorStep, heartbeat: Heartbeat, counts: Counts) -> None:
        self._mirror = mirror
        self._heartbeat = heartbeat
        self._counts = counts

    def execute(self) -> int:
        progress = self._mirror.execute()
        self._counts.add("stoken_mirror_blocks_total", progress.blocks)
        self._counts.add("stoken_mirror_logs_total", progress.logs)
        self._counts.add("stoken_mirror_reorgs_total", progress.unwound > 0)
        self._counts.add("stoken_mirror_unwound_blocks_total", progress.unwound)
        self._heartbeat.beat(progress.head - progress.number, progress.blocks, progress.logs)
        return 0 if progress.caught_up else max(1, progress.blocks)


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """What the worker runs, in this order; `close` ends the connections."""

    engine: Engine
    market: Engine
    rpc: RpcClient
    steps: tuple[tuple[str, Step], ...]
    monitor: Monitor

    def close(self) -> None:
        """Close the node's and the databases' connections."""
        self.rpc.close()
        self.engine.dispose()
        self.market.dispose()


def worker(settings: Settings) -> WorkerServices:
    """Build the worker; StartupError says in one line why this process must not start."""
    suite = suites.load(settings.suite_file)
    with ExitStack() as stack:
        engine, market, rpc, capabilities = open_all(stack, settings)
        check_chain(suite, capabilities)
        outbox = open_outbox(settings, capabilities, key_gate(settings, suite))
        outbox.take_over(engine, rpc)
        ledger = LedgerProjection(suite.contracts)
        reconciliation = Reconciliation(ledger, time.time_ns)
        mirror = _mirror(stack, settings, engine, rpc, (ledger, reconciliation))
        verification = Verification(suite.contracts, PinnedCalls(rpc))
        reader = ChainReader(rpc, sealed=finality_of(settings).sealed)
        sweep = Sweep(engine, verification, time.time_ns)
        counts = Counts()
        note_commits(engine, counts.committed)
        broadcast = BroadcastStep(engine, rpc, capabilities, pool_max=settings.rpc.pool_transactions_max, counts=counts)
        steps: tuple[tuple[str, Step], ...] = (
            ("mirror", _Following(mirror, Heartbeat(engine, time.time_ns, limits_of(settings)), counts)),
            ("roots", RootsStep(engine, reader, time.time_ns, counts)),
            ("supplies", SupplyStep(engine, verification, reconciliation, time.time_ns)),
            ("clock", ClockWatch(engine, "work", settings.clock.period_seconds, time.time_ns)),
            ("verify", VerifyStep(sweep, settings.mirror.verify_rows_per_second, time.monotonic_ns, counts)),
            ("watch", WatchStep(engine, rpc, outbox)),
            ("issuance", IssuanceStep(engine, market, outbox, suite, capabilities.gas_limit)),
            ("settlement", SettlementStep(engine, market, outbox, suite, member_id(settings.venue.lei))),
            ("withdraw", WithdrawStep(engine, outbox, capabilities)),
            ("broadcast", broadcast),
            ("confirm", ConfirmStep(engine, rpc, counts)),
            ("drift", _drift(settings, engine, rpc, suite)),
        )
        asked = partial(_validators, rpc, settings.mirror.idle_seconds_max or _MOVING_SECONDS)
        monitor = Monitor(engine, broadcast, limits_of(settings), asked, counts)
        stack.pop_all()
    return WorkerServices(engine, market, rpc, steps, monitor)


def _validators(rpc: RpcClient, moving_seconds: int) -> Validators | None:
    return validators.ask(rpc, int(time.time()), moving_seconds)


def _drift(settings: Settings, engine: Engine, rpc: RpcClient, suite: Suite) -> DriftStep:
    drift = settings.drift
    # Which moves are chosen must not be foreseen; nothing else depends on it.
    chooser = SystemRandom()
    return DriftStep(engine, rpc, suite.contracts, drift.period_seconds, drift.samples, time.time_ns, chooser)


def _mirror(
    stack: ExitStack, settings: Settings, engine: Engine, rpc: RpcClient, projections: Sequence[Projection]
) -> MirrorStep:
    """Build the mirror as it is configured; the stack closes the witness's connections."""
    configured, finality = settings.mirror, finality_of(settings)
    witness = None
    if configured.witness_url is not None:
        second = RpcClient(configured.witness_url, settings.rpc.timeout_seconds)
        stack.callback(second.close)
        witness = Witness(second, required=configured.witness_required)
    return MirrorStep(
        engine,
        rpc,
        [*projections, FinalBlocks(time.time_ns, finality.rule)],
        finality,
        window=Window(configured.range_blocks, configured.range_logs),
        witness=witness,
        clock=BlockClock(time.time_ns, configured.skew_seconds_max),
    )
