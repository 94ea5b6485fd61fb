# SPDX-License-Identifier: Apache-2.0
"""One settlement instruction a trade: which transaction carries it, and what the ledger said of it."""

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

#: `sequence` is the journal entry that matched it; `failure` is the contract's revert data, or why the whole
#: transaction failed; `failure_sequence` counts the latter, which no event of the chain tells the venue.
instructions = Table(
    "instructions",
    metadata,
    key("trade_id", INT64),
    field("sequence", INT64),
    field("transaction_key", TEXT),
    field("attempts", INT64),
    field("status", TEXT),
    optional("block_number", INT64),
    optional("failure", BYTES),
    optional("failure_sequence", INT64),
    UniqueConstraint("failure_sequence"),
    CheckConstraint("status IN ('matched', 'settled', 'failed')", name="status"),
    schema="ops",
)
Index("ix_instructions_transaction_key", instructions.c.transaction_key)
Index("ix_instructions_status", instructions.c.status)
