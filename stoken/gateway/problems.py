# SPDX-License-Identifier: Apache-2.0
"""The one place where an error becomes an answer: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from stoken import errors
from stoken.domain.refusals import REFUSALS, Refusal
from stoken.errors import InvalidInputError, NotFoundError, RefusedError, StokenError

MEDIA_TYPE = "application/problem+json"

#: Refusals that are better told by another status than 422.
_STATUS: Mapping[str, int] = {
    Refusal.DUPLICATE_ORDER: 409,
    Refusal.DUPLICATE_INSTRUCTION: 409,
    Refusal.NONCE_REPLAYED: 409,
    Refusal.BROKER_NOT_MEMBER: 403,
    Refusal.ROLE_REQUIRED: 403,
    Refusal.ACCESS_SCOPE_DENIED: 403,
    Refusal.RATE_LIMITED: 429,
    Refusal.LEDGER_UNAVAILABLE: 503,
}


class MethodNotAllowedError(StokenError):
    """The path exists, but not with this method."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    title = "The path does not take this method."


#: What the OpenAPI document says of every problem.
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457; `code` is stable, `details` holds the values that decided.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {
            "type": "string",
            "description": "Page that explains the code.",
            "examples": ["/problems/TICK_INVALID"],
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "details": {
            "type": "object",
            "description": (
                "Values that explain this case. A verdict names `rule`, `block_number`, `block_hash`, `rule_set` and "
                "`rulebook`; malformed input names `field`."
            ),
        },
    },
}

DEFAULT_RESPONSE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "The request was not carried out.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def render(error: StokenError) -> Response:
    """Return the problem that tells a caller of an error."""
    refusal = error.code in Refusal.__members__
    title = REFUSALS[Refusal(error.code)].title if refusal else error.title
    status = _STATUS.get(error.code, error.status)
    body = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        "detail": str(error),
        "code": error.code,
        "details": error.details,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == errors.UnauthenticatedError.status else None
    if error.retryable or status in {429, 503}:
        headers = {"Retry-After": "1"}
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the application answer as a problem."""
    app.add_exception_handler(StokenError, _stoken_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _stoken_error(_: Request, error: Exception) -> Response:
    return render(error if isinstance(error, StokenError) else StokenError())


async def _validation_error(_: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": ""}
    where, *path = [str(part) for part in first["loc"]] or [""]
    field = ".".join(path) or where
    return render(InvalidInputError(f"{field}: {first['msg']}", {"field": field}))


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else StokenError.status
    known: dict[int, type[StokenError]] = {404: NotFoundError, 405: MethodNotAllowedError}
    return render(known.get(status, InvalidInputError)())


async def _unexpected(_: Request, __: Exception) -> Response:
    return render(StokenError())


def known_codes() -> dict[str, str]:
    """Return every code that a problem may carry, with its title."""
    titles = {refusal.value: meaning.title for refusal, meaning in REFUSALS.items()}
    kinds: list[type[StokenError]] = [StokenError]
    while kinds:
        kind = kinds.pop()
        if kind is not RefusedError:
            titles.setdefault(kind.code, kind.title)
        kinds += kind.__subclasses__()
    return titles
