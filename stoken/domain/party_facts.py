# SPDX-License-Identifier: Apache-2.0
"""The facts that tell of parties: members, their keys and nodes; accounts, identities and claims; measures.

`stoken.domain.facts` has them all, and says what form they keep.
"""

import msgspec

Address = bytes
MemberId = bytes


class BlockFact(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all facts: immutable, stored as a tagged array."""


class AccountBound(BlockFact, frozen=True):
    """An account belongs to a manager and an identity."""

    account: Address
    manager: MemberId
    identity: Address
    country: int
    investor_class: int
    owner_type: int


class AccountRemoved(BlockFact, frozen=True):
    """An account left the identity registry."""

    account: Address


class AccountHeld(BlockFact, frozen=True):
    """A legal hold of an account: no sale 1, no purchase 2, both 3, none 0."""

    account: Address
    effect: int


class ClaimAttested(BlockFact, frozen=True):
    """An issuer attests topics (bit 1 << topic) of an identity until a block time."""

    identity: Address
    issuer: Address
    topics: int
    until: int


class ClaimRevoked(BlockFact, frozen=True):
    """An issuer withdrew its attestation; for cause, the identity may not even sell."""

    identity: Address
    issuer: Address
    for_cause: bool


class ClaimNoted(BlockFact, frozen=True):
    """A claim of an identity that is a contract holds to a block time, says its issuer; zero if none holds."""

    identity: Address
    issuer: Address
    topic: int
    until: int
    identity_code: bytes
    issuer_code: bytes


class IssuerNotesVoided(BlockFact, frozen=True):
    """An issuer's keys changed: what was noted of it does not count until noted anew."""

    issuer: Address


class CodeAdmitted(BlockFact, frozen=True):
    """Code of identities or claim issuers is trusted to tell the registry of changes, or (False) no longer."""

    code_hash: bytes
    admitted: bool


class TopicAdded(BlockFact, frozen=True):
    """A claim topic became required."""

    topic: int


class TopicRemoved(BlockFact, frozen=True):
    """A claim topic is no longer required."""

    topic: int


class IssuerTrusted(BlockFact, frozen=True):
    """A claim issuer is trusted for exactly these topics; none means no longer trusted."""

    issuer: Address
    topics: tuple[int, ...]


class MemberAdmitted(BlockFact, frozen=True):
    """An institution became a member with roles (bits)."""

    member: MemberId
    roles: int


class MemberStatusChanged(BlockFact, frozen=True):
    """A member became active (1), suspended (2) or revoked (3)."""

    member: MemberId
    status: int


class KeyAdded(BlockFact, frozen=True):
    """A key of a member may sign within its scopes (bits) and validity (block time)."""

    key: Address
    member: MemberId
    scopes: int
    since: int
    until: int


class KeyRetired(BlockFact, frozen=True):
    """A key signs nothing new; what it signed still settles."""

    key: Address


class KeyRevoked(BlockFact, frozen=True):
    """A key's signatures no longer count."""

    key: Address


class NodeAdded(BlockFact, frozen=True):
    """A node (64 bytes of public key) may take part for a member within its validity."""

    id: bytes
    member: MemberId
    public_key: bytes
    role: int
    since: int
    until: int


class NodeRemoved(BlockFact, frozen=True):
    """A node may no longer take part."""

    id: bytes


class Anchored(BlockFact, frozen=True):
    """An institution's root of a kind and period."""

    member: MemberId
    kind: int
    period: int
    root: bytes


class InstitutionRestricted(BlockFact, frozen=True):
    """The accounts of a manager may not move a token, or none where `token` is zero; False ends that."""

    manager: MemberId
    token: Address
    restricted: bool


class NetworkSuspended(BlockFact, frozen=True):
    """Nothing moves on the whole network (True), or it was released (False)."""

    suspended: bool


class MeasureImposed(BlockFact, frozen=True):
    """A measure bars a subject (`scope` as in the contracts) until a block time, zero for without end.

    `author` imposed it, `approver` agreed, empty where one institution may act alone.
    """

    id: int
    scope: int
    token: Address
    subject: bytes
    effect: int
    units: int
    until: int
    provisional: bool
    author: MemberId
    approver: MemberId
    basis: bytes
    document: bytes


class MeasureConfirmed(BlockFact, frozen=True):
    """A provisional measure holds until another block time."""

    id: int
    until: int


class MeasureLifted(BlockFact, frozen=True):
    """A measure ended."""

    id: int


class CorrectionEntered(BlockFact, frozen=True):
    """The forced move `id` corrects an original entry, which stays as it is."""

    id: int
    original: bytes
    cause: bytes
    author: MemberId
    approver: MemberId
    basis: bytes
    document: bytes


PartyFact = (
    AccountBound
    | AccountRemoved
    | AccountHeld
    | ClaimAttested
    | ClaimRevoked
    | ClaimNoted
    | IssuerNotesVoided
    | CodeAdmitted
    | TopicAdded
    | TopicRemoved
    | IssuerTrusted
    | MemberAdmitted
    | MemberStatusChanged
    | KeyAdded
    | KeyRetired
    | KeyRevoked
    | NodeAdded
    | NodeRemoved
    | Anchored
    | InstitutionRestricted
    | NetworkSuspended
    | MeasureImposed
    | MeasureConfirmed
    | MeasureLifted
    | CorrectionEntered
)
