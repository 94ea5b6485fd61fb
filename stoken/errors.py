# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as one tree.

StokenError
├── RefusedError               a rule says no: carries its Refusal and the values that decided
├── NotFoundError              the object does not exist, or belongs to somebody else
├── ConflictError              same id, other body
├── TransactionStateError      a transaction's state forbids what is asked
├── InvalidInputError          malformed input; names the field
├── UnauthenticatedError       no valid token
├── ForbiddenError             the role is missing
├── UnavailableError           a part we need does not answer; retryable
│   └── LedgerUnavailableError the chain or its mirror
├── ContractRevertedError      a contract refused, decoded by selector
├── FencedError                another process took over the key or the journal; this one must end
└── StartupError               this process must not start: wrong chain, newer schema, port in use
"""

from collections.abc import Mapping
from typing import ClassVar

from stoken.domain.refusals import REFUSALS, Refusal

Detail = str | int | bool | None


class StokenError(Exception):
    """Base of every error that a user may see: `code` is stable, `details` explain the case at hand."""

    status: ClassVar[int] = 500
    code: str = "INTERNAL"
    title: ClassVar[str] = "Something went wrong inside stoken."
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", details: Mapping[str, Detail] | None = None) -> None:
        """Take a one-line message and the values that explain it."""
        super().__init__(message or self.title)
        self.details: dict[str, Detail] = dict(details or {})


class RefusedError(StokenError):
    """A rule refuses the request."""

    status = 422
    title = "The request is refused by a rule."

    def __init__(self, refusal: Refusal, message: str = "", details: Mapping[str, Detail] | None = None) -> None:
        """Take the refusal; its title is the message unless a better one is at hand."""
        super().__init__(message or REFUSALS[refusal].title, details)
        self.refusal = refusal
        self.code = refusal.value


class NotFoundError(StokenError):
    """The object does not exist for this caller."""

    status = 404
    code = "NOT_FOUND"
    title = "There is no such object."


class ConflictError(StokenError):
    """The id was used with another body."""

    status = 409
    code = "CONFLICT"
    title = "The id was used with another body."


class TransactionStateError(StokenError):
    """A transaction's state forbids what is asked of it."""

    status = 409
    code = "TRANSACTION_STATE"
    title = "The state of the transaction does not allow this."


class InvalidInputError(StokenError):
    """The input is malformed."""

    status = 400
    code = "INVALID_INPUT"
    title = "The input is malformed."


class UnauthenticatedError(StokenError):
    """No valid access token came with the request."""

    status = 401
    code = "UNAUTHENTICATED"
    title = "A valid access token is required."


class ForbiddenError(StokenError):
    """The caller's roles do not allow this."""

    status = 403
    code = "ROLE_REQUIRED"
    title = "The caller's roles do not allow this."


class UnavailableError(StokenError):
    """A part that is needed does not answer."""

    status = 503
    code = "UNAVAILABLE"
    title = "A part that is needed does not answer."
    retryable = True


class LedgerUnavailableError(UnavailableError):
    """The chain, or its mirror, is not current."""

    code = "LEDGER_UNAVAILABLE"
    title = "The ledger is not current."


class ContractRevertedError(StokenError):
    """A contract refused; `code` is the refusal where its error is one."""

    status = 422
    code = "CONTRACT_REVERTED"
    title = "A contract refused the call."

    def __init__(self, error: str, details: Mapping[str, Detail] | None = None, code: str | None = None) -> None:
        """Take the decoded error's name and arguments."""
        super().__init__(f"reverted with {error}", details)
        self.error = error
        self.code = code or type(self).code


class FencedError(StokenError):
    """Another process took over what only one may write; this one must end."""

    status = 503
    code = "FENCED"
    title = "Another process took over."


class StartupError(StokenError):
    """The process must not start as it is configured."""

    code = "STARTUP"
    title = "stoken cannot start as it is configured."
