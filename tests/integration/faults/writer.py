# SPDX-License-Identifier: Apache-2.0
"""A worker as a program: decides one transaction, unless it did before, and runs its steps until that is mined."""

import sys
import time

from stoken.chain.rpc import RpcClient
from stoken.db import open_engine
from stoken.errors import LedgerUnavailableError
from tests.emitting import EmittingPath

SECRET = b"\x51" * 32
_SECONDS = 60


def main() -> None:
    """Run until the transaction is mined; whoever starts it kills it before that, or lets it end."""
    database_url, rpc_url, key = sys.argv[1:]
    engine = open_engine(database_url)
    path = EmittingPath(engine, RpcClient(rpc_url, timeout=5), secret=SECRET)
    # It logs nothing, so that confirming it takes the receipts of its block.
    path.enqueue(key)
    deadline = time.monotonic() + _SECONDS
    while path.row(key).status not in {"mined", "failed"} and time.monotonic() < deadline:
        path.now = time.monotonic()
        try:
            path.round()
        except LedgerUnavailableError:
            time.sleep(0.05)
    sys.exit(path.row(key).status != "mined")


if __name__ == "__main__":
    main()
