# SPDX-License-Identifier: Apache-2.0
"""Compile the lock files from what they pin. `--check` compares instead; versions that still fit are kept."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
UV: Final = ROOT / ".cache/uv/bin/uv"
#: Each lock and the arguments that it follows from.
LOCKS: Final = {
    "locks/main.txt": ("--group", "dev", "pyproject.toml"),
    "locks/brownie.txt": ("locks/brownie.in",),
    "locks/brownie-build.txt": ("locks/brownie-build.in",),
    "locks/slither.txt": ("locks/slither.in",),
    "locks/halmos.txt": ("locks/halmos.in",),
    "locks/node.txt": ("locks/node.in",),
    "locks/go.txt": ("locks/go.in",),
    "locks/uv.txt": ("locks/uv.in",),
}
#: No addresses, no index, no comments: a lock is the same wherever it is compiled.
_OPTIONS: Final = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "-q")


def compile_lock(sources: tuple[str, ...], output: Path) -> None:
    """Compile one lock; what `output` holds already is kept where it fits."""
    subprocess.run([UV, "pip", "compile", *_OPTIONS, *sources, "-o", output], cwd=ROOT, check=True)


def is_stale(lock: str, folder: Path) -> bool:
    """Say whether a lock differs from what its sources compile to."""
    copy = folder / Path(lock).name
    shutil.copyfile(ROOT / lock, copy)
    compile_lock(LOCKS[lock], copy)
    return copy.read_text() != (ROOT / lock).read_text()


def main() -> int:
    """Compile every lock, or with `--check` say which one is stale."""
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    if "--check" not in sys.argv:
        for lock, sources in LOCKS.items():
            compile_lock(sources, ROOT / lock)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        stale = [lock for lock in LOCKS if is_stale(lock, Path(folder))]
    for lock in stale:
        print(f"stale: {lock} (run python tools/locks.py)")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
