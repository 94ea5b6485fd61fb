# SPDX-License-Identifier: Apache-2.0
"""The outbox and the keys that carry it."""

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

#: One row a transaction: written once with the decision, never signed again. `body` is the hash of receiver and data,
#: `owner` for whom it is sent: an owner's transactions are mined in the order of their `sequence`, whatever the key.
#: A nonce has a second version only where a replacement is on record: `replaced_by` names what took the nonce,
#: `command` what an operator or a node's refusal asks for, `note` why; `held` are the words of a node that keeps
#: refusing for a reason that is not known for good, `policy` the digest of the key policy that let an act pass.
outbox = Table(
    "outbox",
    metadata,
    key("sender", BYTES),
    key("nonce", INT64),
    key("version", INT64),
    field("sequence", INT64),
    field("key", TEXT),
    field("body", BYTES),
    field("hash", BYTES),
    field("raw", BYTES),
    field("receiver", BYTES),
    field("gas", INT64),
    field("purpose", TEXT),
    field("owner", TEXT),
    field("status", TEXT),
    optional("block_number", INT64),
    optional("block_hash", BYTES),
    optional("failure", BYTES),
    optional("replaced_by", BYTES),
    optional("command", TEXT),
    optional("note", TEXT),
    optional("held", TEXT),
    optional("policy", BYTES),
    UniqueConstraint("key"),
    UniqueConstraint("hash"),
    UniqueConstraint("sequence"),
    CheckConstraint("status IN ('signed', 'broadcast', 'mined', 'failed', 'canceled', 'replaced')", name="status"),
    CheckConstraint("command IN ('retry', 'cancel', 'replace', 'fill')", name="command"),
    schema="ops",
)
Index("ix_outbox_status", outbox.c.status, outbox.c.sender, outbox.c.nonce)
Index("ix_outbox_owner", outbox.c.owner, outbox.c.status)
Index("ix_outbox_command", outbox.c.command)
Index("ix_outbox_block", outbox.c.block_number)

#: One row a key; only the process that holds the epoch may take a nonce. On PostgreSQL its lease, by the database's
#: clock, keeps processes of another name from taking over while it lives.
senders = Table(
    "senders",
    metadata,
    key("address", BYTES),
    field("next_nonce", INT64),
    field("epoch", INT64),
    field("holder", TEXT),
    field("lease_ends_at_ms", INT64),
    schema="ops",
)

#: The key policy, a version a row, each the record of its ceremony: never changed, never deleted. `statement` is what
#: was signed, `digest` its hash, which names the digest of the version before, `signatures` what authorised it.
key_ceremonies = Table(
    "key_ceremonies",
    metadata,
    key("version", INT64),
    field("digest", BYTES),
    field("statement", BYTES),
    field("signatures", BYTES),
    field("recorded_at_ns", INT64),
    UniqueConstraint("digest"),
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
