# SPDX-License-Identifier: Apache-2.0
"""Builds engines, clients, clocks and services once, from `Settings`; nothing is made at import."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Engine

from stoken.orders.actor import VenueActor
from stoken.parties.pseudonym import Pseudonyms
from stoken.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class VenueIdentity:
    """Whose venue the gateway serves; `separator` is the EIP-712 domain of its settlement contract."""

    member: bytes
    cash: bytes
    separator: bytes


@dataclass(frozen=True, slots=True)
class GatewayServices:
    """What the gateway needs: `market` is the database of `serve`, `ledger` that of `work`, read only."""

    actor: VenueActor
    market: Engine
    ledger: Engine
    venue: VenueIdentity
    pseudonyms: Pseudonyms
    auth: AuthSettings
    token_key: bytes
    demo_clock: bool = False
    clock: Callable[[], int] = time.time_ns
    #: One request is stored at a time, so that their sequence is dense.
    inbox_lock: Lock = field(default_factory=Lock)
