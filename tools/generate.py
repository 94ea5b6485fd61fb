# SPDX-License-Identifier: Apache-2.0
"""Write what follows from the enumeration of refusals: the contracts' errors. `--check` compares instead."""

import sys
from pathlib import Path

from stoken.domain.refusals import REFUSALS, error_name

ROOT = Path(__file__).resolve().parent.parent
HEADER = """// SPDX-License-Identifier: Apache-2.0
// Generated from stoken/domain/refusals.py by tools/generate.py: do not edit.
pragma solidity ^0.8.20;

/// @title Refusals
/// @notice The reasons for which the suite refuses, one custom error a refusal code.
interface Refusals {
"""


def refusals_interface() -> str:
    """Return the Solidity interface that declares every refusal a contract may give."""
    errors = [
        f"    /// @notice {meaning.title}\n    error {error_name(refusal)}({meaning.arguments});\n"
        for refusal, meaning in REFUSALS.items()
        if meaning.arguments is not None
    ]
    return HEADER + "\n".join(errors) + "}\n"


GENERATED = {ROOT / "contracts/interfaces/Refusals.sol": refusals_interface}


def main() -> int:
    """Write each generated file, or with `--check` say which one is stale."""
    stale = [path for path, render in GENERATED.items() if not path.exists() or path.read_text() != render()]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run python tools/generate.py)")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GENERATED[path]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
