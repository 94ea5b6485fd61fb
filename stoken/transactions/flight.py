# SPDX-License-Identifier: Apache-2.0
"""What may be in flight: each key's transactions by nonce, the keys in turn, within bounds of count and of gas."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, exists, select

from stoken.domain.transaction_states import LIVE
from stoken.transactions.outbox import FILL_PURPOSE
from stoken.transactions.tables import outbox

#: Unmined transactions of one key that are sent; those behind them wait in the outbox.
KEY_MAX: Final = 1_000
#: Unmined transactions of all keys, where the node's pool takes them.
TOTAL_MAX: Final = 4_000
_GROWTH: Final = 8
_LIVE: Final = tuple(status.value for status in LIVE)
_COLUMNS: Final = tuple(
    outbox.c[name] for name in ("sender", "nonce", "hash", "gas", "status", "purpose", "owner", "sequence", "command")
)
#: Built once: each round asks them.
_SENDERS: Final = select(outbox.c.sender).where(outbox.c.status.in_(_LIVE)).distinct()
_LANE: Final = (
    select(*_COLUMNS)
    .where(outbox.c.status.in_(_LIVE), outbox.c.sender == bindparam("sender"))
    .order_by(outbox.c.nonce)
    .limit(bindparam("key_max"))
)

_Row = Row[*tuple[Any, ...]]


class Window:
    """How many transactions a node's pool bears: halved where it takes no more, grown while it takes all."""

    def __init__(self, size: int = TOTAL_MAX) -> None:
        """Start wide open."""
        self._size_max = size
        self.size = size

    def shrink(self, in_flight: int) -> None:
        """Note that the node takes no more for now, with so many in flight."""
        self.size = max(1, min(self.size, in_flight) // 2)

    def grow(self) -> None:
        """Note that the node took everything."""
        self.size = min(self._size_max, self.size + max(1, self.size // _GROWTH))


def candidates(connection: Connection, gas_max: int, count_max: int, key_max: int = KEY_MAX) -> list[_Row]:
    """Return what may be in flight now, each key's transactions by nonce; the first one of each key always may.

    Else one that the node never takes would hold up all keys.
    """
    senders = connection.execute(_SENDERS).scalars().all()
    lanes = [_lane(connection, sender, key_max) for sender in sorted(senders)]
    if len(lanes) > 1:
        held = _held(connection)
        lanes = [list(_until_held(lane, held)) for lane in lanes]
    firsts = [lane[0].hash for lane in lanes if lane]
    return list(_within(_in_turn(lanes), frozenset(firsts), gas_max))[: max(count_max, len(firsts))]


def within_room(due: Iterable[_Row], in_flight: Iterable[_Row], room: int) -> list[_Row]:
    """Return of what is due what a pool with so much room takes; the first of each key always may go.

    That one may be what a full pool waits for, and without it none of its key would ever leave the pool.
    """
    firsts: dict[bytes, bytes] = {}
    for row in in_flight:
        firsts.setdefault(row.sender, row.hash)
    kept: list[_Row] = []
    for row in due:
        if room > 0 or firsts[row.sender] == row.hash:
            kept.append(row)
            room -= 1
    return kept


def _lane(connection: Connection, sender: bytes, key_max: int) -> Sequence[_Row]:
    return connection.execute(_LANE, {"sender": sender, "key_max": key_max}).all()


def _held(connection: Connection) -> frozenset[bytes]:
    """Return what must wait because its owner's earlier work is still on another key.

    What fills a nonce never waits: it came later than what waits behind it, and two of them could wait for each other.
    """
    earlier = outbox.alias()
    waits = exists().where(
        earlier.c.owner == outbox.c.owner,
        earlier.c.status.in_(_LIVE),
        earlier.c.sender != outbox.c.sender,
        earlier.c.purpose != FILL_PURPOSE,
        outbox.c.purpose != FILL_PURPOSE,
        earlier.c.sequence < outbox.c.sequence,
    )
    rows = connection.execute(select(outbox.c.hash).where(outbox.c.status.in_(_LIVE), waits))
    return frozenset(rows.scalars())


def _until_held(lane: Iterable[_Row], held: frozenset[bytes]) -> Iterator[_Row]:
    for row in lane:
        if row.hash in held:
            return
        yield row


def _in_turn(lanes: Sequence[Sequence[_Row]]) -> Iterator[_Row]:
    return (row for row in chain.from_iterable(zip_longest(*lanes)) if row is not None)


def _within(rows: Iterable[_Row], firsts: frozenset[bytes], gas_max: int) -> Iterator[_Row]:
    gas = 0
    for row in rows:
        gas += row.gas
        if gas > gas_max and row.hash not in firsts:
            return
        yield row
