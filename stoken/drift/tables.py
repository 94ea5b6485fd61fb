# SPDX-License-Identifier: Apache-2.0
"""Where verdicts parted, until an operator says why."""

from sqlalchemy import Table

from stoken.db.metadata import BYTES, INT64, TEXT, field, key, metadata, optional

#: One open row a token: the first move on which they parted, as revert data, and how often they did since.
verdict_drifts = Table(
    "verdict_drifts",
    metadata,
    key("id", INT64),
    field("token", BYTES),
    field("sender", BYTES),
    field("receiver", BYTES),
    field("units", INT64),
    field("channel", INT64),
    field("block_number", INT64),
    field("block_hash", BYTES),
    field("local", BYTES),
    field("chain", BYTES),
    field("seen", INT64),
    field("found_at_ns", INT64),
    optional("resolved_at_ns", INT64),
    optional("resolved_by", TEXT),
    optional("cause", TEXT),
    schema="ops",
)
