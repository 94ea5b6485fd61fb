# SPDX-License-Identifier: Apache-2.0
"""Reads how the gateway stands: its requests, its venue, and how far that is behind the ledger."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import TimeoutError as Late
from threading import Lock
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from stoken.db import reading
from stoken.errors import UnavailableError
from stoken.mirror.store import read_checkpoint
from stoken.orders.actor import VenueActor
from stoken.orders.venue import Venue
from stoken.telemetry.metrics import Counts, Sample, render

#: A venue that does not answer for so long hangs, or is gone.
ANSWER_SECONDS: Final = 5.0
_STATUS_CLASS: Final = 100


class GatewayStanding(msgspec.Struct, frozen=True):
    """Whether orders are taken: `alarms` says why not."""

    ready: bool
    alarms: tuple[str, ...]
    block: int


class _Seen(NamedTuple):
    """What the venue says of itself between two commits."""

    entries: int
    open_orders: int
    block: int
    current: bool
    halted: int


class GatewayMonitor:
    """The state of a gateway's process; read from another thread than its event loop."""

    def __init__(self, actor: VenueActor, ledger: Engine, counts: Counts) -> None:
        """Take the venue, the database of `work`, and what order flow is counted in."""
        self._actor = actor
        self._ledger = ledger
        self._counts = counts
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = 0
        self._lock = Lock()

    def enter(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Ask the venue on this event loop from now on, or no more."""
        self._loop = loop

    def began(self) -> None:
        """Note that a request is under way."""
        with self._lock:
            self._open += 1

    def ended(self, status: int) -> None:
        """Note that it was answered; a status of zero stands for a client that went away."""
        with self._lock:
            self._open -= 1
        if status:
            self._counts.add("stoken_http_requests_total", 1, f"{status // _STATUS_CLASS}xx")

    def is_live(self) -> bool:
        """Tell whether the venue answers."""
        return self._seen() is not None

    def standing(self) -> GatewayStanding:
        """Say whether the venue answers, on a ledger that is current, with no token halted."""
        seen = self._seen()
        if seen is None:
            return GatewayStanding(ready=False, alarms=("venue",), block=-1)
        alarms = (*(() if seen.current else ("ledger",)), *(("halted",) if seen.halted else ()))
        return GatewayStanding(not alarms, alarms, seen.block)

    def metrics(self) -> bytes:
        """Return every metric of the gateway as Prometheus reads it."""
        seen = self._seen()
        samples = [
            Sample("stoken_http_requests_open", self._open),
            Sample("stoken_venue_up", seen is not None),
            Sample("stoken_venue_queue", self._actor.waiting),
        ]
        return render(self._counts, samples if seen is None else [*samples, *self._of_venue(seen)])

    def _of_venue(self, seen: _Seen) -> Iterator[Sample]:
        yield Sample("stoken_venue_journal_entries", seen.entries)
        yield Sample("stoken_venue_orders_open", seen.open_orders)
        yield Sample("stoken_venue_block", seen.block)
        yield Sample("stoken_venue_ledger_current", seen.current)
        yield Sample("stoken_venue_halted_tokens", seen.halted)
        try:
            with reading(self._ledger) as connection:
                final = read_checkpoint(connection).final_number
        except SQLAlchemyError:
            return
        yield Sample("stoken_venue_lag_blocks", max(0, final - seen.block))

    def _seen(self) -> _Seen | None:
        loop = self._loop
        if loop is None or not loop.is_running():
            return None
        asked = asyncio.run_coroutine_threadsafe(self._actor.read(_look), loop)
        try:
            return asked.result(ANSWER_SECONDS)
        except (UnavailableError, Late, asyncio.CancelledError):
            asked.cancel()
            return None


def _look(venue: Venue) -> _Seen:
    state = venue.state
    current = state.ledger_current and state.chain.block_number >= 0
    halted = len({*state.halted_tokens, *state.broken_tokens})
    return _Seen(state.sequence, len(state.open_orders), state.chain.block_number, current, halted)
