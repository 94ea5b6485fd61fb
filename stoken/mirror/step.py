# SPDX-License-Identifier: Apache-2.0
"""Follows the chain: whole blocks and one checkpoint a commit, every projection within the same commit."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Connection, Engine

from stoken.chain.rpc import RpcClient
from stoken.db.binding import bind_chain
from stoken.db.engine import unit_of_work
from stoken.errors import LedgerUnavailableError, StartupError, StokenError
from stoken.mirror import roots, store
from stoken.mirror.ahead import ReadAhead
from stoken.mirror.blocks import Header, MinedBlock
from stoken.mirror.clock import BlockClock
from stoken.mirror.completeness import IncompleteBlockError
from stoken.mirror.finality import Finality
from stoken.mirror.reader import ChainReader
from stoken.mirror.seals import OtherEngineError, SealCheck
from stoken.mirror.store import Checkpoint
from stoken.mirror.window import Window
from stoken.mirror.witness import Witness
from stoken.telemetry.failpoints import reach

#: This close to the head each block is a commit of its own, with its receipts root recomputed.
HEAD_BLOCKS: Final = 8


class ReorgTooDeepError(StokenError):
    """The chain changed below finality: the mirror halts and does not guess; an operator must decide."""

    status = 503
    code = "LEDGER_UNAVAILABLE"
    title = "The chain changed below its final block."


class Projection(Protocol):
    """What is computed from blocks in the commit that stores them."""

    def apply(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:
        """Fold blocks in ascending order; those above `final_number` may have to be unwound later."""
        ...

    def unwind(self, connection: Connection, to_block: int) -> None:
        """Take back every block above `to_block`."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the mirror stands after a step: -1 for no block; `caught_up` when it is at the head it saw."""

    number: int
    final_number: int
    head: int
    blocks: int
    logs: int
    unwound: int

    @property
    def caught_up(self) -> bool:
        """Tell whether nothing was left to read."""
        return self.number >= self.head


class MirrorStep:
    """One step of the worker's loop; keeps no state that a restart would miss."""

    def __init__(
        self,
        engine: Engine,
        rpc: RpcClient,
        projections: Sequence[Projection] = (),
        finality: Finality | None = None,
        *,
        window: Window | None = None,
        witness: Witness | None = None,
        clock: BlockClock | None = None,
    ) -> None:
        """Take the database, the node, the projections in the order they apply, and the engine's finality.

        A witness confirms each block before it is written; the clock says which block times may be.
        """
        self._engine = engine
        self._finality = finality or Finality()
        self._reader = ChainReader(rpc, sealed_from=self._finality.sealed_from)
        self._ahead = ReadAhead(self._reader)
        self._projections = projections
        self._seals = SealCheck(rpc, self._finality.first_sealed) if self._finality.sealed else None
        self._window = window or Window()
        self._witness = witness
        self._clock = clock or BlockClock()
        self._bound = False

    def execute(self, limit: int | None = None) -> Progress:
        """Apply the next range of blocks, or at the head the next block; unwind first where the chain changed.

        Raises LedgerUnavailableError where the node does not answer or contradicts itself, ReorgTooDeepError
        where a final block changed, StartupError where the node is another chain's. Nothing above `limit` is read.
        """
        self._bind()
        with self._engine.connect() as connection:
            at = store.read_checkpoint(connection)
        head, tagged = self._reader.head(self._finality.tag)
        final = max(at.final_number, self._finality.final_number(head.number, tagged))
        fork = self._fork(at, head)
        if fork < at.number:
            self.unwind(fork)
            return Progress(fork, at.final_number, head.number, 0, 0, at.number - fork)
        last = head.number if limit is None else min(head.number, limit)
        if last <= at.number:
            return Progress(at.number, self._finalise(at, final), last, 0, 0, 0)
        return self._advance(at, last, final)

    def run_to_head(self, limit: int | None = None) -> Progress:
        """Repeat steps until the mirror stands at the node's head, or at a block below it."""
        progress = self.execute(limit)
        while not progress.caught_up:
            progress = self.execute(limit)
        return progress

    def unwind(self, to_block: int) -> None:
        """Take back every block above `to_block`, projections first, in one commit."""
        with unit_of_work(self._engine) as connection:
            at = store.read_checkpoint(connection)
            if to_block < at.final_number:
                raise ReorgTooDeepError(f"block {at.final_number} is final, the chain forks at {to_block}")
            for projection in reversed(self._projections):
                projection.unwind(connection, to_block)
            store.delete_blocks(connection, to_block, at.final_number)

    def _bind(self) -> None:
        if self._bound:
            return
        chain_id, genesis = self._reader.identity()
        with unit_of_work(self._engine) as connection:
            bind_chain(connection, chain_id, genesis)
            at = store.check_cursor(connection)
        try:
            head, _ = self._reader.head(None)
        except OtherEngineError as error:
            raise StartupError(f"finality by commit seals cannot be shown on this chain: {error}") from error
        if head.number < at.final_number:
            raise StartupError(
                f"the mirror has final block {at.final_number}, the node ends at {head.number}: it lags, or lost blocks"
            )
        self._bound = True

    def _advance(self, at: Checkpoint, head: int, final: int) -> Progress:
        with _collector_paused():
            return self._apply(at, head, final)

    def _apply(self, at: Checkpoint, head: int, final: int) -> Progress:
        blocks = self._next(at.number + 1, head)
        last = blocks[-1].number
        _check_links(at, blocks)
        self._clock.check(at.time, blocks)
        if self._witness is not None:
            self._witness.confirm(last, blocks[-1].hash)
        sealed = self._seals.confirm(at, blocks) if self._seals is not None else ()
        final = max(at.final_number, min(final, last))
        rooted = _at_the_head(at.number + 1, head)
        with unit_of_work(self._engine) as connection:
            store.insert_blocks(connection, blocks)
            store.insert_seals(connection, sealed)
            for projection in self._projections:
                projection.apply(connection, blocks, final)
            store.write_checkpoint(connection, Checkpoint(last, blocks[-1].hash, final, blocks[-1].time))
            if rooted:
                roots.follow_head(connection, at.number, last)
            reach("mirror.block")
        logs = sum(len(block.logs) for block in blocks)
        return Progress(last, final, head, len(blocks), logs, 0)

    def _next(self, first: int, head: int) -> Sequence[MinedBlock]:
        if _at_the_head(first, head):
            return [self._reader.verified_block(first)]
        blocks = self._read(first, head)
        self._window.answered(len(blocks), sum(len(block.logs) for block in blocks))
        following = blocks[-1].number + 1
        if head - following >= HEAD_BLOCKS:
            self._ahead.start(following, min(head, following + self._window.size - 1))
        return blocks

    def _read(self, first: int, head: int) -> Sequence[MinedBlock]:
        """Return the range that was read ahead, or read one; smaller ones while the node refuses them as too large."""
        while True:
            size = self._ahead.size(first) or min(self._window.size, head - first + 1)
            try:
                return self._taken(first) or self._reader.blocks(first, first + size - 1)
            except LedgerUnavailableError as error:
                if not self._window.refused(size, error):
                    raise

    def _taken(self, first: int) -> Sequence[MinedBlock] | None:
        """Return the range that was read ahead, unless its branch was replaced since: the head was read after it."""
        blocks = self._ahead.take(first)
        if blocks and self._reader.headers([blocks[-1].number])[0].hash != blocks[-1].hash:
            return None
        return blocks

    def _finalise(self, at: Checkpoint, final: int) -> int:
        final = min(final, at.number)
        if final > at.final_number:
            with unit_of_work(self._engine) as connection:
                for projection in self._projections:
                    projection.apply(connection, (), final)
                store.write_checkpoint(connection, at._replace(final_number=final))
        return final

    def _fork(self, at: Checkpoint, head: Header) -> int:
        """Return the last block that mirror and node share; a node that merely lags shares all of its own."""
        if at.number < 0:
            return at.number
        top = min(at.number, head.number)
        if top < at.final_number:
            return at.number  # a node that lags behind finality says nothing about what is above
        if self._same(top, head if top == head.number else self._reader.headers([top])[0]):
            return at.number
        return self._walk_back(top, at.final_number)

    def _walk_back(self, top: int, final: int) -> int:
        window = range(top - 1, max(final, 0) - 1, -1)
        for start in range(0, len(window), HEAD_BLOCKS):
            for header in self._reader.headers(window[start : start + HEAD_BLOCKS]):
                if self._same(header.number, header):
                    return header.number
        raise ReorgTooDeepError(f"block {max(final, 0)} is final, and the node has another one")

    def _same(self, number: int, header: Header) -> bool:
        with self._engine.connect() as connection:
            return store.read_hash(connection, number) == header.hash


def _at_the_head(number: int, head: int) -> bool:
    """Tell whether a block is read alone, by its receipts."""
    return head - number < HEAD_BLOCKS


@contextmanager
def _collector_paused() -> Iterator[None]:
    # A range makes a million tuples and no cycles: looking for some costs a fifth of the time.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_links(at: Checkpoint, blocks: Sequence[MinedBlock]) -> None:
    parent = blocks[0].parent_hash if at.number < 0 else at.hash
    for block in blocks:
        if block.parent_hash != parent:
            raise IncompleteBlockError(f"block {block.number} does not follow the block before it")
        parent = block.hash
