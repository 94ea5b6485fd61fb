# SPDX-License-Identifier: Apache-2.0
"""Alembic revisions; run them through `stoken.db.schema`, which needs no ini file."""
