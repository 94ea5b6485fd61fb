# SPDX-License-Identifier: Apache-2.0
"""A request in a file, as the gateway takes it, and the call of it that key holders approve."""

from pathlib import Path

from pydantic import ValidationError

from stoken.chain import key_acts
from stoken.chain.statements import Act
from stoken.errors import InvalidInputError
from stoken.gateway.routes.requests import ActBody
from stoken.issuance.calldata import call_of
from stoken.issuance.step import request_key
from stoken.parties.requests import ActRequest


def act_of(path: Path, tenant: str, authority: bytes) -> tuple[str, bytes, str]:
    """Return the outbox key of a request, its calldata, and its kind of act.

    InvalidInputError where it is no act, or one that the key policy does not ask about.
    """
    try:
        body = ActBody.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    statement = Act(body.target, body.data, body.basis, body.document, body.salt, body.deadline)
    data = call_of(ActRequest(statement, tuple(body.approvals))).data
    kind = key_acts.kind_of(authority, data)
    if kind is None:
        raise InvalidInputError(f"{path}: acts of this function need no approval under the key policy")
    return request_key(tenant, body.id), data, kind.name.lower()
