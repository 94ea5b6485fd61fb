# SPDX-License-Identifier: Apache-2.0
"""Safeguards of the product that only tests can switch off, to show that the simulator misses none of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, bindparam, select, update

from stoken.chain.rpc import RpcClient
from stoken.errors import UnavailableError
from stoken.ledger import roots
from stoken.mirror import reader, step
from stoken.mirror.blocks import decode_log
from stoken.mirror.witness import Witness
from stoken.orders import accepting, journal
from stoken.orders.tables import lease
from stoken.transactions import broadcast, confirm, outbox, senders
from stoken.transactions.outbox import Outbox, OutboxRow
from stoken.transactions.tables import outbox as rows
from stoken.transactions.tables import senders as table

Patch = pytest.MonkeyPatch
Off = Callable[[Patch], None]


def _parent_hash(patch: Patch) -> None:
    patch.setattr(step, "_check_links", lambda _at, _blocks: None)


def _receipts_root(patch: Patch) -> None:
    def believe(_header: object, receipts: Any) -> Any:  # noqa: ANN401 - JSON
        return [decode_log(log) for receipt in receipts for log in receipt["logs"]]

    patch.setattr(reader, "read_receipts", believe)


def _bloom_and_log_index(patch: Patch) -> None:
    patch.setattr(reader, "check_logs", lambda _header, _logs, _bloom: None)


def _roots_of_history(patch: Patch) -> None:
    """Take what catch-up wrote for verified."""
    patch.setattr(roots, "_same", lambda _block, _mirrored: True)


def _fencing(patch: Patch) -> None:
    def take(connection: Connection, address: bytes, _epoch: int | None, count: int) -> int:
        ours = update(table).where(table.c.address == address).values(next_nonce=table.c.next_nonce + count)
        return int(connection.execute(ours.returning(table.c.next_nonce)).scalar_one()) - count

    patch.setattr(senders, "take_nonces", take)


def _lease_epoch(patch: Patch) -> None:
    patch.setattr(senders, "renew", lambda _connection, _address, _epoch: None)


def _sign_first(patch: Patch) -> None:
    """Send within the unit of work that decides, as one does who stores what was sent."""
    take_over, enqueue_all = Outbox.take_over, Outbox.enqueue_all

    def remember(self: Any, engine: Engine, rpc: RpcClient) -> None:  # noqa: ANN401
        self.rpc = rpc
        take_over(self, engine, rpc)

    def send(self: Any, connection: Connection, submissions: Any) -> Any:  # noqa: ANN401
        results = enqueue_all(self, connection, submissions)
        for row in results:
            if isinstance(row, OutboxRow):
                raw = connection.execute(select(rows.c.raw).where(rows.c.hash == row.hash)).scalar_one()
                with suppress(UnavailableError):
                    self.rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        return results

    patch.setattr(Outbox, "take_over", remember)
    patch.setattr(Outbox, "enqueue_all", send)


def _mark_before_sending(patch: Patch) -> None:
    """Send what is marked as never having left."""
    honest = broadcast.BroadcastStep._mark  # noqa: SLF001 - switched off from outside

    def mark(self: Any, due: Any) -> Any:  # noqa: ANN401
        marked = honest(self, due)
        signed = [row.hash for row in due if row.status == outbox.SIGNED]
        with self._engine.begin() as connection:
            connection.execute(update(rows).where(rows.c.hash.in_(signed)).values(status=outbox.SIGNED))
        return marked

    patch.setattr(broadcast.BroadcastStep, "_mark", mark)


def _siblings(patch: Patch) -> None:
    """Leave the other transactions of a nonce alone when a block holds one."""
    patch.setattr(confirm, "_record_siblings", lambda *_parts: None)


def _witness(patch: Patch) -> None:
    patch.setattr(Witness, "confirm", lambda _self, _number, _hash: None)


def _read_ahead(patch: Patch) -> None:
    """Take what was read ahead whatever became of its branch."""
    patch.setattr(step.MirrorStep, "_taken", lambda self, first: self._ahead.take(first))


def _journal_epoch(patch: Patch) -> None:
    anybody = update(lease).where(bindparam("held") > 0).values(epoch=lease.c.epoch)
    patch.setattr(journal, "_KEEP_LEASE", anybody)


def _order_id(patch: Patch) -> None:
    """Take an order that comes again for another one under a used id."""
    patch.setattr(accepting, "_same_body", lambda _known, _entry: False)


#: Each safeguard that some world misses: how to do without it, and a seed whose world then breaks.
SAFEGUARDS: Final[dict[str, tuple[Off, int]]] = {
    "receipts root": (_receipts_root, 2),
    "fencing": (_fencing, 5),
    "lease epoch": (_lease_epoch, 48),
    "sign first": (_sign_first, 41),
    "mark before sending": (_mark_before_sending, 2),
    "siblings of a nonce": (_siblings, 4),
    "journal epoch": (_journal_epoch, 7),
    "order id": (_order_id, 7),
}

#: Missed only where the chain changes between two questions, or two steps, or where nothing looks again: shown by
#: worlds made for it.
BLOOM: Final = "bloom and log index"
PARENT_HASH: Final = "parent hash"
READ_AHEAD: Final = "read-ahead"
ROOTS: Final = "roots of history"
WITNESS: Final = "witness"
SCRIPTED: Final[dict[str, Off]] = {
    BLOOM: _bloom_and_log_index,
    PARENT_HASH: _parent_hash,
    READ_AHEAD: _read_ahead,
    ROOTS: _roots_of_history,
    WITNESS: _witness,
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Switch a safeguard off."""
    with pytest.MonkeyPatch.context() as patch:
        (SCRIPTED[name] if name in SCRIPTED else SAFEGUARDS[name][0])(patch)
        yield
