# SPDX-License-Identifier: Apache-2.0
"""Who is verified to when, as the identity registry works it out: topics, trusted issuers, attestations and claims."""

from collections.abc import Callable, MutableMapping
from typing import Any

from stoken.domain import facts
from stoken.domain.chain_records import NO_CLAIMS, Attestation, ClaimNote, Claims, Table
from stoken.domain.facts import Address

#: Where nothing is required, verification does not lapse: the largest uint40.
FOREVER = 2**40 - 1
#: Topics from here on have no bit in an attestation: what requires one, nobody mirrored can show.
_TOPIC_BITS = 64


class Verification:
    """The part of the chain's state on which the verification of identities depends."""

    __slots__ = ("claims", "codes", "issuers", "notes", "topics", "topics_beyond", "verified")

    def __init__(self, table: Table = dict) -> None:
        """Start before the first block; `table` makes what grows with the holders."""
        self.claims: MutableMapping[Address, Claims] = table()
        self.topics = 0
        #: Required topics that have no bit.
        self.topics_beyond: dict[int, None] = {}
        self.issuers: dict[Address, int] = {}
        self.verified: dict[Address, int] = {}
        #: By identity that is a contract: what is noted of its claims, by issuer and topic.
        self.notes: dict[Address, dict[tuple[Address, int], ClaimNote]] = {}
        #: Hashes of code that tells of changes: claims of other code count for nothing here.
        self.codes: dict[bytes, None] = {}

    def verified_until(self, identity: Address, block_time: int) -> int:
        """Return the block time to which every required topic is attested or claimed; 0 for never.

        Claims count where no attestation holds at `block_time`, as the contracts ask for them only then.
        """
        if identity in self.notes:
            return self._walk(identity, block_time)
        until = self.verified.get(identity)
        if until is None:
            until = self.verified[identity] = self._walk(identity, block_time)
        return until

    def _walk(self, identity: Address, block_time: int) -> int:
        claims = self.claims.get(identity, NO_CLAIMS)
        if claims.for_cause or self.topics_beyond:
            return 0
        attestations = claims.by_issuer
        until, topics = FOREVER, self.topics
        for topic in range(topics.bit_length()):
            bit = 1 << topic
            if topics & bit:
                best = max(
                    (held.until for issuer, held in attestations.items() if self._counts(issuer, held, bit)), default=0
                )
                if best < block_time:
                    best = max(best, self._claimed_until(identity, topic))
                until = min(until, best)
        return until

    def _claimed_until(self, identity: Address, topic: int) -> int:
        return max(
            (
                note.until
                for (issuer, noted), note in self.notes.get(identity, {}).items()
                if noted == topic
                and self.issuers.get(issuer, 0) >> topic & 1
                and note.identity_code in self.codes
                and note.issuer_code in self.codes
            ),
            default=0,
        )

    def _counts(self, issuer: Address, attestation: Attestation, bit: int) -> bool:
        return bool(attestation.topics & bit and self.issuers.get(issuer, 0) & bit)


def _claim_attested(state: Verification, fact: facts.ClaimAttested) -> None:
    claims = state.claims.setdefault(fact.identity, Claims())
    claims.by_issuer[fact.issuer] = Attestation(fact.topics, fact.until)
    claims.for_cause.pop(fact.issuer, None)
    state.verified.pop(fact.identity, None)


def _claim_revoked(state: Verification, fact: facts.ClaimRevoked) -> None:
    claims = state.claims.setdefault(fact.identity, Claims())
    claims.by_issuer.pop(fact.issuer, None)
    if fact.for_cause:
        claims.for_cause[fact.issuer] = None
    state.verified.pop(fact.identity, None)


def _topic_added(state: Verification, fact: facts.TopicAdded) -> None:
    if fact.topic < _TOPIC_BITS:
        state.topics |= 1 << fact.topic
    else:
        state.topics_beyond[fact.topic] = None
    state.verified.clear()


def _topic_removed(state: Verification, fact: facts.TopicRemoved) -> None:
    if fact.topic < _TOPIC_BITS:
        state.topics &= ~(1 << fact.topic)
    else:
        state.topics_beyond.pop(fact.topic, None)
    state.verified.clear()


def _issuer_trusted(state: Verification, fact: facts.IssuerTrusted) -> None:
    state.issuers[fact.issuer] = sum(1 << topic for topic in fact.topics if topic < _TOPIC_BITS)
    state.verified.clear()


def _code_admitted(state: Verification, fact: facts.CodeAdmitted) -> None:
    state.codes.pop(fact.code_hash, None)
    if fact.admitted:
        state.codes[fact.code_hash] = None


def _claim_noted(state: Verification, fact: facts.ClaimNoted) -> None:
    note = ClaimNote(fact.until, fact.identity_code, fact.issuer_code)
    state.notes.setdefault(fact.identity, {})[fact.issuer, fact.topic] = note


def _issuer_notes_voided(state: Verification, fact: facts.IssuerNotesVoided) -> None:
    for notes in state.notes.values():
        for key in [key for key in notes if key[0] == fact.issuer]:
            del notes[key]


VERIFICATION: dict[type, Callable[[Any, Any], None]] = {
    facts.ClaimAttested: _claim_attested,
    facts.ClaimRevoked: _claim_revoked,
    facts.TopicAdded: _topic_added,
    facts.TopicRemoved: _topic_removed,
    facts.IssuerTrusted: _issuer_trusted,
    facts.CodeAdmitted: _code_admitted,
    facts.ClaimNoted: _claim_noted,
    facts.IssuerNotesVoided: _issuer_notes_voided,
}
