# SPDX-License-Identifier: Apache-2.0
"""Builds what `stoken serve` needs: the venue, its keys, and what follows the ledger for it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine

from stoken.bootstrap.connections import limits_of, open_databases
from stoken.chain import eip712
from stoken.chain import suite as suites
from stoken.chain.suite import Suite
from stoken.db import schema, unit_of_work
from stoken.db.binding import bind_chain
from stoken.domain.identifiers import is_lei, member_id
from stoken.domain.rulebook import Rulebook
from stoken.drift import records as drift_records
from stoken.errors import StartupError
from stoken.ledger.breaks import broken, halted_tokens
from stoken.mirror.heartbeat import health
from stoken.mirror.utc import ClockWatch
from stoken.mirror.verified import verified_to
from stoken.monitoring.venue import GatewayMonitor
from stoken.orders.actor import VenueActor
from stoken.orders.entries import DECISIONS, VenueOpened
from stoken.orders.feed import BlockFeed, LedgerHealth
from stoken.parties.pseudonym import Pseudonyms
from stoken.settings import AuthSettings, Settings, VenueSettings
from stoken.settlement.instructions import failures_after
from stoken.telemetry.metrics import SERVE, Counts


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
    monitor: GatewayMonitor

    async def start(self) -> None:
        """Start the actor and open the venue, or change its rulebook; StartupError for another venue's journal."""
        actor, opening = self.services.actor, self.opening
        await actor.start()
        self.monitor.enter(asyncio.get_running_loop())
        before = await actor.read(lambda venue: venue.state.opened)
        if before is not None and _identity(before) != _identity(opening):
            await actor.stop()
            raise StartupError("the journal belongs to another venue or another chain")
        if before is None or (before.rulebook, before.decisions) != (opening.rulebook, opening.decisions):
            await actor.submit(opening)


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
    counts = Counts(SERVE)
    actor = VenueActor.open(market, clock, counts)
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
    return Gateway(services, feed, opening, GatewayMonitor(actor, ledger, counts))


def _health(connection: Connection, now_ns: int, settings: Settings, watch: ClockWatch) -> LedgerHealth:
    watch.execute()
    found = health(connection, now_ns, limits_of(settings))
    halted = tuple(sorted({*halted_tokens(connection), *drift_records.open_tokens(connection)}))
    reason = found.reason or ("clock" if watch.refuses else "differs" if halted else "")
    verified = verified_to(connection)
    return LedgerHealth(found.current and not watch.refuses, halted, found.head, reason, *broken(connection), verified)


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
        decisions=DECISIONS,
    )


def _identity(opened: VenueOpened) -> tuple[bytes, int, bytes, bytes]:
    return opened.venue, opened.chain_id, opened.settlement, opened.cash
