# SPDX-License-Identifier: Apache-2.0
"""Builds engines, clients, clocks and services once, from `Settings`; nothing is made at import."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom
from threading import Lock
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, make_url

from stoken.chain import eip712, texts, validators
from stoken.chain import suite as suites
from stoken.chain.capabilities import Capabilities, probe
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.chain.validators import Validators
from stoken.db import note_commits, open_engine, schema, unit_of_work
from stoken.db.binding import bind_chain
from stoken.domain.identifiers import is_lei, member_id
from stoken.domain.rulebook import Rulebook
from stoken.drift import records as drift_records
from stoken.drift.step import DriftStep
from stoken.errors import StartupError
from stoken.issuance.deploy import Charter, Deployment
from stoken.issuance.issue_file import read_issue_files
from stoken.issuance.step import IssuanceStep
from stoken.ledger.breaks import broken, halted_tokens
from stoken.ledger.final_blocks import FinalBlocks
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.reconciliation import Reconciliation, SupplyStep
from stoken.ledger.roots import RootsStep
from stoken.ledger.sweep import Sweep, VerifyStep
from stoken.ledger.verification import Verification
from stoken.mirror import BlockClock, Finality, MirrorStep, Projection, Window, Witness
from stoken.mirror.heartbeat import Heartbeat, Limits, health
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.mirror.roots import read_roots
from stoken.mirror.utc import ClockWatch
from stoken.monitoring.monitor import Monitor
from stoken.orders.actor import VenueActor
from stoken.orders.entries import VenueOpened
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.parties.pseudonym import Pseudonyms
from stoken.settings import AuthSettings, Settings, VenueSettings
from stoken.settlement.instructions import failures_after
from stoken.settlement.step import SettlementStep
from stoken.telemetry.metrics import Counts
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.key_gate import KeyGate
from stoken.transactions.keys import founding_policy, open_signers, retired_keys
from stoken.transactions.outbox import Outbox
from stoken.transactions.watch import WatchStep
from stoken.transactions.withdraw import WithdrawStep

#: A chain whose last block is younger counts as moving, where no idle limit is set.
_MOVING_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class VenueIdentity:
    """Whose venue the gateway serves; `separator` is the EIP-712 domain of its settlement contract."""

    member: bytes
    cash: bytes
    separator: bytes


@dataclass(frozen=True, slots=True)
class GatewayServices:
    """What the gateway needs: `market` is the database of `serve`, `ledger` that of `work`, read only."""

    actor: VenueActor
    market: Engine
    ledger: Engine
    venue: VenueIdentity
    pseudonyms: Pseudonyms
    auth: AuthSettings
    token_key: bytes
    demo_clock: bool = False
    clock: Callable[[], int] = time.time_ns
    #: One request is stored at a time, so that their sequence is dense.
    inbox_lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's services, what follows the ledger for them, and the entry that opens the venue."""

    services: GatewayServices
    feed: BlockFeed
    opening: VenueOpened

    async def start(self) -> None:
        """Start the actor and open the venue, or change its rulebook; StartupError for another venue's journal."""
        actor, opening = self.services.actor, self.opening
        await actor.start()
        before = await actor.read(lambda venue: venue.state.opened)
        if before is not None and _identity(before) != _identity(opening):
            await actor.stop()
            raise StartupError("the journal belongs to another venue or another chain")
        if before is None or before.rulebook != opening.rulebook:
            await actor.submit(opening)


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
        engine, market, rpc, capabilities = _open(stack, settings)
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


def finality_of(settings: Settings) -> Finality:
    """Return the rule by which blocks of the configured engine are final."""
    return Finality(settings.rpc.finality_depth, sealed=settings.rpc.finality == "qbft")


def deploy(settings: Settings, charter: Charter) -> Suite:
    """Put the suite on the chain and write the suite file; run again after a crash, it finishes the same deployment."""
    with ExitStack() as stack:
        engine, _, rpc, capabilities = _open(stack, settings)
        outbox = open_outbox(settings, capabilities)
        outbox.take_over(engine, rpc)
        deployment = Deployment(engine, rpc, outbox, capabilities)
        suite = deployment.sign(charter)
        suites.save(suite, settings.suite_file)
        deployment.finish(suite, finality_of(settings))
    return suite


def _open(stack: ExitStack, settings: Settings) -> tuple[Engine, Engine, RpcClient, Capabilities]:
    """Open databases and node, and bind the database of `work` to the node's chain; the stack closes them."""
    engine, market = open_databases(settings)
    stack.callback(engine.dispose)
    stack.callback(market.dispose)
    for each in (engine, market):
        schema.check(each)
    rpc, capabilities = connect(settings)
    stack.callback(rpc.close)
    with unit_of_work(engine) as connection:
        bind_chain(connection, capabilities.chain_id, capabilities.genesis_hash)
    return engine, market, rpc, capabilities


def connect(settings: Settings) -> tuple[RpcClient, Capabilities]:
    """Return a client of the node and what the node can do; refuses a node that charges for gas."""
    with RpcClient(settings.rpc.url, settings.rpc.timeout_seconds) as first:
        capabilities = probe(first)
    return RpcClient(settings.rpc.url, settings.rpc.timeout_seconds, capabilities.max_batch), capabilities


def open_outbox(settings: Settings, capabilities: Capabilities, gate: KeyGate | None = None) -> Outbox:
    """Open the signers of the sender keys; the outbox signs after `take_over`, and only what the gate lets pass."""
    signers = open_signers(settings.signer)
    holder = settings.signer.holder or socket.gethostname()
    check = partial(texts.check, names=_issue_names(settings))
    return Outbox(signers, capabilities.chain_id, retired_keys(settings.signer), holder, check, gate)


def key_gate(settings: Settings, suite: Suite) -> KeyGate:
    """Build what holds sender keys back from acts that the key policy's keys did not approve."""
    return KeyGate(suite.chain_id, suite["authority"], founding_policy(settings.signer))


def _issue_names(settings: Settings) -> frozenset[str] | None:
    if settings.issue_file is None:
        return None
    issues = read_issue_files(settings.issue_file.read_bytes())
    return frozenset(name for issue in issues for name in (issue.name_en, issue.short_code))


def check_chain(suite: Suite, capabilities: Capabilities) -> None:
    """Raise StartupError where the node is on another chain than the suite."""
    if (suite.chain_id, suite.genesis_hash) != (capabilities.chain_id, capabilities.genesis_hash):
        raise StartupError(
            f"the suite was deployed on chain {suite.chain_id} (genesis 0x{suite.genesis_hash.hex()}), "
            f"the node is on chain {capabilities.chain_id} (genesis 0x{capabilities.genesis_hash.hex()})"
        )


def open_databases(settings: Settings) -> tuple[Engine, Engine]:
    """Return the databases of `work` and of `serve`, which PostgreSQL holds in one."""
    url = settings.database.url.get_secret_value()
    other = settings.database.market_url
    return open_engine(url), open_engine(other.get_secret_value() if other else _market_url(url))


def gateway(settings: Settings, clock: Callable[[], int] = time.time_ns) -> Gateway:
    """Build the gateway; StartupError says in one line why this process must not start."""
    token_key = _token_key(settings.auth.public_key_file)
    pseudonyms = _pseudonyms(settings.venue)
    suite = suites.load(settings.suite_file)
    opening = _opening(settings, suite)
    ledger, market = open_databases(settings)
    for engine in (ledger, market):
        schema.check(engine)
    with unit_of_work(market) as connection:
        bind_chain(connection, suite.chain_id, suite.genesis_hash)
    actor = VenueActor.open(market, clock)
    watch = ClockWatch(market, "serve", settings.clock.period_seconds, time.time_ns)
    separator = eip712.domain(eip712.DVP_SETTLEMENT, suite.chain_id, opening.settlement)
    services = GatewayServices(
        actor=actor,
        market=market,
        ledger=ledger,
        venue=VenueIdentity(opening.venue, opening.cash, separator),
        pseudonyms=pseudonyms,
        auth=settings.auth,
        token_key=token_key,
        demo_clock=settings.venue.demo_clock,
        clock=clock,
    )
    feed = BlockFeed(
        actor,
        ledger,
        failures_after,
        health=lambda connection: _health(connection, clock(), settings, watch),
    )
    return Gateway(services, feed, opening)


def limits_of(settings: Settings) -> Limits:
    """Return how far the mirror may be from the chain while orders are taken."""
    configured = settings.mirror
    return Limits(
        configured.stale_seconds_max * 1_000_000_000,
        configured.lag_blocks_max,
        configured.idle_seconds_max * 1_000_000_000,
    )


def _health(connection: Connection, now_ns: int, settings: Settings, watch: ClockWatch) -> LedgerHealth:
    watch.execute()
    found = health(connection, now_ns, limits_of(settings))
    halted = tuple(sorted({*halted_tokens(connection), *drift_records.open_tokens(connection)}))
    reason = found.reason or ("clock" if watch.refuses else "differs" if halted else "")
    verified = read_roots(connection).number
    return LedgerHealth(found.current and not watch.refuses, halted, found.head, reason, *broken(connection), verified)


def _market_url(url: str) -> str:
    """Return the sibling file of a SQLite database; PostgreSQL is its own sibling."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return url
    path = Path(parsed.database)
    return f"sqlite:///{path.with_name(f'{path.stem}-market.db')}"


def _token_key(path: Path | None) -> bytes:
    if path is None:
        raise StartupError("STOKEN_AUTH__PUBLIC_KEY_FILE is not set: whose access tokens are to be trusted?")
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartupError(f"the access-token key {path} cannot be read: {error.strerror}") from error


def _pseudonyms(settings: VenueSettings) -> Pseudonyms:
    path = settings.pseudonym_key_file
    if path is None:
        raise StartupError("STOKEN_VENUE__PSEUDONYM_KEY_FILE is not set: how are persons to be told apart?")
    try:
        return Pseudonyms(settings.pseudonym_key_id, path.read_bytes())
    except OSError as error:
        raise StartupError(f"the pseudonym key {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StartupError(f"the pseudonym key {path} has fewer than 32 bytes") from error


def _opening(settings: Settings, suite: Suite) -> VenueOpened:
    if not is_lei(settings.venue.lei):
        raise StartupError(f"STOKEN_VENUE__LEI {settings.venue.lei} is not a valid LEI (check digit)")
    return VenueOpened(
        received_at_ns=0,
        venue=member_id(settings.venue.lei),
        chain_id=suite.chain_id,
        settlement=suite["settlement"],
        cash=suite["deposit"],
        mic=settings.venue.mic,
        rulebook=Rulebook(),
    )


def _identity(opened: VenueOpened) -> tuple[bytes, int, bytes, bytes]:
    return opened.venue, opened.chain_id, opened.settlement, opened.cash
