# SPDX-License-Identifier: Apache-2.0
"""What the mirror stores of the chain, exactly as it came."""

from sqlalchemy import Index, Table

from stoken.db.metadata import BOOL, BYTES, INT64, TEXT, field, key, metadata

blocks = Table(
    "blocks",
    metadata,
    key("number", INT64),
    field("hash", BYTES),
    field("parent_hash", BYTES),
    field("time", INT64),
    schema="mirror",
)

#: `topics` holds zero to four words of 32 bytes in a row.
logs = Table(
    "logs",
    metadata,
    key("block_number", INT64),
    key("log_index", INT64),
    field("transaction_index", INT64),
    field("address", BYTES),
    field("topics", BYTES),
    field("data", BYTES),
    schema="mirror",
    sqlite_with_rowid=False,
)

transactions = Table(
    "transactions",
    metadata,
    key("block_number", INT64),
    key("transaction_index", INT64),
    field("hash", BYTES),
    schema="mirror",
    sqlite_with_rowid=False,
)
Index(None, transactions.c.hash)

#: Who sealed a block with logs, on engines with commit seals; addresses of 20 bytes in a row.
seals = Table(
    "seals",
    metadata,
    key("number", INT64),
    field("round", INT64),
    field("validators", BYTES),
    field("signers", BYTES),
    schema="mirror",
)

#: One row, id 1: the last block applied, and the last final one.
checkpoint = Table(
    "checkpoint",
    metadata,
    key("id", INT64),
    field("number", INT64),
    field("hash", BYTES),
    field("final_number", INT64),
    field("time", INT64),
    schema="mirror",
)

#: One row, id 1: up to which block receipts hash to their root, and what the pass over history did in all.
roots = Table(
    "roots",
    metadata,
    key("id", INT64),
    field("number", INT64),
    field("blocks", INT64),
    field("logs", INT64),
    field("period_ns", INT64),
    schema="mirror",
)

#: One row, id 1: the mirror's last answered look at the node, and what it wrote in the period before it.
heartbeat = Table(
    "heartbeat",
    metadata,
    key("id", INT64),
    field("looked_at_ns", INT64),
    field("lag_blocks", INT64),
    field("period_ns", INT64),
    field("blocks", INT64),
    field("logs", INT64),
    field("advanced_at_ns", INT64),
    schema="mirror",
)

#: The drift log: what a process's clock was off by; written once, never changed.
clock_log = Table(
    "clock_log",
    metadata,
    key("at_ns", INT64),
    key("host", TEXT),
    key("process", TEXT),
    field("offset_ns", INT64),
    field("error_ns", INT64),
    field("synchronised", BOOL),
    field("within", BOOL),
    schema="ops",
)
