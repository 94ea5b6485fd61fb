# SPDX-License-Identifier: Apache-2.0
"""A database belongs to one chain: the first that it was used with, by chain id and genesis hash."""

from sqlalchemy import Connection, insert, select

from stoken.db.tables import chain
from stoken.errors import StartupError


def is_bound(connection: Connection) -> bool:
    """Say whether a database was ever used with a chain."""
    return connection.execute(select(chain.c.chain_id)).first() is not None


def bind_chain(connection: Connection, chain_id: int, genesis_hash: bytes) -> None:
    """Bind a new database to a chain, or check that it is bound to this one; StartupError where it is another's."""
    row = connection.execute(select(chain.c.chain_id, chain.c.genesis_hash)).one_or_none()
    if row is None:
        connection.execute(insert(chain).values(id=1, chain_id=chain_id, genesis_hash=genesis_hash))
    elif row.chain_id != chain_id:
        raise StartupError(f"the database belongs to chain {row.chain_id}, the node to chain {chain_id}")
    elif row.genesis_hash != genesis_hash:
        raise StartupError(
            f"the database belongs to another chain {chain_id}: its genesis is 0x{row.genesis_hash.hex()}, "
            f"the node's 0x{genesis_hash.hex()}"
        )
