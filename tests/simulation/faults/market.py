# SPDX-License-Identifier: Apache-2.0
"""The venue of a world and the brokers that send it orders: again where no answer came, by the same id."""

from contextlib import suppress
from random import Random
from sqlite3 import OperationalError as DriverError
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from stoken.db import reading
from stoken.domain.codes import Side
from stoken.domain.order_states import TradeStatus
from stoken.domain.refusals import Refusal
from stoken.domain.signed_order import SignedOrder
from stoken.errors import UnavailableError
from stoken.mirror.store import read_checkpoint
from stoken.orders.entries import CancelOrder, Entry, NewOrder
from stoken.orders.outcomes import Accepted, Refused, Repeated
from stoken.settlement import step
from stoken.settlement.tables import instructions
from tests.ledger_events import ISIN, SUITE, TOKEN
from tests.simulation.faults.chain import BLOCK_SECONDS, GENESIS_TIME
from tests.simulation.faults.contract import signature_of
from tests.simulation.faults.founding import ACCOUNTS, FAR, PRICE, VENUE, Account, allocations, key_of
from tests.simulation.faults.process import Crash
from tests.simulation.faults.venue import VenueProcess

if TYPE_CHECKING:
    from tests.simulation.faults.world import World

#: Of the worlds that many have a market.
_SHARE: Final = 0.125
#: A venue dies so often before it commits.
_DEATH: Final = 0.05
#: Blocks after which a trade that failed alone is tried again: few, so that a world sees it.
RETRY_BLOCKS: Final = 12
#: A working day's morning, in Seoul: the market's clock is its own, deadlines are the chain's.
_MORNING_NS: Final = (GENESIS_TIME - 7 * 3600) * 1_000_000_000
#: Refusals that leave the id free, since nothing was decided of the order.
_UNDECIDED: Final = {Refusal.LEDGER_UNAVAILABLE, Refusal.RECONCILIATION_BREAK}
_INSTRUCTIONS: Final = select(
    instructions.c.trade_id,
    instructions.c.status,
    instructions.c.block_number,
    instructions.c.attempts,
    instructions.c.failure_sequence,
).order_by(instructions.c.trade_id)


def has_market(seed: int) -> bool:
    """Tell whether a world has a market; drawn beside its own draws, which stay what they are."""
    return Random(f"trading {seed}").random() < _SHARE  # noqa: S311 - a simulation


class Market:
    """The brokers, what they were told, and the venue's process; None where it ended."""

    def __init__(self, world: "World") -> None:
        """Take the world whose chain is founded for it."""
        self._world = world
        self._random = world.random
        self.venue: VenueProcess | None = None
        #: Orders by client order id, and the answer that decided each; without one they are sent again.
        self.orders: dict[str, NewOrder] = {}
        self.answers: dict[str, Accepted | Refused] = {}
        self.crashes = 0

    def clock(self) -> int:
        """Return the market's clock: UTC in nanoseconds."""
        return _MORNING_NS + self._world.now_ns()

    def close(self) -> None:
        """End the venue's process, between two entries; its memory is lost."""
        if self.venue is not None:
            self.venue.close()
        self.venue = None

    def follow(self) -> None:
        """Take in final blocks, and credit customers what they may spend."""
        venue = self._opened()
        if venue is not None:
            with suppress(UnavailableError):
                venue.follow()
            if not venue.venue.state.allocations and venue.failure is None:
                venue.submit(allocations())
            self._bury()

    def trade(self) -> None:
        """Send what had no answer again, new orders, sometimes an old one once more, sometimes a cancel."""
        random = self._random
        self.follow()
        venue = self._opened()
        if venue is None:
            return
        sent: list[Entry] = [each for name, each in self.orders.items() if name not in self.answers]
        sent += [self._order() for _ in range(random.randint(1, 5))]
        if random.random() < 0.3:
            sent.append(random.choice(list(self.orders.values())))
        if random.random() < 0.2:
            known = random.choice(list(self.orders.values()))
            signer = key_of(known.broker)
            sent.append(CancelOrder(0, known.broker, known.order.nonce, b"s" * 65, signer))
        for entry, outcome in zip(sent, venue.submit(sent), strict=True):
            if outcome is not None and isinstance(entry, NewOrder):
                self._note(entry.client_order_id, outcome.answer)
        self._bury()

    def take_over(self) -> None:
        """Let another process take the journal over while the first still runs: the first must append nothing more."""
        older, self.venue = self.venue, None
        newer = self._opened()
        if older is not None:
            answers = older.submit([self._order()]) if newer is not None else [None]
            older.close()
            assert answers == [None], "a venue that was taken over answers"

    def at_rest(self) -> bool:
        """Tell whether each trade has an end that the venue knows, or waits for its next try."""
        if self.venue is None:
            return False
        trades = self.venue.venue.state.trades
        with reading(self._world.engine) as connection:
            final = read_checkpoint(connection).final_number
            rows = connection.execute(_INSTRUCTIONS).all()
        ended = all(
            each.status == TradeStatus.SETTLED
            or each.failure_sequence is not None
            or each.attempts >= step.TRIES_MAX
            or (each.status == TradeStatus.FAILED and (each.block_number or 0) > final - RETRY_BLOCKS)
            for each in rows
        )
        return ended and [(each.trade_id, each.status) for each in rows] == [
            (trade_id, record.status.value) for trade_id, record in trades.items()
        ]

    def _opened(self) -> VenueProcess | None:
        """Return the venue's process, started where there is none; None where that failed."""
        if self.venue is None:
            with suppress(OperationalError, DriverError):
                self.venue = VenueProcess(self._world.engine, self.clock, self._die_perhaps)
        if self.venue is not None and self.venue.failure is None:
            self.venue.found()
        self._bury()
        return self.venue

    def _bury(self) -> None:
        """Forget a process that ended."""
        if self.venue is not None and self.venue.failure is not None:
            assert isinstance(self.venue.failure, Crash | OperationalError | DriverError), self.venue.failure
            self.crashes += 1
            self.close()

    def _die_perhaps(self) -> None:
        """End the venue's process with what it is about to commit."""
        if self._world.amid and self._random.random() < _DEATH:
            raise Crash("the journal")

    def _order(self) -> NewOrder:
        random, name = self._random, f"c{len(self.orders) + 1}"
        account = random.choice(ACCOUNTS)
        order = self._signed(account, len(self.orders) + 1)
        signer = key_of(account.broker)
        self.orders[name] = NewOrder(0, name, account.broker, ISIN, order, signature_of(order), signer)
        return self.orders[name]

    def _signed(self, account: Account, nonce: int) -> SignedOrder:
        random = self._random
        lapses = self._world.node.head.time + 4 * BLOCK_SECONDS
        return SignedOrder(
            venue=VENUE,
            account=account.address,
            cash_account=account.cash,
            token=TOKEN,
            cash=SUITE["deposit"],
            side=int(random.choice((Side.BUY, Side.SELL))),
            price=random.choice((PRICE, PRICE, PRICE + 10)),
            quantity=random.randrange(1, 40),
            nonce=nonce,
            tradable_until=lapses if random.random() < 0.1 else GENESIS_TIME + 100_000,
            settle_by=FAR,
        )

    def _note(self, name: str, answer: object) -> None:
        """Remember what a broker was told: it is told the same for ever."""
        said = answer.answer if isinstance(answer, Repeated) else answer
        assert isinstance(said, Accepted | Refused), said
        if isinstance(said, Refused) and said.code in _UNDECIDED:
            assert name not in self.answers, "I5: an answer that was given is taken back"
            return
        assert self.answers.setdefault(name, said) == said, "I5: an answer changed"
