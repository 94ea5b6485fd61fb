# SPDX-License-Identifier: Apache-2.0
"""Engine, unit of work, table base, schema guard: SQLite and PostgreSQL behind one door."""

from stoken.db.engine import note_commits, open_engine, reading, unit_of_work
from stoken.db.metadata import metadata

__all__ = ["metadata", "note_commits", "open_engine", "reading", "unit_of_work"]
