# SPDX-License-Identifier: Apache-2.0
"""`stoken network`: a local network in the background, on the engines that run here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stoken.cli.output import Json, emit, table
from stoken.network import background
from stoken.network import status as asking
from stoken.network.background import FOLDER, NetworkRecord
from stoken.network.local import Engine
from stoken.network.status import NetworkStatus, NodeStatus

app = typer.Typer(help="Start, show, drive and stop a local network.", add_completion=False)
Folder = Annotated[Path, typer.Option("--folder", help="Where its chain, process ids and logs are.")]

_COLUMNS = ("node", "height", "head", "peers", "missed", "base fee", "pool", "clock", "state root")
_SHORT = 10


@app.command()
def up(
    *,
    engine: Annotated[Engine, typer.Option(help="What runs.")] = Engine.ANVIL,
    nodes: Annotated[int | None, typer.Option(min=1, help="How many; by default 1, 4 (clique) or 3 (driven).")] = None,
    port: Annotated[int, typer.Option(min=0, help="The first node's endpoint, the others follow; 0 picks any.")] = 8545,
    folder: Folder = FOLDER,
    json: Json = False,
) -> None:
    """Start a network in the background; a chain that is in the folder goes on. Refuses while one is up there."""
    record = background.up(folder, engine, nodes, port)
    emit(_running(record), [f"{node.name}: {node.url} (process {node.pid})" for node in record.nodes], as_json=json)


@app.command()
def status(*, folder: Folder = FOLDER, json: Json = False) -> None:
    """Ask every node where it stands, and whether all have one state; exit 1 unless all are up and agree."""
    found = asking.ask(background.read(folder))
    emit(msgspec.to_builtins(found), _lines(found), as_json=json)
    if not found.healthy:
        raise typer.Exit(1)


@app.command()
def drive(
    *,
    blocks: Annotated[int, typer.Option(min=0, help="Mine as many blocks.")] = 0,
    reorg: Annotated[int, typer.Option(min=0, help="First replace as many of the last blocks by empty ones.")] = 0,
    safe: Annotated[int | None, typer.Option(min=0, help="Then call this block safe.")] = None,
    finalized: Annotated[int | None, typer.Option(min=0, help="Then call this block final.")] = None,
    folder: Folder = FOLDER,
    json: Json = False,
) -> None:
    """Decide what comes next on a network of `--engine driven`, which does nothing by itself."""
    record = background.read(folder)
    with background.drive(record) as driver:
        if reorg:
            driver.reorg(reorg)
        if blocks:
            driver.mine(blocks)
        if safe is not None or finalized is not None:
            driver.mark(safe=safe, finalized=finalized)
    head = asking.ask(record).nodes[0]
    emit({"height": head.height, "head_hash": head.head_hash}, [f"{head.height} {head.head_hash}"], as_json=json)


@app.command()
def down(*, folder: Folder = FOLDER, json: Json = False) -> None:
    """Stop the nodes that `up` started, and nothing else; the chain stays in the folder."""
    stopped = [node.name for node in background.down(folder)]
    emit({"stopped": stopped}, [f"{name}: stopped" for name in stopped] or ["nothing ran"], as_json=json)


def _running(record: NetworkRecord) -> dict[str, object]:
    nodes = [{"name": node.name, "url": node.url, "pid": node.pid} for node in record.nodes]
    return {"engine": record.engine.value, "nodes": nodes}


def _lines(found: NetworkStatus) -> Iterator[str]:
    yield from table([_row(node) for node in found.nodes], _COLUMNS)
    signers = next((node.signers for node in found.nodes if node.signers), None)
    if signers:
        yield f"signers: {', '.join(signers)}"
    verdict = "one state root on all nodes" if found.roots_agree else "THE NODES' STATE ROOTS DIFFER"
    yield f"block {found.shared_height}: {verdict}" if found.shared_height is not None else "no node answers"


def _row(node: NodeStatus) -> dict[str, str]:
    pool = None if node.pending is None else f"{node.pending}+{node.queued}"
    values = (node.height, node.head_hash, node.peers, node.missed_blocks, node.base_fee, pool)
    cells = [*values, node.clock_offset_seconds, node.state_root]
    shown = ["-" if cell is None else str(cell)[:_SHORT] for cell in cells]
    return dict(zip(_COLUMNS, (node.name if node.up else f"{node.name} (down)", *shown), strict=True))
