# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs: the revisions, on the connection and in the transaction of `stoken.db.schema`."""

from alembic import context

from stoken.db.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transaction_per_migration=False
)
context.run_migrations()
