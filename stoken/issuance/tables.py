# SPDX-License-Identifier: Apache-2.0
"""What was decided about each request; how its transaction fares stands in the outbox."""

from sqlalchemy import CheckConstraint, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

#: In the order of receipt, `sequence` dense. `transaction_key` names the outbox row of an accepted request, `failure`
#: says why another was refused.
decisions = Table(
    "decisions",
    metadata,
    key("sequence", INT64),
    field("tenant", TEXT),
    field("id", TEXT),
    field("received_at_ns", INT64),
    optional("transaction_key", TEXT),
    optional("failure", BYTES),
    UniqueConstraint("tenant", "id"),
    CheckConstraint("(transaction_key IS NULL) <> (failure IS NULL)", name="outcome"),
    schema="ops",
)
