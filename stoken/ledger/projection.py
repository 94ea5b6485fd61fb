# SPDX-License-Identifier: Apache-2.0
"""The ledger as a projection of the mirror: decodes logs, folds facts, feeds the venue, unwinds."""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, delete, select

from stoken.db import bulk
from stoken.domain.facts import Address, Fact, IssueCreated, ModuleAdded
from stoken.ledger import tables
from stoken.ledger.decode import MalformedLogError, decode_log
from stoken.ledger.fold import fold_all, keys_of
from stoken.ledger.rows import Position
from stoken.ledger.signatures import ContractKind
from stoken.ledger.state import State
from stoken.mirror import Log, MinedBlock

_encode = msgspec.msgpack.Encoder().encode
_log = structlog.get_logger()
_ADDRESS = 20
_EMITTER: Final = attrgetter("address")


class LedgerProjection:
    """Folds the suite's events; one instance follows one database, whose only writer it is."""

    def __init__(self, suite: Mapping[str, Address]) -> None:
        """Take the addresses of the suite file; tokens and their compliance are found by the factory's events."""
        kinds = {kind.value: kind for kind in ContractKind}
        self._suite = {address: kinds[name] for name, address in suite.items() if name in kinds}
        self._factory = suite.get(ContractKind.FACTORY.value)
        self._contracts: dict[Address, ContractKind] = {}
        self._state = State()
        #: The block that `_state` and `_contracts` stand at; None where a commit failed or nothing is known.
        self._at: bytes | None = None
        self._generation = 0

    @property
    def state(self) -> State:
        """Return the rows as the last fold left them; only for who follows it in the same commit."""
        return self._state

    @property
    def generation(self) -> int:
        """Return how often the ledger had been folded anew at the last fold."""
        return self._generation

    def apply(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:
        """Fold blocks; those above `final_number` leave before-images, older ones lose theirs."""
        if not blocks:
            _prune(connection, final_number)
            return
        generation = read_generation(connection)
        if self._at is None or self._at != blocks[0].parent_hash or generation != self._generation:
            self._reset(connection)
            self._generation = generation
        self._at = None
        self._fold(connection, blocks, final_number)
        _prune(connection, final_number)
        self._at = blocks[-1].hash

    def unwind(self, connection: Connection, to_block: int) -> None:
        """Restore every row as it was after `to_block`."""
        self._at = None
        undo = tables.undo
        above = undo.c.block_number > to_block
        before: dict[tuple[str, bytes], bytes | None] = {}
        blocks = dict[tuple[Any, ...], list[int]]()
        for row in connection.execute(select(undo).where(above).order_by(undo.c.block_number.desc())):
            before[row.table_name, row.row_key] = row.before
            if row.table_name == tables.positions.name:
                blocks.setdefault(_decode_key(row.row_key), []).append(row.block_number)
        held = [Position(*row) for row in bulk.select_rows(connection, tables.positions, list(blocks))]
        changes = [(row.number, block) for row in held for block in blocks[row.token, row.account]]
        bulk.delete_rows(connection, tables.position_changes, changes)
        _restore(connection, before)
        connection.execute(delete(undo).where(above))
        connection.execute(delete(tables.blocks).where(tables.blocks.c.number > to_block))
        connection.execute(delete(tables.quarantine).where(tables.quarantine.c.block_number > to_block))

    def _reset(self, connection: Connection) -> None:
        self._state.forget()
        self._contracts = dict(self._suite)
        known = tables.instruments.c
        for row in connection.execute(select(known.token, known.compliance).where(known.compliance != b"")):
            self._discover(row.token, row.compliance)
        for (modules,) in connection.execute(select(tables.rule_sets.c.modules).distinct()):
            for at in range(0, len(modules), _ADDRESS):
                self._contracts.setdefault(modules[at : at + _ADDRESS], ContractKind.MODULE)

    def _discover(self, token: Address, compliance: Address) -> None:
        self._contracts[token] = ContractKind.TOKEN
        self._contracts[compliance] = ContractKind.COMPLIANCE

    def _fold(self, connection: Connection, blocks: Sequence[MinedBlock], final_number: int) -> None:
        state, malformed = self._state, list[tuple[Any, ...]]()
        state.begin(connection, blocks[0].number)
        decoded = [self._facts(block, malformed) for block in blocks]
        state.prefetch(keys_of(chain.from_iterable(decoded), state.known_positions))
        feed = []
        for block, facts in zip(blocks, decoded, strict=True):
            state.begin_block(block.number, undoable=block.number > final_number)
            fold_all(state, facts)
            state.end_block()
            feed.append((*block[:4], _encode(facts)))
        state.flush(connection)
        bulk.insert_rows(connection, tables.blocks, feed)
        bulk.insert_rows(connection, tables.quarantine, malformed)

    def _facts(self, block: MinedBlock, malformed: list[tuple[Any, ...]]) -> list[Fact]:
        """Return a block's facts: first the issues it created, since their contracts speak before the factory does."""
        contracts, facts = self._contracts, list[Fact]()
        spoke = set(map(_EMITTER, block.logs))
        if self._factory in spoke:
            for log in block.logs:
                fact = self._fact(log, ContractKind.FACTORY, malformed) if log.address == self._factory else None
                if fact is not None:
                    facts.append(fact)
                    if isinstance(fact, IssueCreated):
                        self._discover(fact.token, fact.compliance)
        if contracts.keys().isdisjoint(spoke):
            return facts
        for log in block.logs:
            kind = contracts.get(log.address)
            if kind is None or kind is ContractKind.FACTORY:
                continue
            fact = self._fact(log, kind, malformed)
            if fact is None:
                continue
            facts.append(fact)
            # A module has nothing to say before it is bound.
            if type(fact) is ModuleAdded:
                contracts.setdefault(fact.module, ContractKind.MODULE)
        return facts

    def _fact(self, log: Log, kind: ContractKind, malformed: list[tuple[Any, ...]]) -> Fact | None:
        try:
            return decode_log(kind, log)
        except MalformedLogError as error:
            _log.error("log_quarantined", block=log.block_number, log=log.log_index, reason=str(error))
            malformed.append((log.block_number, log.log_index, log.address, str(error)))
            return None


def read_generation(connection: Connection) -> int:
    """Return how often the ledger was folded anew: rows remembered from an earlier time may be wrong."""
    return int(connection.execute(select(tables.generation.c.number)).scalar() or 0)


def _prune(connection: Connection, final_number: int) -> None:
    connection.execute(delete(tables.undo).where(tables.undo.c.block_number <= final_number))


def _restore(connection: Connection, before: Mapping[tuple[str, bytes], bytes | None]) -> None:
    for name, table in tables.STATE.items():
        images = {_decode_key(key): image for (owner, key), image in before.items() if owner == name}
        bulk.delete_rows(connection, table, [key for key, image in images.items() if image is None])
        rows = [_decode_key(image) for image in images.values() if image is not None]
        bulk.upsert_rows(connection, table, rows)


def _decode_key(data: bytes) -> tuple[Any, ...]:
    return tuple(msgspec.msgpack.decode(data))
