# SPDX-License-Identifier: Apache-2.0
"""The role that a route needs: declared at the route, held by a test, shown in the OpenAPI document."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stoken.domain.codes import Role
from stoken.errors import ForbiddenError
from stoken.gateway.auth import Principal, TokenVerifier

ANY_MEMBER: Final = Role(sum(Role))
#: Those who oversee the register read every tenant's data; so does the operator of the venue that holds it.
OVERSEERS: Final = Role.REGISTRAR | Role.SUPERVISOR | Role.VENUE
#: Who signs instructions that the gateway relays to the chain.
INSTRUCTING: Final = (
    Role.ISSUER
    | Role.REGISTRAR
    | Role.ACCOUNT_MANAGER
    | Role.ISSUER_ACCOUNT_MANAGER
    | Role.VENUE
    | Role.CASH_AGENT
    | Role.CLAIM_ISSUER
    | Role.SUPERVISOR
    | Role.COURT_AGENT
)


class Requires:
    """A dependency that lets in whoever holds one of the roles."""

    def __init__(self, roles: Role) -> None:
        """Take the roles, any of which suffices."""
        self.roles = roles

    async def __call__(self, request: Request) -> Principal:
        """Return the caller, or raise UnauthenticatedError or ForbiddenError."""
        return self.admit(request.app.state.verifier, request.headers.get("authorization"))

    def admit(self, verifier: TokenVerifier, authorization: str | None) -> Principal:
        """Return the caller that an Authorization header names, if it may call."""
        principal = verifier.verify(authorization)
        if not principal.roles & self.roles:
            raise ForbiddenError(details={"roles": " | ".join(self.names())})
        return principal

    def names(self) -> list[str]:
        """Return the names of the roles."""
        return [str(role.name) for role in Role if role in self.roles]


class Anybody:
    """A dependency that says in so many words that a route needs no token."""

    async def __call__(self) -> None:
        """Let everybody in."""


Access = Requires | Anybody


class HotRoute(Route):
    """A plain Starlette route, for the few that FastAPI would slow down; it declares its access all the same."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str, access: Requires
    ) -> None:
        """Take path, handler, method and the access that the handler enforces by `admit`."""
        super().__init__(path, endpoint, methods=[method])
        self.access = access


def every_route(app: FastAPI) -> Iterator[BaseRoute]:
    """Return each route of the application, also those of included routers."""
    for route in app.routes:
        included = getattr(route, "original_router", None)
        yield from included.routes if included is not None else (route,)


def access_of(route: BaseRoute) -> Access | None:
    """Return what a route declares, or None where it declares nothing."""
    if isinstance(route, APIRoute):
        declared = [dependency.call for dependency in route.dependant.dependencies]
        return next((call for call in declared if isinstance(call, Requires | Anybody)), None)
    return route.access if isinstance(route, HotRoute) else None
