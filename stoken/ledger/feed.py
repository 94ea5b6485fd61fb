# SPDX-License-Identifier: Apache-2.0
"""The venue's feed: final blocks in order, each with the facts its events state."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from stoken.domain.facts import Fact
from stoken.ledger import tables
from stoken.mirror.store import read_checkpoint

_decoder = msgspec.msgpack.Decoder(tuple[Fact, ...])


class FeedBlock(NamedTuple):
    """One final block; `facts` is decoded by `decode_facts`."""

    number: int
    hash: bytes
    time: int
    facts: bytes


def final_blocks(connection: Connection, after: int, limit: int = 500) -> list[FeedBlock]:
    """Return the final blocks above a number, at most `limit`, in ascending order and without gaps."""
    final = read_checkpoint(connection).final_number
    columns = tables.blocks.c
    rows = connection.execute(
        select(columns.number, columns.hash, columns.time, columns.facts)
        .where(columns.number > after, columns.number <= final)
        .order_by(columns.number)
        .limit(limit)
    )
    return [FeedBlock(*row) for row in rows]


def decode_facts(data: bytes) -> tuple[Fact, ...]:
    """Read a block's facts."""
    return _decoder.decode(data)
