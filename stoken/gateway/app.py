# SPDX-License-Identifier: Apache-2.0
"""Builds the application out of what it is given; nothing is global."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from stoken.bootstrap import GatewayServices
from stoken.gateway import problems
from stoken.gateway.access import Requires, access_of, every_route
from stoken.gateway.auth import TokenVerifier
from stoken.gateway.routes import accounts, market, notices, orders, register, requests, system, transfers, venue

_ROUTERS = (
    orders.router,
    market.router,
    accounts.router,
    register.router,
    transfers.router,
    requests.router,
    venue.router,
    notices.router,
    system.router,
)


def create_app(services: GatewayServices) -> FastAPI:
    """Return the gateway over these services, which the caller starts and stops."""
    app = FastAPI(title="stoken", responses=problems.DEFAULT_RESPONSE, docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.verifier = TokenVerifier(
        services.token_key, services.auth.issuer, services.auth.audience, lambda: services.clock() / 1_000_000_000
    )
    problems.install(app)
    app.router.routes.extend(orders.HOT_ROUTES)
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version="1", routes=app.routes)
        schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.PROBLEM_SCHEMA
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        orders.describe(document)
        _describe_access(app, document)
        app.openapi_schema = document
    return app.openapi_schema


def _describe_access(app: FastAPI, document: dict[str, Any]) -> None:
    """Say of each operation which roles it takes, so that a test can walk role by endpoint."""
    for route in every_route(app):
        access = access_of(route)
        for method in getattr(route, "methods", None) or ():
            operation = document["paths"].get(getattr(route, "path", ""), {}).get(method.lower())
            if operation is not None and isinstance(access, Requires):
                operation["security"] = [{"token": []}]
                operation["x-roles"] = access.names()
