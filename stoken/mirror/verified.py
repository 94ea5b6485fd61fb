# SPDX-License-Identifier: Apache-2.0
"""Whether what the mirror holds may be decided upon: final blocks that catch-up wrote may lack a log until verified."""

from sqlalchemy import Connection

from stoken.mirror.roots import read_roots
from stoken.mirror.store import read_checkpoint


def verified_to(connection: Connection) -> int:
    """Return the last block up to which all logs are those of receipts that hash to their roots."""
    return read_roots(connection).number


def is_verified(connection: Connection) -> bool:
    """Tell whether that is so of every final block: who decides by the mirror waits until it is."""
    return verified_to(connection) >= read_checkpoint(connection).final_number
