# SPDX-License-Identifier: Apache-2.0
"""Plays ranges of seeds, resumes after the last one that is recorded, and records each with its failing seeds.

python -m tests.simulation.faults.ranges 1000
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

import structlog

from tests.simulation.faults.playing import migrate, play

#: One line a range: first seed, the one after the last, and the seeds that broke an invariant.
RESULTS: Final = Path(__file__).with_name("ranges.csv")
_RANGE: Final = 100
_CRITICAL: Final = 50


def broken(first: int, end: int) -> list[int]:
    """Return the seeds of a range whose worlds break an invariant."""
    found = []
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        template = Path(folder) / "template.db"
        migrate(template)
        for seed in range(first, end):
            try:
                play(seed, template)
            except Exception as error:  # noqa: BLE001 - whatever breaks a world is a finding
                sys.stderr.write(f"seed {seed}: {type(error).__name__}: {error}\n")
                found.append(seed)
    return found


def main() -> int:
    """Play that many more seeds; exit 1 where one broke."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    lines = RESULTS.read_text().splitlines()[1:]
    first = int(lines[-1].split(",")[1]) if lines else 0
    failed = False
    for start in range(first, first + int(sys.argv[1]), _RANGE):
        found = broken(start, start + _RANGE)
        failed |= bool(found)
        with RESULTS.open("a") as file:
            file.write(f"{start},{start + _RANGE},{' '.join(map(str, found))}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
