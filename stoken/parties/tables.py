# SPDX-License-Identifier: Apache-2.0
"""Tables of `parties`: what institutions asked for, exactly as it came."""

from sqlalchemy import Index, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata

#: Written by `serve` alone; what became of a request stands with whoever decides it.
requests = Table(
    "requests",
    metadata,
    key("sequence", INT64),
    field("tenant", TEXT),
    field("id", TEXT),
    field("kind", TEXT),
    field("body", BYTES),
    field("body_hash", BYTES),
    field("received_at_ns", INT64),
    UniqueConstraint("tenant", "id"),
    schema="market",
)
Index("ix_requests_tenant_sequence", requests.c.tenant, requests.c.sequence)
