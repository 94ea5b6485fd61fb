# SPDX-License-Identifier: Apache-2.0
"""The table that binds a database to one chain."""

from sqlalchemy import Table

from stoken.db.metadata import BYTES, INT64, field, key, metadata

#: One row, id 1.
chain = Table(
    "chain",
    metadata,
    key("id", INT64),
    field("chain_id", INT64),
    field("genesis_hash", BYTES),
    schema="ops",
)
