# SPDX-License-Identifier: Apache-2.0
"""Tables of `parties`: what institutions asked for, exactly as it came."""

from sqlalchemy import Index, Table, UniqueConstraint

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

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

#: When the addressee of a notice first saw it, and when it acknowledged it; by whom, as subject and institution.
notice_receipts = Table(
    "notice_receipts",
    metadata,
    key("notice", TEXT),
    field("read_at_ns", INT64),
    field("read_by", TEXT),
    optional("acknowledged_at_ns", INT64),
    optional("acknowledged_by", TEXT),
    schema="market",
)
