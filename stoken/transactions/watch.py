# SPDX-License-Identifier: Apache-2.0
"""Holds our keys, and compares their nonces with the chain's: nobody else writes with them, and none is missing.

A transaction is lost to another one only where that one is shown: in a block, signed by the same key.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine, Row, func, select, update

from stoken.chain.rpc import RpcClient
from stoken.db import reading, unit_of_work
from stoken.domain.transaction_states import LIVE
from stoken.errors import FencedError
from stoken.mirror.sightings import sightings
from stoken.mirror.store import read_checkpoint, replace_transactions
from stoken.mirror.verified import verified_to
from stoken.transactions import senders
from stoken.transactions.outbox import REPLACED, Failure, Outbox
from stoken.transactions.tables import outbox
from stoken.transactions.takers import Taker, Takers

PERIOD_SECONDS: Final = 5
#: Of more lost nonces the others wait for the next look: each takes some questions.
LOST_MAX: Final = 10
_LIVE: Final = tuple(status.value for status in LIVE)
_Row = Row[*tuple[Any, ...]]
_log = structlog.get_logger(__name__)


class WatchStep:
    """One step of the worker's loop, due every few seconds."""

    def __init__(
        self,
        engine: Engine,
        rpc: RpcClient,
        keys: Outbox,
        *,
        sealed_from: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the database with the mirror, the node, and the outbox whose keys are watched.

        Headers from `sealed_from` on must give their hashes.
        """
        self._engine = engine
        self._rpc = rpc
        self._outbox = keys
        self._takers = Takers(engine, rpc, sealed_from=sealed_from)
        self._clock = clock
        self._looked_at = -float(PERIOD_SECONDS)

    def execute(self) -> int:
        """Renew leases and look at nonces; return how many transactions lost theirs to another writer.

        Raises FencedError where another process took a key over, or the chain knows more of it than we signed.
        """
        now = self._clock()
        if now - self._looked_at < PERIOD_SECONDS:
            return 0
        self._looked_at = now
        self._outbox.renew(self._engine)
        with reading(self._engine) as connection:
            final = read_checkpoint(connection).final_number
            ours = senders.next_nonces(connection)
            rows = connection.execute(
                select(outbox.c.sender, func.min(outbox.c.nonce).label("nonce"))
                .where(outbox.c.status.in_(_LIVE))
                .group_by(outbox.c.sender)
            )
            lowest = {row.sender: int(row.nonce) for row in rows}
        if final < 0:
            return 0
        calls = [("eth_getTransactionCount", (f"0x{key.hex()}", hex(final))) for key in ours]
        answers = self._rpc.batch(calls)
        if None in answers:  # a node behind the mirror has no such block yet
            return 0
        counts = dict(zip(ours, (int(answer, 16) for answer in answers), strict=True))
        self._alarm(ours, counts, lowest)
        return self._lose({key: count for key, count in counts.items() if lowest.get(key, count) < count}, final)

    def _alarm(self, ours: dict[bytes, int], counts: dict[bytes, int], lowest: dict[bytes, int]) -> None:
        for key, count in counts.items():
            if count > ours[key]:
                raise FencedError(
                    f"the chain holds {count} transactions of the key 0x{key.hex()}, this database signed {ours[key]}: "
                    "another writer has the key"
                )
            if lowest.get(key, count) > count:
                _log.error("transaction.nonce_gap", sender=key, chain=count, lowest_unmined=lowest[key])

    def _lose(self, counts: dict[bytes, int], final: int) -> int:
        """Record what can never be mined: a final block holds another transaction of its key and nonce."""
        if not counts:
            return 0
        with reading(self._engine) as connection:
            # A mirror that is behind, or whose blocks are unverified, may yet say that they are mined.
            lost = [] if verified_to(connection) < final else _unseen(connection, counts)
        takers = [(row, self._takers.find(row.sender, row.nonce, final)) for row in lost[:LOST_MAX]]
        with unit_of_work(self._engine) as connection:
            return sum(_settle(connection, row, taker) for row, taker in takers)


def _unseen(connection: Connection, counts: dict[bytes, int]) -> list[_Row]:
    """Return what waits although its nonce is used, and no version of it is in a mirrored block."""
    live = select(outbox.c.hash, outbox.c.sender, outbox.c.nonce).where(
        outbox.c.status.in_(_LIVE), outbox.c.sender.in_(counts)
    )
    used = [row for row in connection.execute(live.order_by(outbox.c.nonce)) if row.nonce < counts[row.sender]]
    seen = sightings(connection, [row.hash for row in used])
    ours = _nonces_seen(connection, used)
    return [row for row in used if row.hash not in seen and (row.sender, row.nonce) not in ours]


def _settle(connection: Connection, row: _Row, taker: Taker | None) -> bool:
    """Record a loss where another transaction was shown; correct the mirror where that is one of ours."""
    if taker is None:
        _log.error("transaction.nonce_unexplained", sender=row.sender, nonce=row.nonce)
        return False
    if connection.execute(select(outbox.c.hash).where(outbox.c.hash == taker.hash)).first():
        if replace_transactions(connection, taker.block):
            _log.error("mirror.transactions_corrected", block=taker.block.number)
        return False
    failure = Failure("NonceUsed", "NONCE_USED", {"nonce": row.nonce, "transaction": f"0x{taker.hash.hex()}"})
    connection.execute(
        update(outbox)
        .where(outbox.c.hash == row.hash, outbox.c.status.in_(_LIVE))
        .values(status=REPLACED, block_number=taker.block.number, failure=msgspec.json.encode(failure))
    )
    _log.error("transaction.nonce_used", sender=row.sender, nonce=row.nonce)
    return True


def _nonces_seen(connection: Connection, rows: Iterable[_Row]) -> set[tuple[bytes, int]]:
    """Return those nonces of which the mirror saw another version of ours."""
    senders_of = {row.sender for row in rows}
    versions = connection.execute(
        select(outbox.c.hash, outbox.c.sender, outbox.c.nonce).where(
            outbox.c.sender.in_(senders_of), outbox.c.nonce.in_({row.nonce for row in rows})
        )
    ).all()
    seen = sightings(connection, [row.hash for row in versions])
    return {(row.sender, row.nonce) for row in versions if row.hash in seen}
