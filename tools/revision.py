# SPDX-License-Identifier: Apache-2.0
"""Write the next Alembic revision: the difference between the newest one and the models.

    python tools/revision.py 0002 "Add distributions"

It upgrades a scratch SQLite database, compares, and writes stoken/migrations/versions/<number>_<subject>.py.
Read what it wrote before you commit it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations import ops

from stoken.db import open_engine, schema
from stoken.db.metadata import SCHEMAS
from stoken.migrations.tables import complete_metadata

_VERSIONS = Path(__file__).parent.parent / "stoken" / "migrations" / "versions"
_TEMPLATE = '''# SPDX-License-Identifier: Apache-2.0
"""{subject}."""

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = {previous!r}
branch_labels = None
depends_on = None
{schemas}

def upgrade() -> None:
    """Create what this revision adds."""
{upgrade}


def downgrade() -> None:
    """Drop what this revision added."""
{downgrade}
'''
_SCHEMAS = f"_SCHEMAS = {SCHEMAS!r}\n"
_CREATE_SCHEMAS = """    if op.get_bind().dialect.name == "postgresql":
        for name in _SCHEMAS:
            op.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
"""
_DROP_SCHEMAS = """
    if op.get_bind().dialect.name == "postgresql":
        for name in _SCHEMAS:
            op.execute(f"DROP SCHEMA {name}")"""


def main(number: str, subject: str) -> None:
    """Write the revision and print its path."""
    previous, tables = _existing()
    missing = [table for table in complete_metadata().sorted_tables if f"{table.schema}_{table.name}" not in tables]
    created: list[ops.MigrateOperation] = []
    for table in missing:
        created.append(ops.CreateTableOp.from_table(table))
        created += [ops.CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda i: str(i.name))]
    dropped = [operation.reverse() for operation in reversed(created)]
    first = previous is None
    path = _VERSIONS / f"{number}_{re.sub(r'[^a-z0-9]+', '_', subject.lower())}.py"
    path.write_text(
        _TEMPLATE.format(
            subject=subject,
            number=number,
            previous=previous,
            schemas=_SCHEMAS if first else "",
            upgrade=(_CREATE_SCHEMAS if first else "") + _render(created),
            downgrade=_render(dropped) + (_DROP_SCHEMAS if first else ""),
        )
    )
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
    print(path)


def _render(operations: list[ops.MigrateOperation]) -> str:
    container = ops.UpgradeOps(ops=operations)
    code = render_python_code(container, sqlalchemy_module_prefix="sa.", alembic_module_prefix="op.")
    kept = [line.removesuffix("\n") for line in code.splitlines() if not line.startswith("# ###")]
    return (
        "\n".join(f"    {line}" if line and not line.startswith("    ") else line for line in kept).rstrip()
        or "    pass"
    )


def _existing() -> tuple[str | None, set[str]]:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/scratch.db")
        if any(_VERSIONS.glob("[0-9]*.py")):
            schema.upgrade(engine)
        revision, tables = schema.current(engine), set(sa.inspect(engine).get_table_names())
        engine.dispose()
    return revision, tables


if __name__ == "__main__":
    main(*sys.argv[1:3])
