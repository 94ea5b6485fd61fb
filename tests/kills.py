# SPDX-License-Identifier: Apache-2.0
"""Kills `stoken work` and `stoken serve` at random points and counts again after each: `python -m tests.kills 0:1000`.

They die by `kill -9`. The whole suite is deployed on a real node; requests, orders and cancels go to the gateway over
HTTP, and trades settle. A seed strikes one of the two, or both at once. Seeds run in chunks of a fresh chain and
database; a chunk whose result stands in the results file is passed over.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from stoken.network.anvil import Anvil
from tests.checkout import commit
from tests.database import Databases
from tests.killing.clients import Flow
from tests.killing.counting import count
from tests.killing.site import PROCESSES, Site

RESULTS: Final = Path(__file__).with_suffix(".jsonl")
CHUNK: Final = 25
_KINDS: Final = ("postgresql", "sqlite")
_BLOCK_SECONDS: Final = 0.2
#: A worker is struck within so many blocks, from a request to its final one and beyond, and some time more.
_LIFE_BLOCKS: Final = 5
_BLOCK_SECONDS_MAX: Final = 0.3
#: A gateway is struck more often so soon after a caller began to speak, or at once after it had its answer.
_ANSWER_SECONDS_MAX: Final = 0.012
#: Or while they start.
_START_SECONDS_MAX: Final = 0.6
_STRUCK: Final = (("work",), ("serve",), PROCESSES)


def struck(seed: int) -> tuple[str, ...]:
    """Return which processes a seed strikes: one, the other or both."""
    return _STRUCK[Random(f"struck {seed}").randrange(len(_STRUCK))]  # noqa: S311 - a seed must be repeatable


def strike(site: Site, seed: int) -> str | None:
    """Kill amid the work, let others end it, and count; return what is wrong, None where nothing is."""
    random = Random(seed)  # noqa: S311 - likewise
    names = struck(seed)
    try:
        flow = _flow_to_a_moment(site, random, names) if seed % 5 else _flow_to_a_start(site, random, names)
        ended = site.kill(*names)
        assert ended == [signal.SIGKILL] * len(names), f"a process ended by itself: {ended}"
        site.start(*names)
        site.wait(flow)
        count(site)
    except AssertionError as error:
        return " | ".join([str(error), *site.last_words()])
    return None


def _flow_to_a_moment(site: Site, random: Random, names: tuple[str, ...]) -> Flow:
    """Let clients speak, and wait until some block, or until one of them began a word or had its answer."""
    flow = site.flow(random)
    moments = ("word", "answer", "block") if "serve" in names else ("block",)
    moment = random.choice(moments)
    if moment == "word":
        flow.await_begun(random.randint(1, flow.words))
        time.sleep(random.uniform(0, _ANSWER_SECONDS_MAX))
    elif moment == "answer":
        flow.await_answered(random.randint(1, flow.words))
    else:
        site.run(random.randrange(_LIFE_BLOCKS))
        time.sleep(random.uniform(0, _BLOCK_SECONDS_MAX))
    return flow


def _flow_to_a_start(site: Site, random: Random, names: tuple[str, ...]) -> Flow:
    """Let clients speak while nobody is there, and wait until amid the processes' start."""
    site.kill(*names)
    flow = site.flow(random)
    site.start(*names)
    time.sleep(random.uniform(0, _START_SECONDS_MAX))
    return flow


def run_chunk(first: int, last: int, databases: Databases, kind: str) -> dict[str, Any]:
    """Strike once for each seed on one chain and one database; return what came of it.

    After a strike that failed the others have no ground to stand on, and are left out.
    """
    began = time.monotonic()
    url = databases.create(kind)
    market_url = databases.create(kind) if kind == "sqlite" else url
    failed: dict[int, str] = {}
    kills: Counter[str] = Counter()
    node = Anvil(block_seconds=_BLOCK_SECONDS, keep_history=True)
    with node, tempfile.TemporaryDirectory() as folder, closing(Site(url, market_url, node.url, Path(folder))) as site:
        site.found()
        ready = time.monotonic()
        for seed in range(first, last):
            kills["+".join(struck(seed))] += 1
            if (wrong := strike(site, seed)) is not None:
                failed[seed] = wrong
                break
        ended = time.monotonic()
    for each in {url, market_url}:
        databases.remove(each)
    return {
        "seeds": f"{first}:{last}",
        "code": commit(),
        "database": kind,
        "kills": kills.total(),
        "kills_of": dict(sorted(kills.items())),
        "transactions": len(site.requests),
        "orders": len(site.orders),
        "trades": site.trades,
        "cut_off": site.callers.cut_off,
        "seconds": round(time.monotonic() - began),
        "seconds_a_kill": round((ended - ready) / kills.total(), 2),
        "failed": failed,
    }


def done(results: Path) -> set[str]:
    """Return the chunks whose result is on record."""
    return {json.loads(line)["seeds"] for line in results.read_text().splitlines()} if results.exists() else set()


def chunks(first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """Yield chunks of seeds, each with its kind of database: in turn."""
    for number in range(first // CHUNK, -(-last // CHUNK)):
        yield max(first, number * CHUNK), min((number + 1) * CHUNK, last), _KINDS[number % len(_KINDS)]


def main() -> int:
    """Run the seeds that have no result yet; exit 1 where a count differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("seeds", help="first:last, the last one excluded")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are and go")
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split(":"))
    failed = False
    # Node and server are stopped, whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder, closing(Databases(Path(folder))) as databases:
        for start, end, kind in chunks(first, last):
            if f"{start}:{end}" in done(arguments.results):
                continue
            result = run_chunk(start, end, databases, kind)
            failed |= bool(result["failed"])
            with arguments.results.open("a") as file:
                file.write(json.dumps(result) + "\n")
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
