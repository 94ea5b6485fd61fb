# SPDX-License-Identifier: Apache-2.0
"""Tails the venue's journal: trades become batches, with their instructions and cursor in one commit."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine

from stoken.chain.suite import Suite
from stoken.db import reading, unit_of_work
from stoken.domain.facts import MemberId, TradeFailed, TradeSettled
from stoken.domain.order_states import TradeStatus
from stoken.ledger.feed import decode_facts, final_blocks
from stoken.mirror.store import read_checkpoint
from stoken.mirror.verified import is_verified
from stoken.orders import outcomes
from stoken.orders.journal import read_rows
from stoken.orders.outcomes import Trade
from stoken.settlement import instructions
from stoken.settlement.encode import Batch, batch, batches, calldata
from stoken.settlement.instructions import Instruction
from stoken.telemetry.failpoints import reach
from stoken.transactions import cursors, outbox
from stoken.transactions.confirm import confirmed_to
from stoken.transactions.outbox import Outbox, OutboxRow

JOURNAL_CURSOR: Final = "settlement.journal"
LEDGER_CURSOR: Final = "settlement.ledger"
PURPOSE: Final = "settlement"

TRADES_MAX: Final = 50
BYTES_MAX: Final = 60_000
#: What a batch may use: 15 M gas at 50 trades. The contract wants 1.1 M left before each trade, also the last.
GAS_BASE: Final = 1_500_000
GAS_TRADE: Final = 270_000
#: The batch, then each of its trades alone.
ATTEMPTS_MAX: Final = 2
#: A trade that failed alone is tried again after so many blocks, until a deadline of its orders, and so often in all.
RETRY_BLOCKS: Final = 300
TRIES_MAX: Final = 10
_ROWS: Final = 1_000
_ROWS_HELD_MAX: Final = 5_000
_BLOCKS: Final = 500


class _Found(NamedTuple):
    """Trades of the journal after the cursor, each with its sequence; `read` counts rows, the last is `read_to`."""

    trades: list[tuple[int, Trade]]
    read: int
    read_to: int


class SettlementStep:
    """One step of the worker's loop."""

    def __init__(self, engine: Engine, market: Engine, outbox: Outbox, suite: Suite, venue: MemberId) -> None:
        """Take work's database, serve's to read the journal from, and the outbox that sends."""
        self._engine = engine
        self._market = market
        self._outbox = outbox
        self._contract = suite["settlement"]
        self._venue = venue

    def execute(self) -> int:
        """Learn what became of earlier trades, then send the next; return how many trades were sent.

        Nothing is learnt or sent while a final block of the mirror is unverified: it might lack a log.
        """
        with reading(self._engine) as connection:
            if not is_verified(connection):
                return 0
        self._learn()
        retried = self._retry() + self._retry_failed()
        return retried + self._decide()

    def _learn(self) -> None:
        """Move instructions on by the events of final blocks."""
        with reading(self._engine) as connection:
            at = cursors.position(connection, LEDGER_CURSOR)
            blocks = final_blocks(connection, at, _BLOCKS)
        if not blocks:
            return
        with unit_of_work(self._engine) as connection:
            for block in blocks:
                for fact in decode_facts(block.facts):
                    if isinstance(fact, TradeSettled | TradeFailed):
                        instructions.apply(connection, fact, self._venue, block.number)
            cursors.move(connection, LEDGER_CURSOR, blocks[-1].number)

    def _retry(self) -> int:
        """Send the trades of a transaction that failed as a whole once more, each alone; return how many those were."""
        with reading(self._engine) as connection:
            final = confirmed_to(connection)
            keys = instructions.matched_keys(connection)
            failed = [row for row in outbox.read_all(connection, keys) if _failed(row, final)]
        if not failed:
            return 0
        with unit_of_work(self._engine) as connection:
            return sum(self._retry_batch(connection, row) for row in sorted(failed, key=lambda each: each.nonce))

    def _retry_failed(self) -> int:
        """Send trades that failed alone some blocks ago once more; return how many those were."""
        with reading(self._engine) as connection:
            final = read_checkpoint(connection).final_number
            due = instructions.failed_by(connection, final - RETRY_BLOCKS, TRIES_MAX, TRADES_MAX)
            blocks = final_blocks(connection, final - 1, 1) if due else []
        if not blocks:
            return 0
        with unit_of_work(self._engine) as connection:
            return sum(self._retry_alone(connection, each, blocks[-1].time) for each in due)

    def _retry_alone(self, connection: Connection, instruction: Instruction, now: int) -> bool:
        trade = self._trade(instruction)
        in_time = now <= min(trade.buy.settle_by, trade.sell.settle_by)
        if in_time:
            self._send_alone(connection, instruction)
        else:
            instructions.give_up(connection, instruction, TRIES_MAX)
        return in_time

    def _retry_batch(self, connection: Connection, row: OutboxRow) -> int:
        carried = instructions.of_transaction(connection, row.key)
        open_ones = [each for each in carried if each.status is TradeStatus.MATCHED]
        for instruction in open_ones:
            # A trade that failed alone says why, and would say it again.
            if instruction.attempts == ATTEMPTS_MAX or len(carried) == 1:
                instructions.fail(connection, instruction, row.failure, row.block_number)
            else:
                self._send_alone(connection, instruction)
        return len(open_ones)

    def _send_alone(self, connection: Connection, instruction: Instruction) -> None:
        key = f"settle:{instruction.trade_id}:{instruction.attempts + 1}"
        self._enqueue(connection, key, batch([self._trade(instruction)]))
        instructions.retry(connection, instruction, key)

    def _trade(self, instruction: Instruction) -> Trade:
        (row,) = read_rows(self._market, instruction.sequence - 1, 1)
        return next(trade for trade in trades_of(row.outcome) if trade.trade_id == instruction.trade_id)

    def _decide(self) -> int:
        """Instruct the trades that the journal holds after the cursor."""
        with reading(self._engine) as connection:
            at = cursors.position(connection, JOURNAL_CURSOR)
            in_flight = outbox.in_flight(connection, PURPOSE)
        found = self._find(at)
        # While a batch is under way the next one fills up; a full one does not wait.
        waits = in_flight and 0 < len(found.trades) < TRADES_MAX and found.read < _ROWS_HELD_MAX
        if waits or not found.read:
            return 0
        sequences = {trade.trade_id: sequence for sequence, trade in found.trades}
        with unit_of_work(self._engine) as connection:
            # What was recovered from the chain after a restore has its instructions.
            known = instructions.known(connection, sequences)
            fresh = [trade for _, trade in found.trades if trade.trade_id not in known]
            for made in batches(fresh, TRADES_MAX, BYTES_MAX):
                self._instruct(connection, made, sequences)
            cursors.move(connection, JOURNAL_CURSOR, found.read_to)
            if found.trades:
                reach("settlement.decided")
        return len(found.trades)

    def _find(self, at: int) -> _Found:
        trades: list[tuple[int, Trade]] = []
        read, read_to = 0, at
        while len(trades) < TRADES_MAX and read < _ROWS_HELD_MAX:
            rows = read_rows(self._market, read_to, _ROWS)
            for row in rows:
                trades += [(row.sequence, trade) for trade in trades_of(row.outcome)]
            read += len(rows)
            if len(rows) < _ROWS:
                return _Found(trades, read, rows[-1].sequence if rows else read_to)
            read_to = rows[-1].sequence
        return _Found(trades, read, read_to)

    def _instruct(self, connection: Connection, made: Batch, sequences: dict[int, int]) -> None:
        key = batch_key([trade.trade_id for trade in made.trades])
        instructions.create(connection, [(trade.trade_id, sequences[trade.trade_id]) for trade in made.trades], key)
        self._enqueue(connection, key, made)

    def _enqueue(self, connection: Connection, key: str, made: Batch) -> None:
        self._outbox.enqueue(
            connection,
            key=key,
            to=self._contract,
            data=calldata(made),
            gas=GAS_BASE + GAS_TRADE * len(made.trades),
            purpose=PURPOSE,
            owner=PURPOSE,
        )


def batch_key(trade_ids: Sequence[int]) -> str:
    """Return the outbox key of the batch in which trades are settled first."""
    return f"settle:{trade_ids[0]}-{trade_ids[-1]}"


def trades_of(outcome: bytes) -> Iterable[Trade]:
    """Return the trades that an entry of the journal led to."""
    return (event for event in outcomes.decode(outcome).events if isinstance(event, Trade))


def _failed(row: OutboxRow, final_number: int) -> bool:
    return row.without_effect and row.block_number is not None and row.block_number <= final_number
