# SPDX-License-Identifier: Apache-2.0
"""What the key policy asks of a call before a sender key signs it: enough approvals, each of exactly this request."""

import time
from collections.abc import Callable, Iterable, Sequence

from eth_hash.auto import keccak
from sqlalchemy import Connection, select

from stoken.chain import eip712
from stoken.chain.key_acts import kind_of
from stoken.chain.signatures import recover
from stoken.chain.statements import GivenApproval, KeyApproval
from stoken.domain.codes import KeyAct
from stoken.domain.refusals import Refusal
from stoken.errors import RefusedError, StartupError
from stoken.transactions.key_policy import Ceremony, history, keys_of
from stoken.transactions.tables import outbox

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
    ) -> bytes | None:
        """Return the digest of the policy under which the call has enough approvals, None where it needs none.

        Raises SIGNATURE_POLICY_UNMET where they are too few.
        """
        act = kind_of(to, data)
        if act is None:
            return None
        policy = self._policy(connection, act)
        if policy is None:
            return None
        rule = policy.statement.rules[act - 1]
        separator = eip712.domain(eip712.KEY_POLICY, self._chain_id, to)
        approved = approvers(separator, key, data, self._living(approvals)) & keys_of(rule)
        if len(approved) >= rule.required:
            return policy.digest
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

    def check_record(self, connection: Connection) -> None:
        """Raise StartupError where an act was signed under a version of the policy that is no longer on record.

        Versions name the one before, but the last is named by none: without this a record cut back to an older
        version, and so to keys that were taken out since, would be as good as the whole one.
        """
        try:
            past = {ceremony.digest for ceremony in history(connection, self._separator)}
        except RefusedError as error:
            raise StartupError(f"the key policy on record is not what was signed: {error}") from error
        signed_under = select(outbox.c.policy).where(outbox.c.policy.is_not(None)).distinct()
        lost = sorted(set(connection.execute(signed_under).scalars()) - past)
        if lost:
            raise StartupError(
                f"acts were signed under the key policy 0x{lost[0].hex()}, not on record: versions were removed"
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
