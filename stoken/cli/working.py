# SPDX-License-Identifier: Apache-2.0
"""`stoken work`: the worker's process."""

import typer

from stoken.cli.output import Json
from stoken.settings import load_settings
from stoken.telemetry import logs
from stoken.worker import work as run_worker

app = typer.Typer(help="Run the worker.", add_completion=False)


@app.command()
def work(*, json: Json = False) -> None:
    """Run mirror, ledger, settlement, requests and outbox, until SIGTERM or SIGINT."""
    logs.configure(json=json or None)
    run_worker(load_settings())
