# SPDX-License-Identifier: Apache-2.0
"""The venue's part of the Q1-Q6 log: Q5 of open orders after each final block, and at a close over all of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, Engine

from stoken.db import reading, unit_of_work
from stoken.domain.codes import Side
from stoken.domain.facts import Address, MemberId
from stoken.domain.order_states import TradeStatus
from stoken.errors import StartupError
from stoken.ledger import breaks, reconciliation
from stoken.ledger.invariants import Invariant, subject_of
from stoken.ledger.reconciliation import Evaluation
from stoken.ledger.verification import INVARIANTS
from stoken.mirror.store import Checkpoint
from stoken.orders import entries, outcomes
from stoken.orders.entries import BlockApplied
from stoken.orders.journal import Journal, read_rows
from stoken.orders.outcomes import CoverEvaluated
from stoken.orders.replay import JournalRow, replay
from stoken.orders.standings import Held, Standing, evaluate, held_for, sides
from stoken.orders.state import VenueState
from stoken.transactions import cursors

CURSOR: Final = "cover.journal"
_NAME: Final = "Q5"
_ROWS: Final = 1_000
#: What an outcome that says something of cover contains; the others need not be decoded.
_TAG: Final = CoverEvaluated.__name__.encode()
_log = structlog.get_logger(__name__)


class _Told(NamedTuple):
    """What the journal says of cover after one block."""

    block: BlockApplied
    events: list[CoverEvaluated]


class CoverStep:
    """One step of the worker's loop: tails the journal; a broken evaluation opens its case and stamps its notices."""

    def __init__(self, engine: Engine, market: Engine, clock: Callable[[], int]) -> None:
        """Take work's database, serve's to read the journal from, and a clock in nanoseconds UTC."""
        self._engine = engine
        self._market = market
        self._clock = clock
        self._read_to: int | None = None
        #: The figures last logged, by subject.
        self._logged: dict[str, tuple[int, int]] = {}

    def execute(self) -> int:
        """Log what is new and return how many evaluations that were."""
        if self._read_to is None:
            with reading(self._engine) as connection:
                self._read_to = cursors.position(connection, CURSOR)
        rows = read_rows(self._market, self._read_to, _ROWS)
        told = list(_told(rows))
        done = 0
        # The cursor alone is worth no commit, but for a long stretch.
        if told or len(rows) == _ROWS:
            logged = dict(self._logged)
            with unit_of_work(self._engine) as connection:
                names = _names(connection, [event.token for each in told for event in each.events])
                done = sum(self._record(connection, each, names, logged) for each in told)
                cursors.move(connection, CURSOR, rows[-1].sequence)
            self._logged = logged
        self._read_to = rows[-1].sequence if rows else self._read_to
        return done or int(len(rows) == _ROWS)

    def _record(
        self, connection: Connection, told: _Told, names: dict[Address, str], logged: dict[str, tuple[int, int]]
    ) -> int:
        found = [_invariant(names[event.token], event) for event in told.events]
        for each, event in zip(found, told.events, strict=True):
            if not each.holds:
                _log.error("cover.broken", subject=each.subject, account=f"0x{event.account.hex()}")
        news = [each for each in found if not each.holds or logged.get(each.subject) != (each.left, each.right)]
        logged.update({each.subject: (each.left, each.right) for each in news})
        at = Checkpoint(told.block.number, told.block.hash, told.block.number, told.block.time)
        reconciliation.record(connection, news, names, at, self._clock())
        return len(news)


def close_cover(engine: Engine, market: Engine, now_ns: int) -> list[Evaluation]:
    """Replay the journal, count what its open orders and unsettled trades need anew, and log Q5 of all of them.

    Of an issue without open orders, zero is logged for the venue. StartupError where the journal replays to another
    outcome than it holds.
    """
    found = replay(Journal(market).rows())
    if found.mismatch is not None:
        raise StartupError(f"the journal's entry {found.mismatch} replays to another outcome than it holds")
    state, chain = found.venue.state, found.venue.state.chain
    if chain.block_number < 0:
        return []
    at = Checkpoint(chain.block_number, chain.block_hash, chain.block_number, chain.block_time)
    events = evaluate(state, _recounted(state))
    with unit_of_work(engine) as connection:
        names = _names(connection, [*state.instruments_by_token, state.cash])
        said = [_invariant(names[event.token], event) for event in events]
        said += _nothing_reserved(connection, said, names.values(), state.venue)
        return reconciliation.record(connection, said, names, at, now_ns, at_close=True)


def _told(rows: Sequence[JournalRow]) -> Iterator[_Told]:
    for row in rows:
        events = outcomes.decode(row.outcome).events if _TAG in row.outcome else ()
        found = [event for event in events if isinstance(event, CoverEvaluated)]
        entry = entries.decode(row.entry) if found else None
        if isinstance(entry, BlockApplied):
            yield _Told(entry, found)


def _recounted(state: VenueState) -> dict[Held, Standing]:
    """Count anew what open orders and unsettled trades need, and set it beside what the chain holds."""
    reserved, in_flight = Counter[Held](), Counter[Held]()
    for record in state.open_orders.values():
        value = 1 if record.side == Side.SELL else record.entry.order.price
        reserved[held_for(state, record)] += record.leaves_quantity * value
    for trade in (each.trade for each in state.trades.values() if each.status is not TradeStatus.SETTLED):
        in_flight[Held(trade.token, trade.sell.account)] += trade.quantity
        in_flight[Held(state.cash, trade.buy.cash_account)] += trade.quantity * trade.price
    return {held: sides(state, held, units, in_flight[held]) for held, units in reserved.items()}


def _nothing_reserved(
    connection: Connection, evaluated: Iterable[Invariant], names: Iterable[str], venue: MemberId
) -> list[Invariant]:
    """Return zero for what has no open order: issues, for the venue, and what a case still says is broken."""
    said = {each.subject for each in evaluated}
    issues = {subject.partition("/")[0] for subject in said}
    subjects = [subject_of(name, venue) for name in names if name not in issues]
    broken = [case.key for case in breaks.cases(connection, only_open=True) if case.table == INVARIANTS]
    subjects += [key[1] for key in broken if reconciliation.of_venue(*key) and key[1] not in said]
    return [Invariant(_NAME, subject, 0, 0, holds=True) for subject in dict.fromkeys(subjects)]


def _invariant(name: str, event: CoverEvaluated) -> Invariant:
    return Invariant(_NAME, subject_of(name, event.member), event.promised, event.held, event.promised <= event.held)


def _names(connection: Connection, tokens: Iterable[Address]) -> dict[Address, str]:
    """Return by which name the log knows a token: its ISIN, or a deposit token's address."""
    isins = reconciliation.isins(connection)
    return {token: isins.get(token) or f"0x{token.hex()}" for token in tokens}
