# SPDX-License-Identifier: Apache-2.0
"""The venue's journal, and the lease by which one actor alone appends to it."""

from sqlalchemy import Table

from stoken.db.metadata import BYTES, INT64, field, key, metadata

#: One row an entry, in order and without gaps from 1; `entry` and `outcome` as `stoken.orders.entries` and
#: `stoken.orders.outcomes` encode them; `epoch` says which actor wrote it.
journal = Table(
    "journal",
    metadata,
    key("sequence", INT64),
    field("epoch", INT64),
    field("entry", BYTES),
    field("outcome", BYTES),
    schema="market",
)

#: One row, id 1: the epoch of the actor that may append.
lease = Table(
    "lease",
    metadata,
    key("id", INT64),
    field("epoch", INT64),
    schema="market",
)
