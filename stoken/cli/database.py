# SPDX-License-Identifier: Apache-2.0
"""`stoken db`: the databases' schemas, and the ledger's digest."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy import Engine

from stoken.bootstrap import open_databases
from stoken.cli.output import Json, emit
from stoken.db import reading, schema
from stoken.ledger import digest as ledger_digest
from stoken.settings import Settings, load_settings

app = typer.Typer(help="Upgrade, check and compare databases.", add_completion=False)


@contextmanager
def _databases(settings: Settings) -> Iterator[list[Engine]]:
    """Give the databases of the settings: two files on SQLite, one database on PostgreSQL."""
    ledger, market = open_databases(settings)
    engines = [ledger] if ledger.url == market.url else [ledger, market]
    yield engines
    for engine in (ledger, market):
        engine.dispose()


@app.command()
def upgrade(*, json: Json = False) -> None:
    """Bring the schemas up to this version of stoken."""
    with _databases(load_settings()) as engines:
        for engine in engines:
            schema.upgrade(engine)
        _report(engines, "upgraded", as_json=json)


@app.command()
def check(*, json: Json = False) -> None:
    """Say whether the schemas are those of this version of stoken; exit 1 if not."""
    with _databases(load_settings()) as engines:
        for engine in engines:
            schema.check(engine)
        _report(engines, "current", as_json=json)


@app.command()
def digest(*, json: Json = False) -> None:
    """Print the hash over the ledger: equal on SQLite and PostgreSQL, live and rebuilt."""
    with _databases(load_settings()) as (ledger, *_):
        schema.check(ledger)
        with reading(ledger) as connection:
            found = ledger_digest.digest(connection)
    emit({"digest": found}, [found], as_json=json)


def _report(engines: list[Engine], state: str, *, as_json: bool) -> None:
    found = [
        {"database": engine.url.render_as_string(hide_password=True), "schema": schema.current(engine), "state": state}
        for engine in engines
    ]
    emit({"databases": found}, [f"{row['database']}: {row['schema']} ({state})" for row in found], as_json=as_json)
