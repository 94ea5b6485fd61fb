# SPDX-License-Identifier: Apache-2.0
"""I1 to I5 over a world: some after each tick, all of them once it has come to rest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, select

from stoken.db import reading
from stoken.issuance.queries import RequestOutcome, RequestStatus, outcome
from stoken.ledger import tables as ledger
from stoken.ledger.invariants import invariants
from stoken.mirror import store
from stoken.mirror import tables as mirror
from stoken.mirror.roots import read_roots
from stoken.mirror.store import Checkpoint
from stoken.transactions.tables import outbox
from tests.simulation.faults import trading
from tests.simulation.faults.chain import DEPOSIT
from tests.simulation.faults.world import World

_HASHES: Final = select(mirror.blocks.c.number, mirror.blocks.c.hash).where(
    mirror.blocks.c.number.in_(bindparam("numbers", expanding=True))
)
_POSITIONS: Final = select(ledger.positions.c.token, ledger.positions.c.account, ledger.positions.c.balance)
_CASH: Final = select(ledger.cash_accounts.c.account, ledger.cash_accounts.c.balance)
_ENDS: Final = {RequestStatus.DONE, RequestStatus.FAILED}


class Witness:
    """Remembers what was shown as final, and looks at everything else anew."""

    def __init__(self, world: World, *, verified: bool = True) -> None:
        """Look at blocks that the pass over history has verified, or at every one of the mirror."""
        self._world = world
        self._verified = verified
        self._shown: dict[tuple[str, str], RequestStatus] = {}
        self._final: dict[int, bytes] = {}
        self._equal: bytes | None = None
        self._looks = 0
        self._seen: int | None = None

    def look(self) -> None:
        """Check what must hold at every moment; nothing that was looked at changes before something is committed."""
        seen = self._world.version()
        if seen is None or seen != self._seen:
            self._seen = seen
            with reading(self._world.engine) as connection:
                self._look(connection)

    def _look(self, connection: Connection) -> None:
        at = store.read_checkpoint(connection)
        finals = list(self._final.items())[-3:]
        held = _hashes(connection, {at.number - 1, at.final_number, *(number for number, _ in finals)})
        self._mirror_equals_chain(connection, at, held)
        for number, digest in finals:
            assert held.get(number) == digest, "I5: a final block changed"
        if at.final_number in held:
            self._final[at.final_number] = held[at.final_number]
        # One request a look, in turn: each is looked at often, and a look stays cheap.
        self._looks += 1
        for tenant, name in list(self._world.accepted)[self._looks % max(1, len(self._world.accepted)) :][:1]:
            self._end_stays(connection, tenant, name)

    def conclude(self) -> None:
        """Check everything, in a world at rest."""
        world = self._world
        assert world.at_rest(), "I1: something has no end"
        with reading(world.engine) as connection:
            at = store.read_checkpoint(connection)
            assert read_roots(connection).number == at.number, "I2: the pass over history has no end"
            self._look(connection)
            self._one_effect_or_one_failure(connection)
            self._one_hash_a_nonce(connection)
            self._logs_equal(connection)
            broken = [each for each in invariants(connection) if each.name in {"Q3", "Q6"} and not each.holds]
            assert not broken, f"I4: {broken}"
            if world.market is not None:
                trading.count(connection, world.market, world.node.head.settled, world.node.head.balances)

    def _mirror_equals_chain(self, connection: Connection, at: Checkpoint, hashes: Mapping[int, bytes]) -> None:
        if at.number < 0 or at.hash == self._equal:
            return
        # What catch-up wrote is believed once the pass over history has been there.
        if self._verified and read_roots(connection).number < at.number:
            return
        block = self._world.node.by_hash.get(at.hash)
        assert block is not None, "I2: the mirror stands on a block that never was"
        assert hashes.get(at.number - 1) in {None, block.parent}, "I2: the mirror's blocks do not follow each other"
        held = {(token, account): balance for token, account, balance in connection.execute(_POSITIONS) if balance}
        held |= {(DEPOSIT, account): balance for account, balance in connection.execute(_CASH) if balance}
        assert held == {key: amount for key, amount in block.balances.items() if amount}, "I2: balances differ"
        self._equal = at.hash

    def _end_stays(self, connection: Connection, tenant: str, name: str) -> RequestOutcome:
        """I5: an end that was shown does not change."""
        shown = self._shown.get((tenant, name))
        found = outcome(connection, tenant, name)
        assert shown in {None, found.status}, f"I5: {shown} became {found.status}"
        if found.status in _ENDS:
            self._shown[tenant, name] = found.status
        return found

    def _one_effect_or_one_failure(self, connection: Connection) -> None:
        effects = self._world.node.head.effects
        for tenant, name in self._world.accepted:
            found = self._end_stays(connection, tenant, name)
            paid = effects[f"{tenant}/{name}".encode().ljust(32, b"\0")]
            assert found.status in _ENDS, f"I1: {tenant}/{name} is {found.status}"
            assert paid == (found.status is RequestStatus.DONE), (
                f"I1: {tenant}/{name} is {found.status}, paid {paid} times"
            )
            assert (found.failure is not None) == (found.status is RequestStatus.FAILED), (
                "I1: a failure without a reason"
            )
        assert sum(effects.values()) <= len(self._world.accepted), "I1: an effect that nobody asked for"

    def _one_hash_a_nonce(self, connection: Connection) -> None:
        """I3: also of what arrived at the node and was never stored."""
        recorded = {row.hash: row for row in connection.execute(select(outbox))}
        nonces = defaultdict(set)
        for digest, tx in self._world.node.arrived.items():
            assert digest in recorded, "I3: bytes left that are not on record"
            assert recorded[digest].status != "canceled", "I3: what was canceled had left"
            nonces[tx.sender, tx.nonce].add(digest)
        for hashes in nonces.values():
            unreplaced = [digest for digest in hashes if recorded[digest].replaced_by is None]
            assert len(unreplaced) <= 1, "I3: two hashes of one nonce, and no replacement on record"

    def _logs_equal(self, connection: Connection) -> None:
        """I2 in full: every log of every block."""
        rows = connection.execute(select(mirror.logs).order_by(mirror.logs.c.block_number, mirror.logs.c.log_index))
        at = store.read_checkpoint(connection).number
        assert [tuple(row) for row in rows] == [
            log for block in self._world.node.blocks[: at + 1] for log in block.logs
        ], "I2"


def _hashes(connection: Connection, numbers: Iterable[int]) -> dict[int, bytes]:
    rows = connection.execute(_HASHES, {"numbers": sorted(numbers)})
    return {row.number: row.hash for row in rows}
