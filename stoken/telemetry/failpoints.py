# SPDX-License-Identifier: Apache-2.0
"""Points at which a test may kill the process: `STOKEN_FAILPOINT=name`, or `name:nth` for the nth pass.

With `name:nth@file` passes count once the file is there: so a test strikes amid what it waits for.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Every point, with what has and what has not happened there.
NAMES: Final = {
    "journal.committed": "the journal holds the entry, the caller has no answer",
    "outbox.committed": "the outbox holds signed transactions, none was sent",
    "outbox.marked": "transactions are marked as sent, none was",
    "outbox.broadcast": "transactions were sent, the node's answers are not read",
    "mirror.block": "a block is applied, its commit has not happened",
    "issuance.decided": "requests are decided, cursor and outbox rows are not committed",
    "settlement.decided": "a batch is decided, cursor and outbox rows are not committed",
}
_VARIABLE: Final = "STOKEN_FAILPOINT"
#: What passes the points in this process: simulated crashes raise from here.
listeners: Final[list[Callable[[str], None]]] = []


class _Failpoints:
    def __init__(self) -> None:
        point, _, armed_by = os.environ.get(_VARIABLE, "").partition("@")
        name, _, nth = point.partition(":")
        self.name = name
        self.left = int(nth or "1")
        self.armed_by = Path(armed_by) if armed_by else None


_active = _Failpoints()


def reach(name: str) -> None:
    """Kill this process, as by `kill -9`, where the environment asks for it here; free otherwise."""
    for listener in listeners:
        listener(name)
    if name != _active.name:
        return
    if _active.armed_by is not None and not _active.armed_by.exists():
        return
    _active.left -= 1
    if _active.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
