# SPDX-License-Identifier: Apache-2.0
"""`stoken demo`: the main job, end to end."""

from pathlib import Path
from typing import Annotated

import typer

from stoken.cli.demo.run import run

app = typer.Typer(help="Run the main job end to end.", add_completion=False)


@app.command(name="demo")
def main(
    *,
    json: Annotated[Path | None, typer.Option(help="Write the summary to this file, too.")] = None,
    rpc: Annotated[str | None, typer.Option(help="A node that is up already; by default an embedded one.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL; by default SQLite files of its own.")] = None,
    seed: Annotated[int, typer.Option(help="Makes another cast and other orders.")] = 1,
    investors: Annotated[int, typer.Option(min=0, help="Verified investors besides the characters.")] = 30,
    orders: Annotated[int, typer.Option(min=0, help="Orders of the crowd.")] = 60,
) -> None:
    """Start a chain, deploy, issue, onboard, trade, settle, print the register, check every invariant."""
    run(json_file=json, rpc_url=rpc, database_url=database, seed=seed, investors=investors, orders=orders)
