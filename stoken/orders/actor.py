# SPDX-License-Identifier: Apache-2.0
"""The one writer of the venue: takes entries from many callers, journals them in groups, answers after the commit."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Engine

from stoken.orders.entries import Entry
from stoken.orders.outcomes import Outcome

if TYPE_CHECKING:
    from stoken.orders.venue import Venue

_Answer = TypeVar("_Answer")


class VenueActor:
    """Owns a `Venue` and its journal; `submit` and `read` may be called from any task of one event loop."""

    @classmethod
    def open(cls, engine: Engine, clock: Callable[[], int] = time.time_ns) -> "VenueActor":
        """Take over the journal (an older actor can append no more) and rebuild the venue from it."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start the task that serves the queue."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Finish what is queued, then end."""
        raise NotImplementedError

    async def submit(self, entry: Entry) -> Outcome:
        """Stamp, apply and journal an entry; the outcome is returned only once it is durable."""
        raise NotImplementedError

    async def read(self, question: Callable[["Venue"], _Answer]) -> _Answer:
        """Ask the venue between two commits, so that nothing is shown that is not durable."""
        raise NotImplementedError
