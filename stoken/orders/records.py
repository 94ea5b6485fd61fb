# SPDX-License-Identifier: Apache-2.0
"""What the venue holds in memory about instruments, accounts, orders and trades."""

from typing import TYPE_CHECKING, NamedTuple

from stoken.domain.bands import Band
from stoken.domain.book import Book, Resting
from stoken.domain.codes import Side
from stoken.domain.facts import Address
from stoken.domain.order_states import OPEN_STATUSES, OrderEvent, OrderStatus, TradeStatus, next_order_status
from stoken.orders.entries import AccountOpened, InstrumentAdmitted, NewOrder
from stoken.orders.outcomes import Stamp, Trade

if TYPE_CHECKING:
    from stoken.domain.refusals import Refusal


class Instrument:
    """An admitted instrument: its terms, its book, its prices of the day."""

    __slots__ = ("admission", "band", "book", "day_quantity", "day_value", "halted", "reference_price")

    def __init__(self, admission: InstrumentAdmitted, book: Book, band: Band) -> None:
        """Take an instrument as it is admitted, with an empty book."""
        self.admission = admission
        self.book = book
        self.band = band
        self.reference_price = admission.reference_price
        self.day_value = 0
        self.day_quantity = 0
        self.halted = False


class ClassRecord(NamedTuple):
    """A class from an instant of market time on; `evidence` is empty where the account was opened with it."""

    valid_from: int
    sequence: int
    investor_class: int
    evidence: bytes = b""


class OrderRecord:
    """An accepted order; `entry` holds what the broker signed."""

    __slots__ = (
        "account",
        "checked_block",
        "code",
        "cumulative_quantity",
        "entry",
        "identity",
        "in_flight",
        "instrument",
        "investor_class",
        "market_time_ns",
        "order_id",
        "resting",
        "sequence",
        "side",
        "stamp",
        "status",
        "year",
    )

    def __init__(
        self, order_id: int, entry: NewOrder, instrument: Instrument, account: AccountOpened, identity: Address
    ) -> None:
        """Take an order as it is accepted; the venue fills in when that was."""
        self.order_id = order_id
        self.entry = entry
        self.instrument = instrument
        self.account = account
        self.identity = identity
        self.side = Side(entry.order.side)
        self.resting = Resting(order_id, self.side, entry.order.price, entry.order.quantity)
        self.status = OrderStatus.NEW
        self.cumulative_quantity = 0
        #: Units matched and not settled yet.
        self.in_flight = 0
        #: Which rule cancelled it, if one did.
        self.code: Refusal | None = None
        #: The class by which the order was judged: that of its receipt.
        self.investor_class: ClassRecord | None = None
        self.sequence = 0
        self.market_time_ns = 0
        self.year = 0
        #: The last block at which the chain's conditions of this side were checked.
        self.checked_block = -1
        self.stamp: Stamp | None = None

    @property
    def leaves_quantity(self) -> int:
        """Return what is still open; an order that is no longer open has nothing left."""
        return self.resting.leaves if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Tell whether the order may still trade."""
        return self.status in OPEN_STATUSES

    @property
    def canceled_by_broker(self) -> bool:
        """Tell whether the broker withdrew it, and no rule."""
        return self.status is OrderStatus.CANCELED and self.code is None

    def move(self, event: OrderEvent) -> None:
        """Go where an event leads; raises ValueError where the order's state does not allow it."""
        self.status = next_order_status(self.status, event)

    def fill(self, quantity: int) -> None:
        """Count a fill; the book takes it off the leaves when the judge returns."""
        done = self.cumulative_quantity + quantity == self.entry.order.quantity
        self.move(OrderEvent.FILL if done else OrderEvent.PARTIAL_FILL)
        self.cumulative_quantity += quantity
        self.in_flight += quantity


class TradeRecord:
    """A trade and what final blocks have said of it."""

    __slots__ = ("block_number", "reason", "status", "trade")

    def __init__(self, trade: Trade) -> None:
        """Take a trade as it is matched."""
        self.trade = trade
        self.status = TradeStatus.MATCHED
        #: The final block that settled it, or the last one in which an attempt failed.
        self.block_number: int | None = None
        self.reason = b""
