#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run Slither over the contracts; any finding of high or medium impact fails.

Slither takes this program for solc, too: it asks for bytecode that it does not read, and IR would take minutes over it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_SOLC: Final = ROOT / "tools/solc"
_ALL: Final = "All.sol"
#: Detectors that are off, each for a reason.
_OFF: Final = {
    "incorrect-equality": "it means balances that a gift can move off a value; ours are identities, roles and flags",
    "unused-return": "the rest of a tuple is passed over on purpose: a manager without its owner type, for instance",
    "uninitialized-local": "an integer that begins at zero needs no assignment",
}
#: What Slither reads of a contract besides its ABI.
_UNREAD: Final = {"bin": "", "bin-runtime": "", "srcmap": "", "srcmap-runtime": "", "userdoc": {}, "devdoc": {}}


def main() -> int:
    """Analyse one source that imports every contract."""
    contracts = sorted(path for path in (ROOT / "contracts").rglob("*.sol") if path.parent.name != "interfaces")
    imports = "".join(f'import "./{path.relative_to(ROOT)}";\n' for path in contracts)
    with tempfile.TemporaryDirectory(prefix="stoken-slither-") as folder:
        (Path(folder) / _ALL).write_text(f"pragma solidity 0.8.30;\n{imports}")
        (Path(folder) / "contracts").symlink_to(ROOT / "contracts")
        (Path(folder) / "@openzeppelin").symlink_to(ROOT / "node_modules/@openzeppelin")
        options = ("--compile-force-framework", "solc", "--solc", str(Path(__file__).resolve()))
        choice = ("--exclude", ",".join(_OFF), "--exclude-low", "--exclude-informational", "--exclude-optimization")
        paths = ("--filter-paths", "@openzeppelin")
        program = str(ROOT / ".venv-slither/bin/slither")
        return subprocess.run([program, _ALL, *options, *choice, *paths], cwd=folder, check=False).returncode


def compile_for_slither(arguments: list[str]) -> int:
    """Answer as solc --combined-json does, from analysis alone."""
    if _ALL not in arguments:
        return subprocess.run([str(_SOLC), *arguments], check=False).returncode
    request = {
        "language": "Solidity",
        "sources": {_ALL: {"content": Path(_ALL).read_text()}},
        "settings": {"evmVersion": "london", "outputSelection": {"*": {"": ["ast"], "*": ["abi"]}}},
    }
    command = [str(_SOLC), "--base-path", ".", "--standard-json"]
    ran = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    sources = sorted(answer["sources"], key=lambda source: answer["sources"][source]["id"])
    combined = {
        "contracts": {
            f"{source}:{name}": {"abi": contract["abi"], "hashes": {}, **_UNREAD}
            for source, unit in answer["contracts"].items()
            for name, contract in unit.items()
        },
        "sourceList": sources,
        "sources": {source: {"AST": answer["sources"][source]["ast"]} for source in sources},
        "version": "0.8.30",
    }
    print(json.dumps(combined))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(compile_for_slither(sys.argv[1:]) if sys.argv[1:] else main())
