# SPDX-License-Identifier: Apache-2.0
"""The version of a database's schema: read, checked before anything else, moved up and down by Alembic."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from stoken.db.engine import unit_of_work
from stoken.errors import StartupError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "stoken_schema"
_SCRIPTS = "stoken:migrations"


def current(engine: Engine) -> str | None:
    """Return the schema's revision, None for an empty database; StartupError where no database answers."""
    try:
        with engine.connect() as connection:
            return _current(connection)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise StartupError(f"the database does not open: {reason}") from error


def check(engine: Engine) -> None:
    """Raise StartupError unless the schema is exactly the one that this version of stoken works with."""
    revision, head = current(engine), _head()
    if revision == head:
        return
    if revision is None:
        raise StartupError("the database is empty: run `stoken db upgrade`")
    _refuse_newer(revision)
    raise StartupError(f"the database's schema is {revision}, this stoken needs {head}: run `stoken db upgrade`")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to a revision in one commit; a newer database is refused with StartupError."""
    _refuse_newer(current(engine))
    from alembic import command  # noqa: PLC0415 - slow to import, and needed here alone

    with unit_of_work(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema down to a revision, `base` for nothing at all, in one commit."""
    _refuse_newer(current(engine))
    from alembic import command  # noqa: PLC0415 - slow to import, and needed here alone

    with unit_of_work(engine) as connection:
        command.downgrade(_config(connection), revision)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own name
    return None if revision is None else str(revision)


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in _known():
        raise StartupError(f"the database's schema {revision} is newer than this stoken knows: upgrade stoken")


def _known() -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and needed here alone

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _head() -> str | None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and needed here alone

    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - slow to import, and needed here alone

    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
