# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001 - a program, not a package
"""Issue an access token of the local network for one of its trial members; in production a provider does.

docker compose run --rm --entrypoint python keys /opt/stoken/deploy/access_token.py BROKER1
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from init import MEMBERS

from stoken.domain.codes import Role
from stoken.gateway.demo_issuer import DemoIssuer


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a token of five minutes."""
    parser = argparse.ArgumentParser(description="Issue an access token for a member of the local network.")
    parser.add_argument("member", choices=[name for name, _, _ in MEMBERS])
    parser.add_argument("--root", type=Path, default=Path("/made"))
    options = parser.parse_args(arguments)
    lei, role = next((lei, role) for name, lei, role in MEMBERS if name == options.member)
    issuer = DemoIssuer.load((options.root / "issuer/private.pem").read_bytes(), time.time)
    sys.stdout.write(issuer.token(lei, Role[role], options.member) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
