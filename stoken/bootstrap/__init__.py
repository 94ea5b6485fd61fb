# SPDX-License-Identifier: Apache-2.0
"""Builds engines, clients, clocks and services once, from `Settings`; nothing is made at import."""

from stoken.bootstrap.connections import check_chain, connect, finality_of, limits_of, open_databases
from stoken.bootstrap.serve import Gateway, GatewayServices, VenueIdentity, gateway
from stoken.bootstrap.signing import deploy, open_outbox
from stoken.bootstrap.work import Step, WorkerServices, worker

__all__ = [
    "Gateway",
    "GatewayServices",
    "Step",
    "VenueIdentity",
    "WorkerServices",
    "check_chain",
    "connect",
    "deploy",
    "finality_of",
    "gateway",
    "limits_of",
    "open_databases",
    "open_outbox",
    "worker",
]
