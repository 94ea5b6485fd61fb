# SPDX-License-Identifier: Apache-2.0
"""The one MetaData, its naming convention, and the column types every table uses."""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Text
from sqlalchemy.types import TypeEngine

SCHEMAS: Final = ("mirror", "ledger", "market", "ops")

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: 63-bit integers: units, won, block numbers, instants. SQLite takes a lone INTEGER key as its row id.
INT64: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
#: Addresses, hashes, encoded bodies: BLOB on SQLite, bytea on PostgreSQL.
BYTES: Final[TypeEngine[bytes]] = LargeBinary()
TEXT: Final[TypeEngine[str]] = Text()
BOOL: Final[TypeEngine[bool]] = Boolean()


def key(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """Return a column of a primary key; values are always given, never generated."""
    return Column(name, kind, primary_key=True, autoincrement=False)


def field(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """Return a column that is never NULL."""
    return Column(name, kind, nullable=False)


def optional(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """Return a column that may be NULL."""
    return Column(name, kind, nullable=True)
