# SPDX-License-Identifier: Apache-2.0
"""Brings final blocks to the venue: tails the ledger's feed and journals each block before it decides anything."""

import asyncio
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from stoken.db import reading
from stoken.domain.facts import Fact
from stoken.ledger.queries import FeedBlock, blocks_after
from stoken.mirror.store import read_checkpoint
from stoken.orders.actor import VenueActor
from stoken.orders.entries import BlockApplied, LedgerHealthChanged

_BATCH: Final = 500
_decode_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode
