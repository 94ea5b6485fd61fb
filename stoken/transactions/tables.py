# SPDX-License-Identifier: Apache-2.0
"""The outbox and the keys that carry it."""

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

#: One row a transaction: written once with the decision, never signed again. `body` is the hash of receiver and data.
outbox = Table(
    "outbox",
    metadata,
    key("sender", BYTES),
    key("nonce", INT64),
    field("key", TEXT),
    field("body", BYTES),
    field("hash", BYTES),
    field("raw", BYTES),
    field("receiver", BYTES),
    field("gas", INT64),
    field("purpose", TEXT),
    field("status", TEXT),
    optional("block_number", INT64),
    optional("failure", BYTES),
    UniqueConstraint("key"),
    UniqueConstraint("hash"),
    CheckConstraint("status IN ('signed', 'broadcast', 'mined', 'failed')", name="status"),
    schema="ops",
)
Index("ix_outbox_status", outbox.c.status, outbox.c.sender, outbox.c.nonce)

#: One row a key; only the process that holds the epoch may take a nonce.
senders = Table(
    "senders",
    metadata,
    key("address", BYTES),
    field("next_nonce", INT64),
    field("epoch", INT64),
    schema="ops",
)

#: How far a step of the worker has read, by its name.
cursors = Table(
    "cursors",
    metadata,
    key("name", TEXT),
    field("position", INT64),
    schema="ops",
)
