# SPDX-License-Identifier: Apache-2.0
"""Step 1: a chain, a database, the contract suite, and stoken's own two processes on top of them."""

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stoken.bootstrap import connect, open_databases, open_outbox
from stoken.chain import suite as suites
from stoken.chain.statements import MemberKey
from stoken.cli.demo.cast import SIGNING_SCOPES, TOPICS, Cast, Institution
from stoken.cli.demo.issuing import INSTRUMENTS
from stoken.cli.demo.processes import FAILPOINT, Child
from stoken.db import schema, unit_of_work
from stoken.db.binding import bind_chain, is_bound
from stoken.domain.codes import Scope
from stoken.errors import StartupError
from stoken.gateway.demo_issuer import DemoIssuer
from stoken.issuance.deploy import Charter, Deployment, Founder
from stoken.network.anvil import Anvil
from stoken.settings import Settings
from stoken.transactions.signer import create_keystore

_FOREVER: Final = 2**40 - 1
#: The demo waits for blocks more than for anything else.
_BLOCK_SECONDS: Final = 0.25
#: The sender key lives as long as the demo: a keystore that opens at once will do.
_WORK_FACTOR: Final = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """What the play stands on."""

    rpc_url: str
    database_url: str
    gateway_url: str
    suite: suites.Suite
    issuer: DemoIssuer
    children: tuple[Child, ...]

    def check(self) -> None:
        """Raise DemoError if one of stoken's processes cannot be kept running."""
        for child in self.children:
            child.check()

    def restarts(self) -> dict[str, int]:
        """Return how often each process had to be started again."""
        return {child.name: child.restarts for child in self.children}


def charter(cast: Cast) -> Charter:
    """Return what the suite begins with: the cast's institutions, claim topics and claim issuer."""
    founders = tuple(
        Founder(institution.member, int(institution.roles), _keys(institution))
        for institution in cast.institutions.values()
    )
    return Charter(founders, TOPICS, ((cast.claim_issuer.address, TOPICS),))


def _keys(institution: Institution) -> tuple[MemberKey, ...]:
    scopes = [(person, Scope.MEMBER) for person in institution.people]
    scopes += [(institution.signing, SIGNING_SCOPES), *((sender, Scope.SENDER) for sender in institution.senders)]
    return tuple(MemberKey(key.address, int(scope), 0, _FOREVER) for key, scope in scopes)


@contextmanager
def build(cast: Cast, rpc_url: str | None, database_url: str | None) -> Iterator[Stage]:
    """Set everything up and take it down again; the embedded chain and SQLite live in a temporary folder."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stoken-demo-")))
        node_url = rpc_url or stack.enter_context(Anvil(block_seconds=_BLOCK_SECONDS, keep_history=True)).url
        database = database_url or f"sqlite:///{folder}/stoken.db"
        settings = _settings(cast, folder, node_url, database)
        suite = _deploy(cast, settings)
        issuer = DemoIssuer.generate(time.time)
        Path(settings["STOKEN_AUTH__PUBLIC_KEY_FILE"]).write_bytes(issuer.public_pem)
        children = []
        for command in ("work", "serve"):
            child = Child([command], settings, folder / f"{command}.log")
            stack.callback(child.stop)
            children.append(child)
        gateway = f"http://127.0.0.1:{settings['STOKEN_PORT']}"
        yield Stage(node_url, database, gateway, suite, issuer, tuple(children))


def _settings(cast: Cast, folder: Path, rpc_url: str, database_url: str) -> dict[str, str]:
    password = secrets.token_hex(16)
    create_keystore(folder / "sender.json", cast.institutions["VENUE"].senders[0].secret, password, _WORK_FACTOR)
    key_file = folder / "pseudonyms.key"
    key_file.write_bytes(secrets.token_bytes(32))
    settings = {
        "STOKEN_RPC__URL": rpc_url,
        "STOKEN_DATABASE__URL": database_url,
        "STOKEN_SUITE_FILE": str(folder / "suite.json"),
        "STOKEN_ISSUE_FILE": str(INSTRUMENTS),
        "STOKEN_SIGNER__KEYSTORE_FILE": str(folder / "sender.json"),
        "STOKEN_SIGNER__PASSWORD": password,
        "STOKEN_AUTH__PUBLIC_KEY_FILE": str(folder / "issuer.pem"),
        "STOKEN_VENUE__LEI": cast.institutions["VENUE"].lei,
        "STOKEN_VENUE__DEMO_CLOCK": "true",
        "STOKEN_VENUE__PSEUDONYM_KEY_FILE": str(key_file),
        "STOKEN_PORT": str(_free_port()),
    }
    if failpoint := os.environ.get(FAILPOINT):
        settings[FAILPOINT] = failpoint
    return settings


def _deploy(cast: Cast, variables: Mapping[str, str]) -> suites.Suite:
    """Make the databases and put the suite on the chain; the venue's first lane carries it and keeps nothing."""
    settings = Settings(**_nested(variables))
    engine, market = open_databases(settings)
    for database in (engine, market):
        schema.upgrade(database)
    rpc, capabilities = connect(settings)
    with unit_of_work(engine) as connection:
        used = is_bound(connection)
        bind_chain(connection, capabilities.chain_id, capabilities.genesis_hash)
    if used:
        raise StartupError("the database was used before: the demo needs an empty one")
    outbox = open_outbox(settings, capabilities)
    outbox.take_over(engine, rpc)
    deployment = Deployment(engine, rpc, outbox, capabilities)
    suite = deployment.sign(charter(cast))
    suites.save(suite, settings.suite_file)
    deployment.finish(suite)
    rpc.close()
    engine.dispose()
    market.dispose()
    return suite


def _nested(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return STOKEN_* variables as Settings takes them; failpoints are for the children alone."""
    nested: dict[str, Any] = {}
    for name, value in variables.items():
        if name == FAILPOINT:
            continue
        *groups, field = name.removeprefix("STOKEN_").lower().split("__")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[field] = value
    return nested


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
