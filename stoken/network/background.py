# SPDX-License-Identifier: Apache-2.0
"""A local network that outlives the command which started it: a state folder says what runs, `down` ends just that."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from stoken.errors import StartupError
from stoken.network import local
from stoken.network.driver import Driver, Endpoint
from stoken.network.geth import Geth
from stoken.network.local import Engine
from stoken.network.process import NodeProcess

FOLDER: Final = Path("var/network")
_RECORD: Final = "network.json"
_PID: Final = "pid"
_STOP_SECONDS: Final = 20
#: Field 22 of /proc/PID/stat, counted behind the process's name: clock ticks from boot to its start.
_STARTED_FIELD: Final = 19


class NodeRecord(msgspec.Struct, frozen=True):
    """A node that was started: what tells its process from any other that gets the same number later."""

    name: str
    url: str
    pid: int
    started: int
    command: tuple[str, ...]
    engine_url: str = ""
    jwt_file: str = ""

    @property
    def runs(self) -> bool:
        """Tell whether this very process is alive."""
        return _identity(self.pid) == (self.started, self.command)


class NetworkRecord(msgspec.Struct, frozen=True):
    """A network that was started."""

    engine: Engine
    nodes: tuple[NodeRecord, ...]


def up(folder: Path, engine: Engine, count: int | None, first_port: int) -> NetworkRecord:
    """Start a network in the background; StartupError where one is up there, or another engine's chain is."""
    before = _read(folder)
    if before is not None and any(node.runs for node in before.nodes):
        raise StartupError(f"the network in {folder} is up already: `stoken network down` ends it")
    if before is not None and before.engine is not engine:
        raise StartupError(f"{folder} holds a chain of {before.engine}: name another --folder, or remove it")
    if before is not None and count not in {None, len(before.nodes)}:
        raise StartupError(f"{folder} holds a network of {len(before.nodes)} nodes")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    nodes = local.make(engine, folder.resolve(), len(before.nodes) if before else count, first_port)
    record = NetworkRecord(engine, tuple(_start(nodes, folder.resolve())))
    (folder / _RECORD).write_bytes(encoded(record))
    return record


def down(folder: Path) -> list[NodeRecord]:
    """Stop the nodes that `up` started and return those that still ran; other processes are never touched."""
    record = read(folder)
    running = [node for node in record.nodes if node.runs]
    for node in running:
        _signal(node, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while any(node.runs for node in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    for node in running:
        _signal(node, signal.SIGKILL)
    for node in record.nodes:
        (folder / node.name / _PID).unlink(missing_ok=True)
    return running


def read(folder: Path) -> NetworkRecord:
    """Return what `up` started in a folder; StartupError where it never did."""
    record = _read(folder)
    if record is None:
        raise StartupError(f"there is no network in {folder}: `stoken network up` starts one")
    return record


def encoded(record: NetworkRecord) -> bytes:
    """Return a record as it stands in the state folder."""
    return msgspec.json.format(msgspec.json.encode(record))


def drive(record: NetworkRecord) -> Driver:
    """Return the driver of a network; StartupError where its nodes decide themselves."""
    if record.engine is not Engine.DRIVEN:
        raise StartupError(f"a network of {record.engine} mines by itself: only a driven one can be told to")
    return Driver([Endpoint(node.url, node.engine_url, Path(node.jwt_file)) for node in record.nodes])


def _read(folder: Path) -> NetworkRecord | None:
    file = folder / _RECORD
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=NetworkRecord)
    except msgspec.MsgspecError as error:
        raise StartupError(f"{file} is not what `stoken network up` wrote") from error


def _start(nodes: Sequence[NodeProcess], folder: Path) -> list[NodeRecord]:
    """Start all nodes, or none."""
    started = list[NodeProcess]()
    try:
        for at, node in enumerate(nodes):
            node.log_to(folder / _name(at) / "log")
            started.append(node.start())
    except BaseException:
        for node in started:
            node.stop()
        raise
    return [_release(node, _name(at), folder) for at, node in enumerate(nodes)]


def _release(node: NodeProcess, name: str, folder: Path) -> NodeRecord:
    started, command = _identity(node.pid) or (0, ())
    driven = {"engine_url": node.engine_url, "jwt_file": str(node.jwt_file)} if isinstance(node, Geth) else {}
    record = NodeRecord(name, node.url, node.release(), started, command, **driven)
    (folder / name / _PID).write_text(f"{record.pid}\n")
    return record


def _name(at: int) -> str:
    return f"node-{at + 1}"


def _identity(pid: int) -> tuple[int, tuple[str, ...]] | None:
    """Return when a process started and by which command; None where there is none, or only its corpse."""
    process = Path("/proc") / str(pid)
    try:
        state, *fields = (process / "stat").read_text().rpartition(")")[2].split()
        command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else (int(fields[_STARTED_FIELD - 1]), tuple(command))


def _signal(node: NodeRecord, number: signal.Signals) -> None:
    if node.runs:
        with suppress(ProcessLookupError):
            os.kill(node.pid, number)
