# SPDX-License-Identifier: Apache-2.0
"""Puts on record what a node keeps refusing in words that nobody listed: an operator decides, nothing is guessed."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine, Row, update

from stoken.db import unit_of_work
from stoken.transactions.answers import Answer
from stoken.transactions.tables import outbox

#: Refusals of the same bytes, a resend period apart, until the node has them: a minute, with the usual periods.
HELD_AFTER: Final = 12
_log = structlog.get_logger(__name__)


class Holds:
    """Counts such refusals; a restart begins again, so that a hold is never later than so many periods after one."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine
        self._refusals: dict[bytes, int] = {}

    def heard(self, row: Row[*tuple[Any, ...]], answer: Answer, said: str) -> None:
        """Note what a node answered to a row of the outbox: `held` is set, or cleared once the node has the bytes."""
        if answer.delivered:
            self._refusals.pop(row.hash, None)
            if row.held is not None:
                self._write(row, None)
        if not answer.unexplained:
            return
        count = self._refusals[row.hash] = self._refusals.get(row.hash, 0) + 1
        if count >= HELD_AFTER and row.held != said:
            self._write(row, said)
            _log.error("transaction.held", sender=row.sender, nonce=row.nonce, refusals=count, said=said)

    def keep(self, known: Collection[bytes]) -> None:
        """Forget all but these transactions."""
        self._refusals = {digest: count for digest, count in self._refusals.items() if digest in known}

    def unsure(self, rows: Sequence[Row[*tuple[Any, ...]]], answers: Sequence[Answer]) -> bool:
        """Tell whether the node said something unlisted that may mean that it is busy: not yet so often as to hold."""
        return any(
            answer is Answer.UNLISTED and self._refusals[row.hash] < HELD_AFTER
            for row, answer in zip(rows, answers, strict=True)
        )

    def _write(self, row: Row[*tuple[Any, ...]], said: str | None) -> None:
        with unit_of_work(self._engine) as connection:
            connection.execute(update(outbox).where(outbox.c.hash == row.hash).values(held=said))
