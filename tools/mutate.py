#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Put faults into contracts and see which tests notice: results in tests/mutation, the page in docs/reference."""

import sys
from argparse import ArgumentParser, Namespace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final

from tools.proof.mutants import Mutant, find, weave_all
from tools.proof.results import (
    INVALID,
    KILLED,
    LEAST,
    SURVIVED,
    Results,
    Row,
    digest,
    load,
    row,
    save,
    scope,
    score,
    survivors,
    write_page,
)  # fmt: skip
from tools.proof.strikes import Strikes
from tools.proof.syntax import compile_woven, contracts
from tools.proof.tree import Suite, Tree

_AT_ONCE: Final = 200
#: Suites that notice most faults of a source are played first: by its name, else by its folder.
_FIRST: Final = {
    "control": ("LegalActionsTest", "MeasuresTest", "HaltsTest", "BarsTest"),
    "compliance": ("RulesTest", "MarketRulesTest", "ModulesTest", "HostileModulesTest", "TransferTest"),
    "token": ("TransferTest", "TokenActsTest", "RecordsTest", "RecordDatesTest", "TokenRolesTest", "ConversionTest"),
    "DepositToken": ("DepositTokenTest", "ConfirmedCashTest"),
    "settlement": ("DvpSettlementTest", "WholeBatchesTest", "InstructionsTest", "HostileVenueTest"),
}


def main() -> int:
    """Run, check, or write the page."""
    parser = ArgumentParser(prog="python -m tools.mutate", description=__doc__)
    parser.add_argument("sources", nargs="*", help="contracts to mutate; all whose results are not current without any")
    parser.add_argument("--survivors", action="store_true", help="run again what survived, after tests were added")
    parser.add_argument("--every", type=int, default=1, help="run only every n-th mutant, as a sample")
    parser.add_argument("--page", action="store_true", help="write docs/reference/mutation.md from the results")
    parser.add_argument("--check", action="store_true", help="compare the page with the results instead")
    options = parser.parse_args()
    if options.check or options.page:
        return write_page(check=options.check)
    groups: dict[str, list[str]] = {}
    for path in options.sources or [path for path in scope() if not _current(path) or options.survivors]:
        groups.setdefault(str(Path(path).parent), []).append(path)
    for paths in groups.values():
        _mutate(paths, options)
    write_page(check=False)
    return _verdict()


def _current(path: str) -> bool:
    results = load(path)
    return results is not None and results.digest == digest(path) and len(results.rows) == results.mutants


def _verdict() -> int:
    """Say what is not current, and whether enough was noticed."""
    stale = [path for path in scope() if not _current(path)]
    found = [(path, load(path)) for path in scope()]
    sums = [score(path, results) for path, results in found if results]
    killed, counted = sum(each[0] for each in sums), sum(each[1] for each in sums)
    print(f"{killed} of {counted} noticed", *(f"not current: {path}" for path in stale), sep="\n")
    return int(bool(stale) or 100 * killed < LEAST * counted)


def _mutate(paths: list[str], options: Namespace) -> None:
    """Build all mutants of some sources at once, and run those that have no verdict."""
    start = monotonic()
    mutants, units = find(paths)
    kept = {path: _begin(path, mutants, again=options.survivors) for path in paths}
    asked = [mutant for place, mutant in enumerate(mutants) if place % options.every == 0]
    asked = [mutant for mutant in asked if row(mutant, "").key() not in kept[mutant.path]]
    if not asked:
        return
    texts, dropped = weave_all(mutants, units)
    for mutant in dropped:
        kept[mutant.path][row(mutant, "").key()] = row(mutant, INVALID)
    tree = Tree("mutation")
    tree.install(compile_woven(contracts(), texts))
    suites = _ordered(tree.passing(tree.suites()), paths[0])
    strikes = Strikes(tree, suites, mutants, {mutant.number for mutant in dropped})
    print(f"{len(mutants)} mutants of {len(paths)} sources, built in {monotonic() - start:.0f} s", flush=True)
    left = iter([mutant for mutant in asked if mutant not in dropped])
    while batch := list(islice(left, _AT_ONCE)):
        noticed = strikes.run(batch)
        for mutant in batch:
            by = noticed.get(mutant.number)
            found = row(mutant, KILLED, by) if by else row(mutant, SURVIVED)
            kept[mutant.path][found.key()] = found
        for path in {mutant.path for mutant in batch}:
            total = sum(mutant.path == path for mutant in mutants)
            save(path, Results(digest(path), total, list(kept[path].values())))
        print(f"{batch[-1].path}:{batch[-1].line} after {monotonic() - start:.0f} s", flush=True)


def _begin(path: str, mutants: list[Mutant], *, again: bool) -> dict[tuple[str | int, ...], Row]:
    """Return the verdicts that stand."""
    results = load(path)
    if not results or results.digest != digest(path):
        return {}
    known = {row(mutant, "").key() for mutant in mutants if mutant.path == path}
    alive = set(survivors(path, results)) if again else set()
    return {each.key(): each for each in results.rows if each.key() in known and each not in alive}


def _ordered(suites: list[Suite], path: str) -> list[Suite]:
    first = _FIRST.get(Path(path).stem, _FIRST[Path(path).relative_to("contracts").parts[0]])
    order = {name: place for place, name in enumerate(first)}
    return sorted(suites, key=lambda suite: order.get(suite.name.split(":")[1], len(order)))


if __name__ == "__main__":
    sys.exit(main())
