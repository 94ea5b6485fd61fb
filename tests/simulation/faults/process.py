# SPDX-License-Identifier: Apache-2.0
"""The steps of `stoken work` over one world's database and node: what one process keeps in memory."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx

from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.issuance.step import IssuanceStep
from stoken.ledger.projection import LedgerProjection
from stoken.ledger.roots import RootsStep
from stoken.mirror import Finality, MirrorStep, Window, Witness
from stoken.mirror.heartbeat import Heartbeat, Limits
from stoken.mirror.reader import ChainReader
from stoken.mirror.step import Progress
from stoken.orders.cover_log import CoverStep
from stoken.settlement.step import SettlementStep
from stoken.transactions.broadcast import BroadcastStep
from stoken.transactions.confirm import ConfirmStep
from stoken.transactions.outbox import Outbox
from stoken.transactions.watch import WatchStep
from stoken.transactions.withdraw import WithdrawStep
from tests.ledger_events import SUITE
from tests.simulation.faults import chain
from tests.simulation.faults.founding import VENUE

if TYPE_CHECKING:
    from tests.simulation.faults.world import World

#: Steps of a worker are seldom in these worlds, and blocks come in bursts.
LIMITS: Final = Limits(stale_ns=60_000_000_000, lag_blocks=20)
#: What answers a request for a node: the status and the body.
Exchange = Callable[[bytes], tuple[int, bytes]]


class Step(Protocol):
    """A part of the worker's loop."""

    def execute(self) -> object:
        """Do what is due."""
        ...


class Crash(BaseException):
    """The process is gone, at a failpoint; what it had committed is there."""


class DirectClient(RpcClient):
    """The product's client; its bytes go straight to the simulated node, past the HTTP library."""

    def __init__(self, exchange: Exchange) -> None:
        # A transport that is never used: the library's own reads the machine's certificates first.
        super().__init__("http://node", transport=httpx.BaseTransport())
        self._answer = exchange

    def _exchange(self, content: bytes) -> tuple[int, bytes]:
        return self._answer(content)


class _Later(Future[Any]):
    """What is done when somebody asks for its result."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self._work = work

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - of any work
        assert timeout is None
        return self._work()


class SeededExecutor(Executor):
    """Does work at once, or when its result is asked for, as the seed says: the two ends of what a thread may do."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:  # noqa: ANN401
        later = partial(work, *arguments, **named)
        if self._random.random() < 0.5:
            return _Later(later)
        done: Future[Any] = Future()
        try:
            done.set_result(later())
        except Exception as error:  # noqa: BLE001 - handed on to whoever asks
            done.set_exception(error)
        return done


class _Mirror(MirrorStep):
    """Gives signs of life where a venue asks for them."""

    heartbeat: Heartbeat | None = None

    def execute(self, limit: int | None = None) -> Progress:
        progress = super().execute(limit)
        if self.heartbeat is not None:
            self.heartbeat.beat(progress.head - progress.number, progress.blocks, progress.logs)
        return progress


class Worker:
    """One process, from its start on."""

    def __init__(self, world: "World", name: str) -> None:
        engine, rpc, clock = world.engine, world.rpc, lambda: world.now
        capabilities = world.capabilities
        self.outbox = Outbox({each.address: each for each in world.signers}, chain.CHAIN_ID, world.retired, name)
        self.outbox.take_over(engine, rpc)
        suite = Suite(chain.CHAIN_ID, capabilities.genesis_hash, 0, SUITE)
        witness = None if world.second is None else Witness(world.second_rpc, required=world.required)
        projections = [LedgerProjection(SUITE)]
        window = Window(*world.window)
        self.mirror = _Mirror(engine, rpc, projections, Finality(world.finality), window=window, witness=witness)
        self.mirror._ahead._executor = SeededExecutor(world.random)  # type: ignore[assignment]  # noqa: SLF001
        self._next = 0
        self.steps: dict[str, Step] = {
            "mirror": self.mirror,
            "roots": RootsStep(engine, ChainReader(rpc), world.now_ns),
            "watch": WatchStep(engine, rpc, self.outbox, clock=clock),
            "issuance": IssuanceStep(engine, engine, self.outbox, suite, world.capabilities.gas_limit),
            "withdraw": WithdrawStep(engine, self.outbox, capabilities),
            "broadcast": BroadcastStep(engine, rpc, capabilities, pool_max=0, clock=clock),
            "confirm": ConfirmStep(engine, rpc),
        }
        if world.market is not None:
            self.mirror.heartbeat = Heartbeat(engine, world.market.clock, LIMITS)
            settlement = SettlementStep(engine, engine, self.outbox, suite, VENUE)
            self._insert("watch", "cover", CoverStep(engine, engine, world.market.clock))
            self._insert("withdraw", "settlement", settlement)

    def _insert(self, before: str, name: str, step: Step) -> None:
        steps = list(self.steps.items())
        steps.insert(list(self.steps).index(before), (name, step))
        self.steps = dict(steps)

    def next_steps(self, count: int) -> list[Step]:
        """Return so many steps, on from where the last ones ended."""
        steps = list(self.steps.values())
        chosen = [steps[(self._next + at) % len(steps)] for at in range(count)]
        self._next += count
        return chosen
