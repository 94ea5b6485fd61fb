# SPDX-License-Identifier: Apache-2.0
"""After an old back-up was restored: trades that are on their way on the chain get their instructions back."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Engine

from stoken.chain.transactions import calldata
from stoken.domain.facts import Address
from stoken.errors import StartupError
from stoken.orders.journal import read_rows
from stoken.settlement import instructions
from stoken.settlement.encode import trade_ids
from stoken.settlement.instructions import Instruction
from stoken.settlement.step import JOURNAL_CURSOR, PURPOSE, alone_key, batch_key, trades_of
from stoken.transactions import cursors, recovered

_ROWS = 1_000


def claim(connection: Connection, market: Engine, contract: Address) -> int:
    """Give recovered batches and tries their keys and their trades' instructions; return how many calls that were.

    Must run before the ledger goes on: its events move on only what has an instruction. Raises StartupError where the
    journal lacks a trade: it is an old back-up itself.
    """
    waiting = [(each.hash, trade_ids(calldata(each.raw))) for each in recovered.to(connection, contract)]
    waiting = [(digest, ids) for digest, ids in waiting if ids]
    if not waiting:
        return 0
    sequences = dict(_undecided(connection, market))
    instructed = instructions.instructed(connection, min(each for _, ids in waiting for each in ids))
    for digest, ids in waiting:
        fresh = [each for each in ids if each not in instructed]
        lacking = [each for each in fresh if each not in sequences]
        if lacking:
            raise StartupError(f"the journal lacks trade {lacking[0]}, which is on the chain: it is old, too")
        known = None if fresh else instructions.read(connection, ids[0])
        key = _begin(connection, ids, fresh, sequences) if known is None else _try_again(connection, known)
        recovered.claim_one(connection, digest, key, PURPOSE, PURPOSE)
        instructed.update(fresh)
    return len(waiting)


def _begin(connection: Connection, ids: Sequence[int], fresh: Sequence[int], sequences: Mapping[int, int]) -> str:
    key = batch_key(ids[0], ids[-1])
    instructions.create(connection, [(each, sequences[each], key) for each in fresh])
    return key


def _try_again(connection: Connection, instruction: Instruction) -> str:
    """Note the next try of a trade, which goes alone: once its event is past, nothing would tell of it again."""
    key = alone_key(instruction)
    instructions.retry(connection, instruction, key)
    return key


def _undecided(connection: Connection, market: Engine) -> Iterator[tuple[int, int]]:
    """Yield the trades of the journal after the cursor, each with its sequence."""
    at = cursors.position(connection, JOURNAL_CURSOR)
    while rows := read_rows(market, at, _ROWS):
        for row in rows:
            yield from ((trade.trade_id, row.sequence) for trade in trades_of(row.outcome))
        at = rows[-1].sequence
