# SPDX-License-Identifier: Apache-2.0
"""Opens databases and node as they are configured, and says by which rule blocks are final."""

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, make_url

from stoken.chain.capabilities import Capabilities, probe
from stoken.chain.rpc import RpcClient
from stoken.chain.suite import Suite
from stoken.db import open_engine, schema, unit_of_work
from stoken.db.binding import bind_chain
from stoken.errors import StartupError
from stoken.mirror import Finality
from stoken.mirror.heartbeat import Limits
from stoken.settings import Settings


def open_all(stack: ExitStack, settings: Settings) -> tuple[Engine, Engine, RpcClient, Capabilities]:
    """Open databases and node, and bind the database of `work` to the node's chain; the stack closes them."""
    engine, market = open_databases(settings)
    stack.callback(engine.dispose)
    stack.callback(market.dispose)
    for each in (engine, market):
        schema.check(each)
    rpc, capabilities = connect(settings)
    stack.callback(rpc.close)
    with unit_of_work(engine) as connection:
        bind_chain(connection, capabilities.chain_id, capabilities.genesis_hash)
    return engine, market, rpc, capabilities


def connect(settings: Settings) -> tuple[RpcClient, Capabilities]:
    """Return a client of the node and what the node can do; refuses a node that charges for gas."""
    with RpcClient(settings.rpc.url, settings.rpc.timeout_seconds) as first:
        capabilities = probe(first)
    return RpcClient(settings.rpc.url, settings.rpc.timeout_seconds, capabilities.max_batch), capabilities


def check_chain(suite: Suite, capabilities: Capabilities) -> None:
    """Raise StartupError where the node is on another chain than the suite."""
    if (suite.chain_id, suite.genesis_hash) != (capabilities.chain_id, capabilities.genesis_hash):
        raise StartupError(
            f"the suite was deployed on chain {suite.chain_id} (genesis 0x{suite.genesis_hash.hex()}), "
            f"the node is on chain {capabilities.chain_id} (genesis 0x{capabilities.genesis_hash.hex()})"
        )


def open_databases(settings: Settings) -> tuple[Engine, Engine]:
    """Return the databases of `work` and of `serve`, which PostgreSQL holds in one."""
    url = settings.database.url.get_secret_value()
    other = settings.database.market_url
    return open_engine(url), open_engine(other.get_secret_value() if other else _market_url(url))


def _market_url(url: str) -> str:
    """Return the sibling file of a SQLite database; PostgreSQL is its own sibling."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return url
    path = Path(parsed.database)
    return f"sqlite:///{path.with_name(f'{path.stem}-market.db')}"


def finality_of(settings: Settings) -> Finality:
    """Return the rule by which blocks of the configured engine are final."""
    return Finality(settings.rpc.finality_depth, sealed=settings.rpc.finality == "qbft")


def limits_of(settings: Settings) -> Limits:
    """Return how far the mirror may be from the chain while orders are taken."""
    configured = settings.mirror
    return Limits(
        configured.stale_seconds_max * 1_000_000_000,
        configured.lag_blocks_max,
        configured.idle_seconds_max * 1_000_000_000,
    )
