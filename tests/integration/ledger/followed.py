# SPDX-License-Identifier: Apache-2.0
"""A ledger with its reconciliation, fed block by block, and a chain that answers for it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import Engine, update

from stoken.db import reading, unit_of_work
from stoken.domain.facts import Address
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.reconciliation import Reconciliation, evaluations
from stoken.ledger.signatures import ContractKind
from stoken.mirror import MinedBlock, store
from stoken.mirror.pinned import ViewCall
from stoken.mirror.store import Checkpoint
from tests.ledger_events import NOBODY, SUITE, TOKEN, Emitted, address, block, emitted, issue, transfer

_K = ContractKind
ONE, TWO = b"BROKER00000000000001", b"BROKER00000000000002"
CUSTOMER, OWN = 1, 2
CASH = f"0x{SUITE['deposit'].hex()}"


def bound(index: int, manager: bytes = ONE, owner: int = CUSTOMER) -> Emitted:
    return emitted(_K.REGISTRY, "AccountBound", address(index), manager, address(90 + index), 410, 1, owner)


def registered(units: int) -> Emitted:
    return emitted(_K.QUANTITY, "QuantityRegistered", TOKEN, units)


START = [issue(), registered(1_000), bound(1), bound(2, TWO), bound(3, owner=OWN), transfer(NOBODY, address(1), 100)]


class Followed:
    """A ledger with its reconciliation, fed block by block as the mirror would."""

    def __init__(self, engine: Engine, final: int | None = None) -> None:
        self.engine = engine
        self.final = final
        self.blocks: list[MinedBlock] = []
        self.clock = count(1_000)
        self.restart()

    def restart(self) -> None:
        self.ledger = LedgerProjection(SUITE)
        self.reconciliation = Reconciliation(self.ledger, lambda: next(self.clock))

    def mine(self, *contents: Iterable[Emitted], fork: bytes = b"") -> None:
        """Commit a range of blocks at once."""
        made: list[MinedBlock] = []
        for events in contents:
            before = made or self.blocks
            parent = before[-1].hash if before else bytes(32)
            made.append(block(len(self.blocks) + len(made), events, fork=fork, parent=parent))
        self.blocks += made
        last = made[-1]
        final = last.number if self.final is None else self.final
        with unit_of_work(self.engine) as connection:
            store.insert_blocks(connection, made)
            for projection in (self.ledger, self.reconciliation):
                projection.apply(connection, made, final)
            store.write_checkpoint(connection, Checkpoint(last.number, last.hash, final))

    def unwind(self, depth: int) -> None:
        del self.blocks[-depth:]
        last = self.blocks[-1].number
        with unit_of_work(self.engine) as connection:
            for projection in (self.reconciliation, self.ledger):
                projection.unwind(connection, last)
            store.delete_blocks(connection, last, -1 if self.final is None else self.final)

    def log(self) -> list[tuple[int, str, str, int, int, bool]]:
        with reading(self.engine) as connection:
            found = evaluations(connection)
        return [(item.block_number, item.invariant, item.subject, item.lhs, item.rhs, item.holds) for item in found]

    def broken(self) -> list[tuple[str, str]]:
        return [(name, subject) for _, name, subject, _, _, holds in self.log() if not holds]

    def change(self, table: Any, **values: object) -> None:  # noqa: ANN401 - a table
        """Damage rows behind the ledger's back; it reads them again after a restart."""
        with unit_of_work(self.engine) as connection:
            connection.execute(update(table).values(values))
        self.restart()


class Answers:
    """A chain that answers each token's supply."""

    def __init__(self, supplies: Mapping[Address, int]) -> None:
        self.supplies = supplies
        self.asked: list[tuple[Address, bytes]] = []

    def ask(self, calls: Sequence[ViewCall], block_hash: bytes) -> list[bytes | None]:
        self.asked += [(call.to, block_hash) for call in calls]
        return [self.supplies[call.to].to_bytes(32) for call in calls]
