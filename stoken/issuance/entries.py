# SPDX-License-Identifier: Apache-2.0
"""What was entered because somebody asked: when each request came, when it was entered, and that the order is one."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from stoken.issuance.queries import RequestStatus
from stoken.issuance.tables import decisions
from stoken.mirror.store import block_times
from stoken.transactions import outbox
from stoken.transactions.confirm import confirmed_to
from stoken.transactions.outbox import OutboxRow

_NANOSECONDS: Final = 1_000_000_000
#: Block time is in whole seconds, and clocks may differ by one.
_CLOCK_SECONDS: Final = 2
_PAGE: Final = 1_000


class Entered(NamedTuple):
    """A request by its place in the order of receipt (`sequence`, dense), and its place in the register."""

    sequence: int
    tenant: str
    id: str
    received_at_ns: int
    status: RequestStatus
    kind: str | None = None
    transaction_hash: bytes | None = None
    sender: bytes | None = None
    nonce: int | None = None
    block_number: int | None = None
    #: Seconds of block time; None until its block is final.
    entered_at: int | None = None


def entries(connection: Connection, after: int = 0, limit: int = _PAGE) -> list[Entered]:
    """Return requests in the order of their receipt, from above a sequence."""
    columns = decisions.c
    rows = connection.execute(
        select(decisions).where(columns.sequence > after).order_by(columns.sequence).limit(limit)
    ).all()
    sent = {
        row.key: row
        for row in outbox.read_all(connection, [row.transaction_key for row in rows if row.transaction_key])
    }
    times = block_times(connection, [each.block_number for each in sent.values() if each.block_number is not None])
    final = confirmed_to(connection)
    found = []
    for row in rows:
        entered = Entered(row.sequence, row.tenant, row.id, row.received_at_ns, RequestStatus.FAILED)
        carried = sent.get(row.transaction_key)
        found.append(entered if carried is None else _carried(entered, carried, times, final))
    return found


def order_faults(connection: Connection) -> Iterator[str]:
    """Say, a line each, where the register's entries are not in the order in which their requests came."""
    before: Entered | None = None
    last: Entered | None = None
    sequence = 0
    while page := entries(connection, sequence):
        for entry in page:
            if entry.sequence != sequence + 1:
                yield f"{entry.sequence}: follows {sequence}, so a request is missing"
            if before is not None and entry.received_at_ns < before.received_at_ns:
                yield f"{entry.sequence}: was received before {before.sequence}"
            if entry.entered_at is not None:
                yield from _misplaced(entry, last)
                last = entry
            before, sequence = entry, entry.sequence


def _misplaced(entry: Entered, last: Entered | None) -> Iterator[str]:
    if entry.entered_at is not None and entry.entered_at + _CLOCK_SECONDS < entry.received_at_ns // _NANOSECONDS:
        yield f"{entry.sequence}: was entered before it was received"
    if last is not None and _place(entry) < _place(last):
        yield f"{entry.sequence}: was entered before {last.sequence}, which was received first"


def _place(entry: Entered) -> tuple[int, int]:
    """Return where an entry stands in the register; one key sends them all, and its nonces follow one another."""
    return entry.block_number or 0, entry.nonce or 0


def _carried(entered: Entered, sent: OutboxRow, times: dict[int, int], final: int) -> Entered:
    entered = entered._replace(
        kind=sent.purpose, transaction_hash=sent.hash, sender=sent.sender, nonce=sent.nonce, status=RequestStatus.SENT
    )
    if sent.block_number is None:
        return entered
    entered = entered._replace(block_number=sent.block_number, status=RequestStatus.MINED)
    if sent.block_number > final:
        return entered
    if sent.status == outbox.FAILED:
        # A transaction that reverted entered nothing.
        return entered._replace(status=RequestStatus.FAILED)
    return entered._replace(status=RequestStatus.DONE, entered_at=times.get(sent.block_number))


def entered(connection: Connection, sequence: int) -> Entered | None:
    """Return one request by its place in the order of receipt; None until it is decided."""
    found: Sequence[Entered] = entries(connection, sequence - 1, 1)
    return found[0] if found and found[0].sequence == sequence else None
