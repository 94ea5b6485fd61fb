# SPDX-License-Identifier: Apache-2.0
"""One seed, one world: requests, a node with faults, crashes, two writers and database errors over a virtual clock.

Everything between the inbox and the node is the product; the node, the clock and the accidents are simulated.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from sqlite3 import OperationalError as DriverError
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, Table, event, select
from sqlalchemy.exc import OperationalError

from stoken.chain.capabilities import Capabilities
from stoken.chain.statements import CashEntry
from stoken.db import bulk, reading, unit_of_work
from stoken.errors import (
    ConflictError,
    FencedError,
    NotFoundError,
    StartupError,
    TransactionStateError,
    UnavailableError,
)
from stoken.ledger import breaks
from stoken.ledger.comparison import heal
from stoken.ledger.roots import read_again
from stoken.ledger.verification import ROOTS, Verification
from stoken.mirror.pinned import PinnedCalls
from stoken.mirror.reader import ChainReader
from stoken.parties import inbox
from stoken.parties.requests import CashCreditRequest
from stoken.settlement import step as settlement
from stoken.settlement.step import PURPOSE
from stoken.telemetry import failpoints
from stoken.transactions import queries
from stoken.transactions.signer import KeystoreSigner
from stoken.transactions.tables import outbox
from tests.ledger_events import SUITE
from tests.simulation.faults import chain
from tests.simulation.faults.founding import founding
from tests.simulation.faults.market import RETRY_BLOCKS, Market, has_market
from tests.simulation.faults.node import GAS_LIMIT, Node, SecondNode
from tests.simulation.faults.process import Crash, DirectClient, Step, Worker

#: A final block that changes, or a nonce of somebody else's, ends a worker: neither happens in these worlds.
FINALITY: Final = 3
SIGNERS: Final = [KeystoreSigner(bytes((seed,)) * 32) for seed in (7, 8)]
_TENANTS: Final = ("one", "two", "three")
#: Of the form that the outbox lets pass; the simulated contract asks for no more.
_SIGNATURE: Final = b"\x01" * 64 + b"\x1b"
_ENDS: Final = select(outbox.c.version, outbox.c.block_number, outbox.c.purpose)
#: How a statement fails; of the driver's own kind, where SQLAlchemy does not make it one of its own.
_DATABASE_ERRORS: Final = (OperationalError, DriverError)
#: Many rows at once are seldom: they fail so much more often than a statement.
_ROWS_FAULT: Final = 10
_WRITING: Final = ("issuance", "settlement", "withdraw", "broadcast", "watch")
_CRASHES: Final = (*failpoints.NAMES, "")
_MARKET_CRASHES: Final = (*_CRASHES, *(3 * ("journal.committed", "settlement.decided")))


class World:
    """Everything of one seed; `run` plays it, `settle` then lets it come to rest."""

    def __init__(self, seed: int, engine: Engine) -> None:
        self.random = Random(seed)  # noqa: S311 - a simulation
        random = self.random
        self.now = 0.0
        self.finality = random.choice((0, FINALITY))
        self.signers = SIGNERS[: random.choice((1, 1, 2))]
        self.retired: frozenset[bytes] = frozenset()
        trades = has_market(seed)
        besu, pool_max = random.random() < 0.5, random.choice((3, 8, 100))
        self.node = Node(random, besu=besu, pool_max=pool_max, founding=founding() if trades else ())
        #: The venue and its brokers, in some worlds.
        self.market = Market(self) if trades else None
        self.engine = engine
        self.rpc = DirectClient(self.node.exchange)
        #: Another node that confirms blocks, in some worlds; in some of those nothing is written without its word.
        self.second = SecondNode(self.node) if random.random() < 0.5 else None
        self.required = random.random() < 0.5
        self.second_rpc = DirectClient(self.second.exchange) if self.second else self.rpc
        #: Blocks and logs that one request may bring: small ones are read ahead of each other.
        self.window = random.choice(((1_000, 20_000), (2, 20_000), (4, 5)))
        client, genesis = self.node.web3_clientVersion(), self.node.head.hash
        batch = random.choice((1, 2, 20))
        self.capabilities = Capabilities(chain.CHAIN_ID, client, genesis, 0, GAS_LIMIT, automine=False, max_batch=batch)
        #: What callers were told was accepted: amounts by (tenant, id).
        self.accepted: dict[tuple[str, str], int] = {}
        self.crashes = 0
        #: Whether a process of this world may die now, or its database fail.
        self.amid = False
        self._crash_at, self._database_fault = "", 0.0
        self._patch = pytest.MonkeyPatch()
        #: Tables of which the reading or writing of many rows at once failed.
        self.rows_struck: set[str] = set()
        # Of its own: a connection's version of the database counts what others commit.
        self._watching = engine.raw_connection() if engine.dialect.name == "sqlite" else None
        self.worker: Worker | None = None

    def close(self) -> None:
        """Close what was opened; the engine is its owner's."""
        if self._watching is not None:
            self._watching.close()
        self.rpc.close()
        self.second_rpc.close()
        if self.market is not None:
            self.market.close()
        if self._database_fault:
            event.remove(self.engine, "before_cursor_execute", self._before_statement)
        self._patch.undo()

    def version(self) -> int | None:
        """Return what changes with each commit; None where the database has no such thing."""
        if self._watching is None:
            return None
        cursor = self._watching.cursor()
        (version,) = cursor.execute("PRAGMA data_version").fetchone()
        return int(version)

    def now_ns(self) -> int:
        """Return the virtual clock in nanoseconds."""
        return int(self.now * 1_000_000_000)

    # --- what may happen ------------------------------------------------------------------------------------------

    def run(self, ticks: int) -> Iterator[None]:
        """Play a number of ticks; control comes back after each."""
        if self.market is not None:
            self._open_market(self.market)
        self._draw_faults()
        self.node.between = self._between
        for _ in range(ticks):
            with self._accidents():
                self._tick()
            self.now += self.random.choice((0.1, 1, 5))
            yield

    def settle(self, rounds: int = 40) -> Iterator[None]:
        """End every fault and let the worker come to rest."""
        self.node.faults, self.node.lag, self.node.branch, self.node.between = {}, 0, None, lambda: None
        if self.second:
            self.second.heal()
        self._crash_at = ""
        for _ in range(rounds):
            self._round()
            for _ in range(2 + self.finality):
                self.node.mine()
            while self.worker is not None and not self.worker.mirror.execute().caught_up:
                pass
            self.verify()
            if self.market is not None:
                self.market.follow()
            if self.worker is not None:
                self.worker.steps["confirm"].execute()
            self.now += 5
            yield
            if self.at_rest():
                return

    def verify(self) -> None:
        """Let the pass over history come to its end, and an operator heal what it found."""
        while self.worker is not None and (self.worker.steps["roots"].execute() or self.heal()):
            pass

    def heal(self) -> int:
        """Heal as an operator who reads of an open case does; return how many closed."""
        with reading(self.engine) as connection:
            found = breaks.cases(connection, only_open=True)
        if not found:
            return 0
        assert {each.table for each in found} == {ROOTS}, found
        verification = Verification(SUITE, PinnedCalls(self.rpc))
        mended = read_again(self.engine, ChainReader(self.rpc))
        return heal(self.engine, SUITE, verification, "operator", self.now_ns(), mended=mended).closed

    def at_rest(self) -> bool:
        """Tell whether every accepted request was decided and every transaction has an end that a living worker saw."""
        last = self._last_block() if self.worker is not None else None
        trades_rest = self.market is None or self.market.at_rest()
        return trades_rest and last is not None and last <= len(self.node.blocks) - 1 - self.finality

    def _last_block(self) -> int | None:
        """Return the last block that ended a transaction; None where one has no end, or a request no decision."""
        with self.engine.connect() as connection:
            rows = connection.execute(_ENDS).all()
        decided = sum(version == 0 and purpose != PURPOSE for version, _, purpose in rows)
        ended = [number for _, number, _ in rows if number is not None]
        return max(ended, default=0) if len(ended) == len(rows) and decided == len(self.accepted) else None

    def _open_market(self, market: Market) -> None:
        """Let the founding become final and known before anything strikes."""
        self._patch.setattr(settlement, "RETRY_BLOCKS", RETRY_BLOCKS)
        for _ in range(self.finality + 1):
            self.node.mine()
        self._round()
        self._round()
        market.follow()

    def _draw_faults(self) -> None:
        random = self.random
        kinds = ("drop", "cut", "busy", "forged_parent", "forged_amount", "missing_log", "fail")
        self.node.faults = {kind: random.choice((0.0, 0.05, 0.15)) for kind in kinds}
        self._database_fault = random.choice((0.0, 0.0, 0.005))
        if self.market is not None:
            self.node.faults |= {"trade": random.choice((0.0, 0.1, 0.3)), "fail": random.choice((0.0, 0.15, 0.4))}
        if self._database_fault:
            event.listen(self.engine, "before_cursor_execute", self._before_statement)
            # Many rows at once go past SQLAlchemy, whose events do not hear of them.
            for name in ("insert_rows", "upsert_rows", "delete_rows", "select_rows"):
                self._patch.setattr(bulk, name, self._before_rows(getattr(bulk, name)))

    def _tick(self) -> None:
        happenings: dict[Callable[[], None], int] = {
            self._work: 30,
            self._submit_some: 16,
            self.node.mine: 14,
            self._fork: 5,
            self._burst: 3,
            self._node_trouble: 8,
            self._operate: 6,
            self._second_writer: 3,
            self._restart: 3,
        }
        if self.market is not None:
            happenings |= {self.market.trade: 24, self.market.close: 3, self.market.take_over: 2}
        self.random.choices(list(happenings), list(happenings.values()))[0]()

    def _work(self) -> None:
        """Run the steps that come next: whatever else happens, happens between any two of them."""
        if self.worker is None:
            self.worker = Worker(self, "one")
        steps = self.worker.next_steps(self.random.choice((1, 2, 3, 6)))
        # The mirror comes near the head now and then: only there can the chain change under its hands.
        self._run([self.worker.mirror] * self.random.choice((0, 0, 4)) + steps)

    def _round(self) -> None:
        """Run each step once."""
        if self.worker is None:
            self.worker = Worker(self, "one")
        self._run(list(self.worker.steps.values()))

    def _run(self, steps: list[Step]) -> None:
        """Run steps as the worker does: one that fails is tried again with the next round."""
        for step in steps:
            try:
                step.execute()
            except (FencedError, StartupError):
                # A take-over that broke off fenced this one off, or the node lags at the start: it is started again.
                self.worker = None
                return
            except (UnavailableError, *_DATABASE_ERRORS):
                pass

    def _submit_some(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self._submit()

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
        for _ in range(self.random.randint(9, 16)):
            self.node.mine()

    def _node_trouble(self) -> None:
        random = self.random
        self.node.lag, self.node.branch = random.choice((0, 0, 0, 1, 4)), None
        if random.random() < 0.5:
            self.node.lose_pool()
        # Alone it cannot be told from the network: a mirror follows it until it is back, or is warned by the second.
        warned, blocks = self.second is not None and self.required, random.randint(1, FINALITY)
        if (warned or self.finality) and random.random() < 0.3:
            self.node.part(min(blocks, self.finality), blocks, known=not warned)
        if self.second is not None:
            self.second.heal()
            self.second.silent = random.random() < 0.3
            if random.random() < 0.2:
                self.second.leave()

    def _operate(self) -> None:
        """Do what an operator may do to some transaction, or to a case."""
        self.heal()
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
        # Fenced in issuance it never comes to settlement: sometimes it begins there.
        writing = _WRITING if self.market is None or self.random.random() < 0.5 else _WRITING[1:]
        for name in filter(older.steps.__contains__, writing):
            try:
                with suppress(UnavailableError, *_DATABASE_ERRORS):
                    older.steps[name].execute()
            except FencedError:
                ended = True
                break
        with self.engine.connect() as connection:
            assert len(connection.execute(select(outbox.c.hash)).all()) == before, "a fenced writer signed"
        self.now += 5
        if not ended:
            with suppress(FencedError, UnavailableError, *_DATABASE_ERRORS):
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
        if self.market is None or not self._crash_at:
            points, share = (_CRASHES, 0.1) if self.market is None else (_MARKET_CRASHES, 0.25)
            self._crash_at = self.random.choice(points) if self.random.random() < share else ""
        failpoints.listeners.append(self._crash)
        self.amid = True
        try:
            yield
        except Crash:
            self.crashes += 1
            self.worker = None
        except (UnavailableError, *_DATABASE_ERRORS):
            pass  # a take-over, a request or an operator's word failed: nothing of it was accepted
        finally:
            self.amid = False
            failpoints.listeners.remove(self._crash)
            # What a market does is seldom enough: there the accident waits for its point.
            self._crash_at = "" if self.market is None else self._crash_at

    def _crash(self, name: str) -> None:
        if name == self._crash_at:
            self._crash_at = ""
            raise Crash(name)

    def _before_statement(self, *_arguments: object) -> None:
        if self.amid and self.random.random() < self._database_fault:
            raise OperationalError("a statement", None, Exception("disk I/O error"))

    def _before_rows(self, honest: Callable[..., Any]) -> Callable[..., Any]:
        def struck(connection: Connection, table: Table, rows: Sequence[object], *rest: object) -> Any:  # noqa: ANN401
            if rows and self.amid and self.random.random() < _ROWS_FAULT * self._database_fault:
                self.rows_struck.add(table.name)
                raise DriverError("disk I/O error")
            return honest(connection, table, rows, *rest)

        return struck
