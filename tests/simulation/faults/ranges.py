# SPDX-License-Identifier: Apache-2.0
"""Plays ranges of seeds that have no result yet, and records each with its failing seeds and how long it took.

python -m tests.simulation.faults.ranges 0:100000 --processes 2
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from tests.checkout import commit
from tests.simulation.faults.playing import play
from tests.simulation.faults.stores import sqlite_store

#: One line a range: first seed, the one after the last, the commit whose code was played, seconds of processor a seed,
#: the seeds that broke an invariant.
RESULTS: Final = Path(__file__).with_name("ranges.csv")
RANGE: Final = 500
_CRITICAL: Final = 50


class Result(NamedTuple):
    """What came of a range."""

    first: int
    end: int
    code: str
    seconds: float
    broken: tuple[int, ...]

    def line(self) -> str:
        return f"{self.first},{self.end},{self.code},{self.seconds:.3f},{' '.join(map(str, self.broken))}\n"


def run(first: int, end: int, code: str) -> Result:
    """Play a range of seeds with the code of a commit."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    found: list[int] = []
    began = time.process_time()
    with sqlite_store() as store:
        for seed in range(first, end):
            try:
                play(seed, store)
            except Exception as error:  # noqa: BLE001 - whatever breaks a world is a finding
                sys.stderr.write(f"seed {seed}: {type(error).__name__}: {error}\n")
                found.append(seed)
    return Result(first, end, code, (time.process_time() - began) / (end - first), tuple(found))


def recorded(results: Path) -> list[Result]:
    """Return the ranges that have a result."""
    rows = [line.split(",") for line in results.read_text().splitlines()[1:]]
    return [
        Result(int(first), int(end), code, float(seconds), tuple(map(int, broken.split())))
        for first, end, code, seconds, broken in rows
    ]


def missing(first: int, last: int, results: Path) -> Iterator[tuple[int, int]]:
    """Yield the ranges between two seeds that have no result."""
    done = {each.first for each in recorded(results)}
    return ((start, start + RANGE) for start in range(first, last, RANGE) if start not in done)


def main() -> int:
    """Play what is missing, and record it; exit 1 where a seed broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.faults.ranges")
    parser.add_argument("seeds", help=f"first:last, the last one excluded, in multiples of {RANGE}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are and go")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split(":"))
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        code = commit()
        running = [pool.submit(run, *each, code) for each in missing(first, last, arguments.results)]
        failed = False
        for done in as_completed(running):
            failed |= bool(done.result().broken)
            with arguments.results.open("a") as file:
                file.write(done.result().line())
    return failed


if __name__ == "__main__":
    sys.exit(main())
