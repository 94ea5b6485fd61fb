# SPDX-License-Identifier: Apache-2.0
"""Replay: apply a journal's entries to a fresh venue and compare every outcome byte for byte.

It needs the rows and nothing else: no database, no node, no clock.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from stoken.orders import entries, outcomes
from stoken.orders.outcomes import Trade
from stoken.orders.venue import Venue


class JournalRow(NamedTuple):
    """One entry and its outcome, as stored."""

    sequence: int
    entry: bytes
    outcome: bytes


class Replay(NamedTuple):
    """What a replay found; `mismatch` is the first sequence whose outcome differs, None where none does."""

    entries: int
    trades: int
    log_hash: str
    trades_hash: str
    mismatch: int | None
    venue: Venue


def replay(rows: Iterable[JournalRow]) -> Replay:
    """Apply the rows in order to a fresh venue; stops at the first outcome that differs from the stored one."""
    venue = Venue()
    log, traded = hashlib.sha256(), hashlib.sha256()
    count = trades = 0
    mismatch = None
    for row in rows:
        outcome = venue.apply(entries.decode(row.entry))
        count += 1
        log.update(row.entry)
        for event in outcome.events:
            if isinstance(event, Trade):
                trades += 1
                traded.update(outcomes.encode_trade(event))
        if outcome.sequence != row.sequence or outcomes.encode(outcome) != row.outcome:
            mismatch = row.sequence
            break
    return Replay(count, trades, log.hexdigest(), traded.hexdigest(), mismatch, venue)
