# SPDX-License-Identifier: Apache-2.0
"""What the key policy asks of a call before a sender key signs it: enough approvals, each of exactly this request."""

import time
from collections.abc import Callable, Iterable, Sequence

from eth_hash.auto import keccak
from sqlalchemy import Connection

from stoken.chain import eip712
from stoken.chain.key_acts import kind_of
from stoken.chain.signatures import recover
from stoken.chain.statements import GivenApproval, KeyApproval
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError
from stoken.transactions.key_policy import Ceremony, history, keys_of

_NANOSECONDS = 1_000_000_000


class KeyGate:
    """Holds sender keys back from what the policy's keys did not approve."""

    def __init__(
        self, chain_id: int, authority: bytes, founding: bytes | None = None, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """Take the chain, the address of its Authority, and the digest that the policy must begin with.

        With a digest, no act passes without a policy; without one, acts need approvals from the first policy on.
        """
        self._chain_id = chain_id
        self._separator = eip712.domain(eip712.KEY_POLICY, chain_id, authority)
        self._founding = founding
        self._clock = clock

    def check(
        self, connection: Connection, key: str, to: bytes, data: bytes, approvals: Sequence[GivenApproval]
    ) -> None:
        """Raise SIGNATURE_POLICY_UNMET unless the call needs no approval or has enough of them."""
        act = kind_of(to, data)
        if act is None:
            return
        policy = self._policy(connection, act)
        if policy is None:
            return
        rule = policy.statement.rules[act - 1]
        separator = eip712.domain(eip712.KEY_POLICY, self._chain_id, to)
        approved = approvers(separator, key, data, self._living(approvals)) & keys_of(rule)
        if len(approved) >= rule.required:
            return
        by = ", ".join(f"0x{each.hex()}" for each in sorted(approved)) or "none"
        name = act.name.lower()
        raise RefusedError(
            Refusal.SIGNATURE_POLICY_UNMET,
            f"{name} needs {rule.required} of {len(rule.holders)} keys, approved by {by}",
            {
                "act": name,
                "required": rule.required,
                "approved": len(approved),
                "missing": rule.required - len(approved),
                "policy_version": policy.statement.version,
            },
        )

    def _policy(self, connection: Connection, act: KeyAct) -> Ceremony | None:
        past = history(connection, self._separator)
        if self._founding is not None and (not past or past[0].digest != self._founding):
            name = act.name.lower()
            said = "no key policy is on record" if not past else "the key policy on record was founded by another"
            raise RefusedError(Refusal.SIGNATURE_POLICY_UNMET, f"{name}: {said}", {"act": name})
        return past[-1] if past else None

    def _living(self, approvals: Iterable[GivenApproval]) -> list[GivenApproval]:
        now = self._clock() // _NANOSECONDS
        return [each for each in approvals if each.deadline >= now]


def approvers(separator: bytes, key: str, data: bytes, approvals: Iterable[GivenApproval]) -> frozenset[bytes]:
    """Return who approved a call for the request of this outbox key, each once."""
    digests = {each: keccak(approval_payload(separator, key, data, each.deadline)) for each in approvals}
    return frozenset(recover(digest, each.signature) for each, digest in digests.items()) - {b""}


def approval_payload(separator: bytes, key: str, data: bytes, deadline: int) -> bytes:
    """Return the bytes whose hash is signed to approve a call; the separator is that of the contract that is called."""
    return eip712.key_approval_payload(separator, KeyApproval(data, keccak(key.encode()), deadline))
