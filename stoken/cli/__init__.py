# SPDX-License-Identifier: Apache-2.0
"""The command line: one module a group, imported only when its group is called."""

import sys
from typing import Final

#: Group, its module, and what its help says. Help is printed from here: Typer alone would cost ten times as much.
GROUPS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("stoken.cli.demonstration", "Run the main job end to end, on an embedded chain or any node."),
    "serve": ("stoken.cli.serving", "Run the gateway: HTTP and the venue."),
    "work": ("stoken.cli.working", "Run the worker: mirror, ledger, settlement, requests, outbox."),
    "contracts": ("stoken.cli.contracts", "Build, deploy and verify the contract suite."),
    "issue": ("stoken.cli.issue", "Check issue files."),
    "order": ("stoken.cli.order", "Sign, submit, show and cancel orders."),
    "register": ("stoken.cli.register", "Show the register of an issue, or the owners at a record date."),
    "transfer": ("stoken.cli.transfer", "Ask what the contracts would answer, and where verdicts parted."),
    "mirror": ("stoken.cli.mirror", "Show, verify and rebuild the mirror and its ledger."),
    "tx": ("stoken.cli.transactions", "List, show, send again and withdraw transactions."),
    "keys": ("stoken.cli.keys", "The key policy, its ceremonies, and approvals under it."),
    "network": ("stoken.cli.network", "Start, show, drive and stop a local network."),
    "clock": ("stoken.cli.clock", "Show the clock's distance from UTC, and the drift log."),
    "db": ("stoken.cli.database", "Upgrade, check and compare databases."),
}
_HELP: Final = {"-h", "--help", "help"}
_USAGE: Final = 2


def main() -> int:
    """Run `stoken` with the arguments of this process; return its exit code."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in _HELP:
        sys.stdout.write(_help())
        return 0
    if arguments[0] == "--version":
        return _version()
    if arguments[0] not in GROUPS:
        sys.stderr.write(f"stoken: no such command: {arguments[0]} (see stoken --help)\n")
        return _USAGE
    from stoken.cli.running import run  # noqa: PLC0415 - Typer is slow to import, and help does not need it

    return run(GROUPS[arguments[0]][0], arguments[0], arguments[1:])


def _help() -> str:
    commands = "".join(f"  {name:<11}{text}\n" for name, (_, text) in GROUPS.items())
    return (
        "Usage: stoken COMMAND [ARGS]...\n\n"
        "Trading of tokenised securities on a permissioned Ethereum chain.\n\n"
        f"Commands:\n{commands}\n"
        "Every command takes --help and --json. Settings come from STOKEN_* variables.\n"
    )


def _version() -> int:
    from importlib.metadata import version  # noqa: PLC0415 - slow to import, and needed here alone

    sys.stdout.write(f"stoken {version('stoken')}\n")
    return 0
