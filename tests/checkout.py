# SPDX-License-Identifier: Apache-2.0
"""Says which code is run, for results that are committed."""

import subprocess
from pathlib import Path


def commit() -> str:
    """Return the commit that is checked out."""
    return subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"],  # noqa: S607 - the developer's own
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    ).stdout.strip()
