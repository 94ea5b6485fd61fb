# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001 - a program, not a package
"""Put the contract suite of a charter on the chain, once; a run that was cut short is finished by the next.

The charter names the founding members with their keys, the claims an investor needs, and who may attest them.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from stoken.bootstrap import connect, open_databases, open_outbox
from stoken.chain import suite as suites
from stoken.chain.statements import MemberKey
from stoken.db import schema, unit_of_work
from stoken.db.binding import bind_chain
from stoken.domain.codes import Role, Scope
from stoken.domain.identifiers import member_id
from stoken.errors import StokenError
from stoken.issuance.deploy import Charter, Deployment, Founder
from stoken.settings import Settings, load_settings

_FOREVER = 2**40 - 1


def read_charter(document: Mapping[str, Any]) -> Charter:
    """Return a charter from its JSON; roles and scopes stand there by name."""
    founders = tuple(
        Founder(
            member_id(founder["lei"]),
            int(reduce(or_, (Role[name] for name in founder["roles"]))),
            tuple(_key(key) for key in founder["keys"]),
        )
        for founder in document["founders"]
    )
    issuers = tuple((bytes.fromhex(issuer["address"][2:]), tuple(issuer["topics"])) for issuer in document["issuers"])
    return Charter(founders, tuple(document["topics"]), issuers)


def _key(key: Mapping[str, Any]) -> MemberKey:
    scopes = reduce(or_, (Scope[name] for name in key["scopes"]))
    return MemberKey(bytes.fromhex(key["address"][2:]), int(scopes), 0, _FOREVER)


def deploy(settings: Settings, charter: Charter) -> suites.Suite:
    """Sign every creation, wait until all are mined, and only then write the suite file."""
    signed = settings.suite_file.with_suffix(".signed")
    with ExitStack() as stack:
        engine, market = open_databases(settings)
        for database in (engine, market):
            stack.callback(database.dispose)
            schema.check(database)
        rpc, capabilities = connect(settings)
        stack.callback(rpc.close)
        with unit_of_work(engine) as connection:
            bind_chain(connection, capabilities.chain_id, capabilities.genesis_hash)
        outbox = open_outbox(settings, capabilities)
        outbox.take_over(engine, rpc)
        deployment = Deployment(engine, rpc, outbox, capabilities)
        if not signed.exists():
            suites.save(deployment.sign(charter), signed)
        suite = suites.load(signed)
        deployment.finish(suite)
        suites.save(suite, settings.suite_file)
    return suite


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy unless the suite file says that it is done."""
    parser = argparse.ArgumentParser(description="Put the contract suite of a charter on the chain, once.")
    parser.add_argument("charter", type=Path)
    charter: Path = parser.parse_args(arguments).charter
    try:
        settings = load_settings()
        # Worker and gateway may be running by now: their sender key must not be taken over.
        done = settings.suite_file.exists()
        suite = (
            suites.load(settings.suite_file)
            if done
            else deploy(settings, read_charter(json.loads(charter.read_text())))
        )
    except StokenError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    for name, address in sorted(suite.contracts.items()):
        sys.stdout.write(f"{name:<14}0x{address.hex()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
