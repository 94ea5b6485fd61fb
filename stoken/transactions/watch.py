# SPDX-License-Identifier: Apache-2.0
"""Holds our keys, and compares their nonces with the chain's: nobody else writes with them, and none is missing."""

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
from stoken.mirror.store import read_checkpoint
from stoken.transactions import senders
from stoken.transactions.outbox import REPLACED, Failure, Outbox
from stoken.transactions.tables import outbox

PERIOD_SECONDS: Final = 5
_LIVE: Final = tuple(status.value for status in LIVE)
_Row = Row[*tuple[Any, ...]]
_log = structlog.get_logger(__name__)


class WatchStep:
    """One step of the worker's loop, due every few seconds."""

    def __init__(
        self, engine: Engine, rpc: RpcClient, keys: Outbox, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the database with the mirror, the node, and the outbox whose keys are watched."""
        self._engine = engine
        self._rpc = rpc
        self._outbox = keys
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
        return self._lose({key: count for key, count in counts.items() if lowest.get(key, count) < count})

    def _alarm(self, ours: dict[bytes, int], counts: dict[bytes, int], lowest: dict[bytes, int]) -> None:
        for key, count in counts.items():
            if count > ours[key]:
                raise FencedError(
                    f"the chain holds {count} transactions of the key 0x{key.hex()}, this database signed {ours[key]}: "
                    "another writer has the key"
                )
            if lowest.get(key, count) > count:
                _log.error("transaction.nonce_gap", sender=key, chain=count, lowest_unmined=lowest[key])

    def _lose(self, counts: dict[bytes, int]) -> int:
        """Record what can never be mined: a final block's count is past its nonce, and no block holds it."""
        if not counts:
            return 0
        with unit_of_work(self._engine) as connection:
            final = read_checkpoint(connection).final_number
            used = [
                row
                for row in connection.execute(
                    select(outbox.c.hash, outbox.c.sender, outbox.c.nonce).where(
                        outbox.c.status.in_(_LIVE), outbox.c.sender.in_(counts)
                    )
                )
                if row.nonce < counts[row.sender]
            ]
            seen = sightings(connection, [row.hash for row in used])
            ours = _nonces_seen(connection, used)
            lost = [row for row in used if row.hash not in seen and (row.sender, row.nonce) not in ours]
            for row in lost:
                failure = Failure("NonceUsed", "NONCE_USED", {"nonce": row.nonce})
                connection.execute(
                    update(outbox)
                    .where(outbox.c.hash == row.hash)
                    .values(status=REPLACED, block_number=final, failure=msgspec.json.encode(failure))
                )
                _log.error("transaction.nonce_used", sender=row.sender, nonce=row.nonce)
        return len(lost)


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
