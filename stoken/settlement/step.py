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
from stoken.transactions.outbox import Enqueued, Outbox, OutboxRow, failure_of
from stoken.transactions.signer import SignerError
from stoken.transactions.submissions import Submission

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
#: Transactions of one commit, as a rule: the node has these while the next are signed.
_TRANSACTIONS: Final = 250
_ROWS_HELD_MAX: Final = 5_000
_BLOCKS: Final = 500


class _Found(NamedTuple):
    """Trades of the journal after the cursor, each with its sequence; `read` counts rows, the last is `read_to`."""

    trades: list[tuple[int, Trade]]
    read: int
    read_to: int


class SettlementStep:
    """One step of the worker's loop."""

    def __init__(
        self,
        engine: Engine,
        market: Engine,
        outbox: Outbox,
        suite: Suite,
        venue: MemberId,
        trades_max: int = TRADES_MAX,
    ) -> None:
        """Take work's database, serve's to read the journal from, the outbox that sends, and a batch's size."""
        self._engine = engine
        self._market = market
        self._outbox = outbox
        self._contract = suite["settlement"]
        self._venue = venue
        self._trades_max = trades_max
        self._rows = min(_ROWS, _TRANSACTIONS * trades_max)

    def execute(self) -> int:
        """Learn what became of earlier trades, then send the next; return how many trades were sent.

        Nothing is learnt or sent while a final block of the mirror is unverified: it might lack a log. Raises
        SignerError where some wait for the signer; all others are on record by then.
        """
        with reading(self._engine) as connection:
            if not is_verified(connection):
                return 0
        self._learn()
        done, unsigned = 0, None
        for part in (self._retry, self._retry_failed, self._decide):
            try:
                done += part()
            except SignerError as error:
                unsigned = error
        if unsigned is not None:
            raise unsigned
        return done

    def _learn(self) -> None:
        """Move instructions on by the events of final blocks."""
        with reading(self._engine) as connection:
            at = cursors.position(connection, LEDGER_CURSOR)
            blocks = final_blocks(connection, at, _BLOCKS)
        if not blocks:
            return
        with unit_of_work(self._engine) as connection:
            facts = [(fact, block.number) for block in blocks for fact in decode_facts(block.facts)]
            of_trades = [(fact, at) for fact, at in facts if isinstance(fact, TradeSettled | TradeFailed)]
            instructions.apply(connection, of_trades, self._venue)
            cursors.move(connection, LEDGER_CURSOR, blocks[-1].number)

    def _retry(self) -> int:
        """Send the trades of a transaction that failed as a whole once more, each alone; return how many those were."""
        with reading(self._engine) as connection:
            final = confirmed_to(connection)
            ended = outbox.without_effect(connection, instructions.MATCHED_KEYS)
        failed = sorted((row for row in ended if _failed(row, final)), key=lambda each: each.nonce)
        if not failed:
            return 0
        with unit_of_work(self._engine) as connection:
            again = [each for row in failed for each in self._to_retry(connection, row)]
            unsigned = self._send_alone(connection, again)
        return _count(again, unsigned)

    def _retry_failed(self) -> int:
        """Send trades that failed alone some blocks ago once more; return how many those were."""
        with reading(self._engine) as connection:
            final = read_checkpoint(connection).final_number
            due = instructions.failed_by(connection, final - RETRY_BLOCKS, TRIES_MAX, TRADES_MAX)
            blocks = final_blocks(connection, final - 1, 1) if due else []
        if not blocks:
            return 0
        with unit_of_work(self._engine) as connection:
            again = [each for each in due if self._in_time(connection, each, blocks[-1].time)]
            unsigned = self._send_alone(connection, again)
        return _count(again, unsigned)

    def _in_time(self, connection: Connection, instruction: Instruction, now: int) -> bool:
        trade = self._trade(instruction)
        in_time = now <= min(trade.buy.settle_by, trade.sell.settle_by)
        if not in_time:
            instructions.give_up(connection, instruction, TRIES_MAX)
        return in_time

    def _to_retry(self, connection: Connection, row: OutboxRow) -> list[Instruction]:
        """Return which trades of a transaction that failed as a whole are tried again; the others have failed."""
        again = []
        for each in instructions.of_transaction(connection, row.key):
            if each.status is not TradeStatus.MATCHED:
                continue
            # A trade that failed alone says why, and would say it again.
            if each.attempts == ATTEMPTS_MAX or row.key == batch_key(each.trade_id, each.trade_id):
                instructions.fail(connection, each, row.failure, row.block_number)
            else:
                again.append(each)
        return again

    def _send_alone(self, connection: Connection, alone: Sequence[Instruction]) -> list[SignerError]:
        """Send trades once more, each alone, and return whose signature must wait: those are as they were.

        What may not be signed has failed for good.
        """
        keyed = [(alone_key(each), batch([self._trade(each)])) for each in alone]
        unsigned = []
        for instruction, (key, _), result in zip(alone, keyed, self._enqueue(connection, keyed), strict=True):
            if isinstance(result, OutboxRow):
                instructions.retry(connection, instruction, key)
            elif isinstance(result, SignerError):
                unsigned.append(result)
            elif instruction.status is TradeStatus.FAILED:
                instructions.give_up(connection, instruction, TRIES_MAX)
            else:
                instructions.fail(connection, instruction, failure_of(result), None)
        return unsigned

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
        waits = in_flight and 0 < len(found.trades) < self._trades_max and found.read < _ROWS_HELD_MAX
        if waits or not found.read:
            return 0
        with unit_of_work(self._engine) as connection:
            unsigned = self._instruct(connection, found.trades)
            # Up to here every trade is on record.
            cursors.move(connection, JOURNAL_CURSOR, min(unsigned, default=found.read_to + 1) - 1)
            if found.trades:
                reach("settlement.decided")
        return _count(found.trades, list(unsigned.values()))

    def _instruct(self, connection: Connection, found: Sequence[tuple[int, Trade]]) -> dict[int, SignerError]:
        """Put trades on record, sent or failed, but for those whose signature must wait: return these by sequence."""
        # Where some had to wait, others of the same entries did not.
        known = instructions.instructed(connection, min((trade.trade_id for _, trade in found), default=0))
        sequences = {trade.trade_id: sequence for sequence, trade in found if trade.trade_id not in known}
        new = [trade for _, trade in found if trade.trade_id in sequences]
        results = self._submit(connection, batches(new, self._trades_max, BYTES_MAX))
        unsigned = {
            sequences[made.trades[0].trade_id]: result for made, result in results if isinstance(result, SignerError)
        }
        decided = [(made, result) for made, result in results if not isinstance(result, SignerError)]
        carried = [
            (each.trade_id, sequences[each.trade_id], _key_of(made)) for made, _ in decided for each in made.trades
        ]
        instructions.create(connection, carried)
        for made, result in decided:
            if not isinstance(result, OutboxRow):
                (instruction,) = instructions.of_transaction(connection, _key_of(made))
                instructions.fail(connection, instruction, failure_of(result), None)
        return unsigned

    def _submit(self, connection: Connection, cut: Sequence[Batch]) -> list[tuple[Batch, Enqueued]]:
        """Sign batches; one that may not be signed is cut into its trades, so that only those fail that must."""
        results = list(zip(cut, self._enqueue(connection, [(_key_of(made), made) for made in cut]), strict=True))
        whole = [(made, each) for made, each in results if not _is_divided(made, each)]
        parts = [batch([trade]) for made, each in results if _is_divided(made, each) for trade in made.trades]
        return [*whole, *self._submit(connection, parts)] if parts else whole

    def _find(self, at: int) -> _Found:
        trades: list[tuple[int, Trade]] = []
        read, read_to = 0, at
        while len(trades) < self._trades_max and read < _ROWS_HELD_MAX:
            rows = read_rows(self._market, read_to, self._rows)
            for row in rows:
                trades += [(row.sequence, trade) for trade in trades_of(row.outcome)]
            read += len(rows)
            if len(rows) < self._rows:
                return _Found(trades, read, rows[-1].sequence if rows else read_to)
            read_to = rows[-1].sequence
        return _Found(trades, read, read_to)

    def _enqueue(self, connection: Connection, keyed: Sequence[tuple[str, Batch]]) -> list[Enqueued]:
        submissions = [
            Submission(key, self._contract, calldata(made), GAS_BASE + GAS_TRADE * len(made.trades), PURPOSE, PURPOSE)
            for key, made in keyed
        ]
        return self._outbox.enqueue_all(connection, submissions)


def batch_key(first: int, last: int) -> str:
    """Return the outbox key of the batch that is the first to settle these trades and those between."""
    return f"settle:{first}-{last}"


def alone_key(instruction: Instruction) -> str:
    """Return the outbox key of a trade's next try, which goes alone."""
    return f"settle:{instruction.trade_id}:{instruction.attempts + 1}"


def _key_of(made: Batch) -> str:
    return batch_key(made.trades[0].trade_id, made.trades[-1].trade_id)


def _is_divided(made: Batch, result: Enqueued) -> bool:
    return len(made.trades) > 1 and not isinstance(result, OutboxRow | SignerError)


def _count(given: Sequence[object], unsigned: Sequence[SignerError]) -> int:
    """Return how many trades were dealt with; raise the first error where a signature must wait."""
    if unsigned:
        raise unsigned[0]
    return len(given)


def trades_of(outcome: bytes) -> Iterable[Trade]:
    """Return the trades that an entry of the journal led to."""
    return (event for event in outcomes.decode(outcome).events if isinstance(event, Trade))


def _failed(row: OutboxRow, final_number: int) -> bool:
    return row.without_effect and row.block_number is not None and row.block_number <= final_number
