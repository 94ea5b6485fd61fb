# SPDX-License-Identifier: Apache-2.0
"""What a power cut strikes: appends to the journal, signs into the outbox, and says so only after the commit."""

import sys
from collections.abc import Callable

from sqlalchemy import Engine, event

from stoken.db import open_engine, unit_of_work
from stoken.orders.journal import Journal
from stoken.orders.replay import JournalRow
from stoken.transactions.outbox import Outbox
from stoken.transactions.signer import KeystoreSigner

SECRET = b"\x61" * 32
_CHAIN_ID = 20260


def careless(engine: Engine) -> None:
    """Take the safeguard away: commits no longer wait for the disk."""

    @event.listens_for(engine, "connect")
    def _forget(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the driver's own
        connection.execute("PRAGMA synchronous=OFF")


class _Node:
    """No chain is needed to sign: nothing was ever sent with this key."""

    def call(self, _method: str, *_params: object) -> str:
        return "0x0"


def main() -> None:
    """Write until killed, or until the disk is full; each line of output acknowledges a journal entry or a row."""
    url, safeguard, first = sys.argv[1:]
    engine = open_engine(url)
    if safeguard == "off":
        careless(engine)
    acknowledge = _acknowledger()
    journal = Journal(engine)
    journal.take_over()
    signer = KeystoreSigner(SECRET)
    outbox = Outbox({signer.address: signer}, _CHAIN_ID, check=lambda _to, _data: None)
    outbox.take_over(engine, _Node())  # type: ignore[arg-type]
    for number in range(int(first), int(first) + 1_000_000):
        journal.append([JournalRow(number, b"entry %d" % number, b"outcome")])
        acknowledge(f"journal {number}")
        with unit_of_work(engine) as connection:
            row = outbox.enqueue(
                connection,
                key=f"key {number}",
                sender=signer.address,
                to=b"\x0e" * 20,
                data=b"%d" % number,
                gas=100_000,
                purpose="test",
            )
        acknowledge(f"outbox {row.nonce} {row.hash.hex()}")


def _acknowledger() -> Callable[[str], None]:
    def acknowledge(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    return acknowledge


if __name__ == "__main__":
    main()
