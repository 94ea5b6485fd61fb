# SPDX-License-Identifier: Apache-2.0
"""Measure what the contracts cost and write docs/reference/contract-costs.md. `--check` compares instead."""

import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Final

from benchmarks.costs.market import Market
from benchmarks.costs.rows import ROWS, Row
from benchmarks.costs.sizes import BYTES_MAX, sizes
from tests.deployed import deployed

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/reference/contract-costs.md"
_HEAD: Final = """\
<!-- Generated from the compiled contracts by python -m benchmarks.costs: do not edit. -->
# What the contracts cost

Each figure is the `gasUsed` of a whole transaction's receipt, calldata and signatures included, on anvil at `london`,
behind the proxies of production, between holders that have units already, with all checks on both sides. Gas is
deterministic: `make check` measures anew and wants equal figures; after a change, `python -m benchmarks.costs` writes
this page, and its diff says what the change costs. A target that is missed fails too, unless its row says so and
somebody works on it.
"""
_NOTES: Final = """\
*T-REX 4.1.6* is the reference implementation of ERC-3643 in the same setting (ONCHAINID claims, its modules in place
of rules; its settled trade is a DvD transfer manager's). A dash says that there is none. *Three rules that keep
state*: a cap in units, a cap in parts of the supply, a number of holders, all counted by identity. *Six rules*: these
and three module contracts, an approval of each transfer and two of black-out periods. Rows with *two
accounts* settle all twenty trades between the same two, each of two orders of its own; with *forty accounts* no
account comes twice. *All-or-nothing* and *netted* batches have twenty trades too. Acts carry
the signatures of two institutions.
"""


def main() -> int:
    """Write the page, or compare it; missed targets are named and fail both."""
    check = sys.argv[1:] == ["--check"]
    with deployed() as chain:
        bytes_of = sizes(chain.rpc)
        market = Market(chain)
        gas = []
        for row in ROWS:
            with chain.undone():
                gas.append(row.measure(market))
    text = _page(gas, bytes_of)
    found = problems(ROWS, gas) + [f"{name}: {size:,} bytes" for name, size in bytes_of.items() if size >= BYTES_MAX]
    if not check:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        _say_differences(PAGE.read_text() if PAGE.exists() else "", text)
        found.append("docs/reference/contract-costs.md is not what was measured: run python -m benchmarks.costs")
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def problems(rows: Sequence[Row], gas: Sequence[int]) -> list[str]:
    """Return the targets that are missed, and those that are met although their row says that they are missed."""
    found = []
    for row, used in zip(rows, gas, strict=True):
        if row.target is None or (used > row.target) == row.missed:
            continue
        says = "meets its target although its row says missed" if row.missed else "is above its target"
        found.append(f"{row.what}: {used:,} {says} ({row.target:,})")
    return found


def _page(gas: Sequence[int], bytes_of: dict[str, int]) -> str:
    rows = [
        (
            row.what,
            _figure(row.target),
            f"{used:,}{' (missed)' if row.missed else ''}",
            row.reference or "-",
            row.others or "-",
        )
        for row, used in zip(ROWS, gas, strict=True)
    ]
    code = [(name, f"{size:,}", f"{size / BYTES_MAX:.0%}") for name, size in bytes_of.items()]
    return "\n".join(
        (
            _HEAD,
            "## Gas\n",
            _table(("transaction", "target", "measured", "T-REX 4.1.6", "others"), rows, "lrrll"),
            _NOTES,
            f"## Bytes\n\nRuntime code of each contract; the limit is {BYTES_MAX:,}.\n",
            _table(("contract", "bytes", "of the limit"), code, "lrr"),
        )
    ).rstrip("\n") + "\n"  # fmt: skip


def _figure(target: int | None) -> str:
    return "-" if target is None else f"≤ {target:,}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> str:
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (columns, rule, *rows))


def _say_differences(committed: str, measured: str) -> None:
    for line in unified_diff(committed.splitlines(), measured.splitlines(), "committed", "measured", lineterm="", n=0):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
