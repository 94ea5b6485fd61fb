# SPDX-License-Identifier: Apache-2.0
"""`stoken contracts`: build, deploy, inspect, verify and upgrade the contract suite."""

import json
from typing import Annotated

import typer

from stoken.cli import contracts_deploy, contracts_upgrade

app = typer.Typer(help="Build, deploy, inspect, verify and upgrade the contract suite.", no_args_is_help=True)


@app.callback()
def contracts() -> None:
    """Build, deploy, inspect, verify and upgrade the contract suite."""


@app.command()
def build(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare instead of writing; exit 1 if they differ.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compile the contracts into the artifacts that the package carries; needs a source checkout."""
    from stoken.chain import build as builder  # noqa: PLC0415 - only this command compiles

    if check:
        builder.check()
        changed: list[str] = []
    else:
        changed = builder.build()
    if as_json:
        typer.echo(json.dumps({"changed": changed}))
    else:
        typer.echo(f"artifacts changed: {', '.join(changed)}" if changed else "artifacts match the contracts")


app.command()(contracts_deploy.deploy)
app.command()(contracts_deploy.verify)
app.command()(contracts_upgrade.inspect)
app.command()(contracts_upgrade.upgrade)
app.command()(contracts_upgrade.rollback)
