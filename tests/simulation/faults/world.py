# SPDX-License-Identifier: Apache-2.0
"""One seed, one world: requests, a node with faults, crashes, two writers and database errors over a virtual clock.

Everything between the inbox and the node is the product; the node, the clock and the accidents are simulated.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from stoken.chain.capabilities import Capabilities
from stoken.chain.rpc import RpcClient
from stoken.chain.statements import CashEntry
from stoken.chain.suite import Suite
from stoken.db import open_engine, unit_of_work
from stoken.errors import (
    ConflictError,
    FencedError,
    NotFoundError,
    StartupError,
    TransactionStateError,
    UnavailableError,
)
from stoken.issuance.step import IssuanceStep
from stoken.ledger.projection import LedgerProjection
from stoken.mirror import Finality, MirrorStep
from stoken.mirror.ahead import ReadAhead
from stoken.parties import inbox
from stoken.parties.requests import CashCreditRequest
from stoken.telemetry import failpoints
from stoken.transactions import queries
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner
from stoken.transactions.tables import outbox
from stoken.transactions.watch import WatchStep
from stoken.transactions.withdraw import WithdrawStep
from tests.ledger_events import SUITE
from tests.simulation.faults import chain
from tests.simulation.faults.node import GAS_LIMIT, Node

FINALITY: Final = 3
SIGNERS: Final = [KeystoreSigner(bytes((seed,)) * 32) for seed in (7, 8)]
#: A final block that changes, or a nonce of somebody else's, ends a worker: neither happens in these worlds.
_TENANTS: Final = ("one", "two", "three")
#: Of the form that the outbox lets pass; the simulated contract asks for no more.
_SIGNATURE: Final = b"\x01" * 64 + b"\x1b"
_CRASHES: Final = (*failpoints.NAMES, "")


class Crash(BaseException):
    """The process is gone, at a failpoint; what it had committed is there."""


class _NoReadAhead(ReadAhead):
    """Reading ahead happens in a thread, whose timing no seed decides."""

    def start(self, first: int, last: int) -> None:
        """Read nothing in advance."""


class Worker:
    """The steps of `stoken work` over one database: what one process keeps in memory."""

    def __init__(self, world: "World", name: str) -> None:
        engine, rpc, clock = world.engine, world.rpc, lambda: world.now
        capabilities = world.capabilities
        self.outbox = Outbox({each.address: each for each in world.signers}, chain.CHAIN_ID, world.retired, name)
        self.outbox.take_over(engine, rpc)
        suite = Suite(chain.CHAIN_ID, capabilities.genesis_hash, 0, SUITE)
        self.mirror = MirrorStep(engine, rpc, [LedgerProjection(SUITE)], Finality(world.finality))
        self.mirror._ahead = _NoReadAhead(self.mirror._reader)  # noqa: SLF001 - see there
        self.steps: dict[str, Any] = {
            "mirror": self.mirror,
            "watch": WatchStep(engine, rpc, self.outbox, clock=clock),
            "issuance": IssuanceStep(engine, engine, self.outbox, suite, GAS_LIMIT),
            "withdraw": WithdrawStep(engine, self.outbox, capabilities),
            "broadcast": BroadcastStep(engine, rpc, capabilities, pool_max=0, clock=clock),
            "confirm": ConfirmStep(engine, rpc),
        }


class World:
    """Everything of one seed; `run` plays it, `settle` then lets it come to rest."""

    def __init__(self, seed: int, database: Path) -> None:
        self.random = Random(seed)  # noqa: S311 - a simulation
        random = self.random
        self.now = 0.0
        self.finality = random.choice((0, FINALITY))
        self.signers = SIGNERS[: random.choice((1, 1, 2))]
        self.retired: frozenset[bytes] = frozenset()
        self.node = Node(random, besu=random.random() < 0.5, pool_max=random.choice((3, 8, 100)))
        self.engine: Engine = open_engine(f"sqlite:///{database}")
        self.rpc = RpcClient("http://node", transport=self.node)
        client, genesis = self.node.web3_clientVersion(), self.node.head.hash
        batch = random.choice((1, 2, 20))
        self.capabilities = Capabilities(chain.CHAIN_ID, client, genesis, 0, GAS_LIMIT, automine=False, max_batch=batch)
        #: What callers were told was accepted: amounts by (tenant, id).
        self.accepted: dict[tuple[str, str], int] = {}
        self.crashes = 0
        self._crash_at, self._database_fault, self._amid = "", 0.0, False
        event.listen(self.engine, "before_cursor_execute", self._before_statement)
        self.worker: Worker | None = None
        self.younger: Worker | None = None

    def close(self) -> None:
        """Close what was opened."""
        self.rpc.close()
        self.engine.dispose()

    # --- what may happen ------------------------------------------------------------------------------------------

    def run(self, ticks: int) -> Iterator[None]:
        """Play a number of ticks; control comes back after each."""
        self._draw_faults()
        self.node.between = self._between
        for _ in range(ticks):
            with self._accidents():
                self._tick()
            self.now += self.random.choice((0.1, 1, 5))
            yield

    def settle(self, rounds: int = 40) -> Iterator[None]:
        """End every fault and let the worker come to rest."""
        self.node.faults, self.node.lag, self.node.between = {}, 0, lambda: None
        self._crash_at, self._database_fault = "", 0
        for _ in range(rounds):
            self.node.mine()
            self._round()
            while self.worker is not None and not self.worker.mirror.execute().caught_up:
                pass
            self.now += 5
            yield
            if self.at_rest():
                return

    def at_rest(self) -> bool:
        """Tell whether every accepted request was decided and every transaction has a final end."""
        with self.engine.connect() as connection:
            open_ones = connection.execute(
                select(outbox.c.hash).where(
                    outbox.c.block_number.is_(None)
                    | (outbox.c.block_number > len(self.node.blocks) - 1 - self.finality)
                )
            ).first()
            decided = len(connection.execute(select(outbox.c.key).where(outbox.c.version == 0)).all())
        return open_ones is None and decided == len(self.accepted)

    def _draw_faults(self) -> None:
        random = self.random
        kinds = ("drop", "cut", "busy", "forged_parent", "forged_amount", "missing_log", "fail")
        self.node.faults = {kind: random.choice((0.0, 0.05, 0.15)) for kind in kinds}
        self._database_fault = random.choice((0.0, 0.0, 0.005))

    def _tick(self) -> None:
        happening = self.random.choices(
            (self._round, self._submit, self.node.mine, self._fork, self._burst, self._node_trouble, self._operate,
             self._second_writer, self._restart),
            (30, 20, 18, 4, 2, 6, 4, 2, 2),
        )[0]  # fmt: skip
        happening()

    def _round(self) -> None:
        """Run each step once, as the worker does: a step that fails is tried again with the next round."""
        if self.worker is None:
            self.worker = Worker(self, "one")
        # The mirror comes near the head now and then: only there can the chain change under its hands.
        ahead = [self.worker.mirror] * self.random.choice((0, 0, 4))
        for step in (*ahead, *self.worker.steps.values()):
            try:
                step.execute()
            except (FencedError, StartupError):
                # A take-over that broke off fenced this one off, or the node lags at the start: it is started again.
                self.worker = None
                return
            except (UnavailableError, OperationalError):
                pass

    def _submit(self) -> None:
        """Send a request, sometimes one that was sent before, sometimes under its id with another body."""
        random = self.random
        again = bool(self.accepted) and random.random() < 0.2
        tenant, name = (
            random.choice(sorted(self.accepted)) if again else (random.choice(_TENANTS), f"r{len(self.accepted)}")
        )
        known = self.accepted.get((tenant, name))
        amount = random.randrange(1, 60) if known is None or random.random() < 0.3 else known
        ref = f"{tenant}/{name}".encode().ljust(32, b"\0")
        body = CashCreditRequest(CashEntry(b"\xca" * 20, amount, ref, 2**39), _SIGNATURE)
        try:
            with unit_of_work(self.engine) as connection:
                inbox.receive(connection, tenant, name, body, 0)
        except ConflictError:
            assert known not in {None, amount}
            return
        assert known in {None, amount}
        self.accepted[tenant, name] = amount

    def _fork(self) -> None:
        if self.finality:
            self.node.reorg(self.random.randint(1, self._depth_max()))

    def _between(self) -> None:
        if self.random.random() < 0.03:
            self._fork()
        elif self.random.random() < 0.03:
            self.node.mine()

    def _depth_max(self) -> int:
        # Below what the node ever showed as its head less the depth, blocks are final.
        return self.finality

    def _burst(self) -> None:
        for _ in range(self.random.randint(9, 12)):
            self.node.mine()

    def _node_trouble(self) -> None:
        self.node.lag = self.random.choice((0, 0, 0, 1, 4))
        if self.random.random() < 0.5:
            self.node.lose_pool()

    def _operate(self) -> None:
        """Do what an operator may do to some transaction."""
        with self.engine.connect() as connection:
            keys = list(connection.execute(select(outbox.c.key).where(outbox.c.block_number.is_(None))).scalars())
        if keys:
            with suppress(TransactionStateError, NotFoundError), unit_of_work(self.engine) as connection:
                queries.ask(connection, self.random.choice(keys), self.random.choice(sorted(queries.COMMANDS)), "note")

    def _second_writer(self) -> None:
        """Let another process take over while the first still runs: the first must sign nothing more."""
        older = self.worker
        if older is None:
            return
        self.worker = Worker(self, "one")
        with self.engine.connect() as connection:
            before = len(connection.execute(select(outbox.c.hash)).all())
        self._submit()
        ended = False
        for name in ("issuance", "withdraw", "broadcast", "watch"):
            try:
                with suppress(UnavailableError, OperationalError):
                    older.steps[name].execute()
            except FencedError:
                ended = True
                break
        with self.engine.connect() as connection:
            assert len(connection.execute(select(outbox.c.hash)).all()) == before, "a fenced writer signed"
        self.now += 5
        if not ended:
            with suppress(FencedError, UnavailableError, OperationalError):
                older.steps["watch"].execute()
                raise AssertionError("a fenced writer goes on")

    def _restart(self) -> None:
        """End the worker; with two keys the first may be retired from then on."""
        self.worker = None
        if len(self.signers) > 1 and self.random.random() < 0.5:
            self.retired = frozenset({self.signers[0].address})

    # --- accidents ------------------------------------------------------------------------------------------------

    @contextmanager
    def _accidents(self) -> Iterator[None]:
        """Let the process crash at some point of this tick, perhaps; its memory is lost."""
        self._crash_at = self.random.choice(_CRASHES) if self.random.random() < 0.1 else ""
        failpoints.listeners.append(self._crash)
        self._amid = True
        try:
            yield
        except Crash:
            self.crashes += 1
            self.worker = None
        except (UnavailableError, OperationalError):
            pass  # a take-over, a request or an operator's word failed: nothing of it was accepted
        finally:
            self._amid = False
            failpoints.listeners.remove(self._crash)
            self._crash_at = ""

    def _crash(self, name: str) -> None:
        if name == self._crash_at:
            self._crash_at = ""
            raise Crash(name)

    def _before_statement(self, *_arguments: object) -> None:
        if self._amid and self._database_fault and self.random.random() < self._database_fault:
            raise OperationalError("a statement", None, Exception("disk I/O error"))
