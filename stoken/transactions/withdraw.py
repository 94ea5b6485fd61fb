# SPDX-License-Identifier: Apache-2.0
"""Carries out what operators and refusing nodes ask for: a nonce is filled, on record, and its transaction ends."""

from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine, Row, select, update

from stoken.chain.capabilities import Capabilities
from stoken.db import reading, unit_of_work
from stoken.domain.transaction_states import TransactionEvent
from stoken.transactions.outbox import Failure, Outbox, withdrawn
from stoken.transactions.tables import outbox

_Row = Row[*tuple[Any, ...]]
_EVENTS: Final = {
    "cancel": TransactionEvent.CANCEL,
    "replace": TransactionEvent.REPLACE,
    "fill": TransactionEvent.REPLACE,
}
_ASKED: Final = (
    select(outbox.c.hash, outbox.c.key, outbox.c.command, outbox.c.note, outbox.c.failure, outbox.c.held)
    .where(outbox.c.command.in_(tuple(_EVENTS)))
    .order_by(outbox.c.sequence)
)
_log = structlog.get_logger(__name__)


class WithdrawStep:
    """One step of the worker's loop."""

    def __init__(self, engine: Engine, keys: Outbox, capabilities: Capabilities) -> None:
        """Take the database, the outbox that holds the keys, and what the node can do."""
        self._engine = engine
        self._outbox = keys
        # Every other engine keeps the first of two transactions of one nonce and price.
        self._replaces = capabilities.client.lower().startswith("besu")

    def execute(self) -> int:
        """Withdraw what is to be, and return how many transactions that were."""
        with reading(self._engine) as connection:
            rows = connection.execute(_ASKED).all()
        for row in rows:
            with unit_of_work(self._engine) as connection:
                self._withdraw(connection, row)
        return len(rows)

    def _withdraw(self, connection: Connection, row: _Row) -> None:
        # What a node keeps refusing it does not hold, so that there is nothing to displace.
        allowed = row.command != "replace" or self._replaces or row.held is not None
        if allowed and self._outbox.withdraw(connection, row.hash, _EVENTS[row.command], _failure(row)):
            _log.warning("transaction.withdrawn", key=row.key, how=row.command, note=row.note)
            return
        connection.execute(update(outbox).where(outbox.c.hash == row.hash).values(command=None))
        _log.warning("transaction.not_withdrawn", key=row.key, how=row.command)


def _failure(row: _Row) -> Failure:
    if row.command == "fill":
        return msgspec.json.decode(row.failure, type=Failure)
    return withdrawn("Canceled" if row.command == "cancel" else "Replaced", row.note)
