# SPDX-License-Identifier: Apache-2.0
"""Plays a power cut: builds the preload shim, and takes back what a killed process wrote and did not sync."""

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("shim.c")
_HEAD = struct.Struct("<5Q")
_SECTOR = 512


class Write(NamedTuple):
    """What a write, or a truncation, replaced."""

    path: Path
    offset: int
    size_before: int
    replaced: bytes


def compiler() -> str | None:
    """Return the C compiler, None where the machine has none."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """Compile the shim."""
    library, command = folder / "shim.so", compiler()
    assert command is not None
    flags = ["-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", str(library)]
    subprocess.run([command, *flags, str(SOURCE), "-ldl", "-lpthread"], check=True)
    return library


def environment(library: Path, folder: Path, log: Path, space: int | None = None) -> dict[str, str]:
    """Return the environment of a process whose writes below a folder are watched."""
    watching = {"LD_PRELOAD": str(library), "POWER_FOLDER": str(folder), "POWER_LOG": str(log)}
    return {**os.environ, **watching} | ({} if space is None else {"POWER_SPACE": str(space)})


def unsynced(log: Path) -> list[Write]:
    """Return the writes that no sync of their file followed, in their order."""
    pending: list[Write] = []
    data = memoryview(log.read_bytes())
    while len(data) >= _HEAD.size:
        kind, length, offset, size, old = _HEAD.unpack(data[: _HEAD.size])
        path = Path(bytes(data[_HEAD.size : _HEAD.size + length]).decode())
        replaced = bytes(data[_HEAD.size + length : _HEAD.size + length + old])
        data = data[_HEAD.size + length + old :]
        if chr(kind) == "s":
            pending = [write for write in pending if write.path != path]
        else:
            pending.append(Write(path, offset, size, replaced))
    return pending


def cut(folder: Path, log: Path, *, torn: bool = False) -> int:
    """Take back what was not synced, return how many writes that were; `torn` leaves the first sector of the last."""
    lost = unsynced(log)
    kept = _first_sector(lost[-1]) if torn and lost else None
    for write in reversed(lost):
        if write.path.exists():
            with write.path.open("r+b") as file:
                file.seek(write.offset)
                file.write(write.replaced)
                file.truncate(write.size_before)
    if kept is not None:
        with lost[-1].path.open("r+b") as file:
            file.seek(lost[-1].offset)
            file.write(kept)
    for memory in folder.glob("*-shm"):  # shared memory does not outlive the power
        memory.unlink()
    return len(lost)


def _first_sector(write: Write) -> bytes:
    with write.path.open("rb") as file:
        file.seek(write.offset)
        return file.read(_SECTOR)
