# SPDX-License-Identifier: Apache-2.0
"""How the venue's answers leave the gateway: accepts as JSON, refusals as errors that carry what decided."""

from stoken.errors import Detail, RefusedError
from stoken.orders.outcomes import Accepted, Answer, Refused, Repeated, Stamp


def stamp_fields(stamp: Stamp) -> dict[str, Detail]:
    """Return what a verdict was given on."""
    return {
        "block_number": stamp.block_number,
        "block_hash": "0x" + stamp.block_hash.hex(),
        "rule_set": stamp.rule_set,
        "rulebook": "0x" + stamp.rulebook.hex(),
    }


def original(answer: Answer) -> Answer:
    """Return the answer that holds: of a repeated request, the one first given."""
    return answer.answer if isinstance(answer, Repeated) else answer


def raise_if_refused(answer: Answer) -> None:
    """Raise RefusedError with the rule, the values and the stamp of a refusal."""
    if not isinstance(answer, Refused):
        return
    details: dict[str, Detail] = {"rule": answer.code.value}
    details |= {name: str(value) for name, value in answer.values}
    details |= stamp_fields(answer.stamp)
    if answer.order_id:
        details["order_id"] = answer.order_id
    raise RefusedError(answer.code, details=details)


def accepted_fields(answer: Accepted) -> dict[str, Detail]:
    """Return the JSON of an accepted order."""
    return {
        "order_id": answer.order_id,
        "status": answer.status.value,
        "leaves_quantity": str(answer.leaves_quantity),
        "cumulative_quantity": str(answer.cumulative_quantity),
        **stamp_fields(answer.stamp),
    }
