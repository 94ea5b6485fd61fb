# SPDX-License-Identifier: Apache-2.0
"""The model's half for the members' votes: who votes, and by what majority, is as it was when a proposal was made."""

from collections.abc import Sequence
from typing import Final

from stoken.chain.signatures import address_of
from tests.consortium import ROLES, key_of
from tests.simulation.payouts import Payouts
from tests.simulation.terms import NEWCOMERS, Block, Member, Refusal, Seat

#: Registrar, both kinds of account managers, and venue; two thirds of them.
_VOTING: Final = 0b1111000
_MAJORITY: Final = 6_667
_WHOLE: Final = 10_000
_ADMIT, _SUSPEND, _EXPEL, _REINSTATE = 1, 2, 3, 4
_ACTIVE, _SUSPENDED, _REVOKED = 1, 2, 3


class Members(Payouts):
    """One issue, its investors, the cash of their brokers, and the members of the network."""

    def member(self, name: bytes) -> Member:
        """Return roles and status of a member; zero and zero of one that is none."""
        return self.members.get(name) or Member(int(ROLES.get(name, 0)), _ACTIVE if name in ROLES else 0)

    def admit(self, name: bytes, roles: int, key: bytes) -> Refusal | None:
        """Admit a member, or give it other roles and perhaps a key, as two institutions sign."""
        former = self.member(name)
        if former.status == _REVOKED:
            return "MemberRegistryMemberInvalid", (name,)
        if key and key in self.member_keys:
            return "MemberRegistryKeyTaken", (key, name)
        self.members[name] = Member(roles, former.status or _ACTIVE)
        if key:
            self.member_keys.add(key)
        return None

    def set_status(self, name: bytes, status: int) -> Refusal | None:
        """Suspend, revoke or activate a member, as two institutions sign."""
        former = self.member(name)
        if former.status in (0, _REVOKED):
            return "MemberRegistryMemberInvalid", (name,)
        self.members[name] = former._replace(status=status)
        return None

    def propose(self, seat: Seat, signer: bytes, block: Block) -> Refusal | None:
        """Put a change of members to the vote."""
        if block.time > seat.deadline:
            return "TooLate", (seat.deadline, block.time)
        if not self._fits(seat):
            return "MemberVotesProposalInvalid", (seat.kind, seat.member)
        if seat.key in self.seats:
            return "DuplicateInstruction", (seat.key,)
        everybody = {*ROLES, *self.members}
        seat.electors = frozenset(each for each in everybody if self._has_vote(each) and each != seat.member)
        refusal = self._silenced(seat, signer)
        if refusal is None:
            self.seats[seat.key] = seat
        return refusal

    def _has_vote(self, name: bytes) -> bool:
        roles, status = self.member(name)
        return status == _ACTIVE and bool(roles & _VOTING)

    def _silenced(self, seat: Seat, signer: bytes) -> Refusal | None:
        if self.member(signer).status != _ACTIVE:
            return "SignatureInvalid", (address_of(key_of(signer)),)
        return None if signer in seat.electors else ("RoleRequired", (_VOTING.to_bytes(32),))

    def _fits(self, seat: Seat) -> bool:
        allowed = {_ADMIT: {0}, _SUSPEND: {_ACTIVE}, _EXPEL: {_ACTIVE, _SUSPENDED}, _REINSTATE: {_SUSPENDED}}
        return self.member(seat.member).status in allowed.get(seat.kind, set())

    def vote_on_member(self, key: bytes, signer: bytes, block: Block, *, support: bool) -> Refusal | None:
        """Vote once."""
        refusal = self._unvotable(key, block)
        if refusal is not None:
            return refusal
        seat = self.seats[key]
        refusal = self._silenced(seat, signer)
        if refusal is None and signer in seat.votes:
            refusal = "DuplicateInstruction", (key,)
        if refusal is None:
            seat.votes[signer] = support
        return refusal

    def _unvotable(self, key: bytes, block: Block) -> Refusal | None:
        seat = self.seats.get(key)
        if seat is None:
            return "MemberVotesProposalUnknown", (key,)
        if seat.decided:
            return "DuplicateInstruction", (key,)
        return ("TooLate", (seat.deadline, block.time)) if block.time > seat.deadline else None

    def decide(self, key: bytes, told: Seat, block: Block) -> Refusal | None:
        """Carry out what reached its majority."""
        refusal = self._unvotable(key, block)
        if refusal is not None:
            return refusal
        seat = self.seats[key]
        if not self._fits(told):
            return "MemberVotesProposalInvalid", (told.kind, told.member)
        votes, electors = seat.tally()
        if not electors or votes * _WHOLE < electors * _MAJORITY:
            return "MemberVotesMajorityMissing", (votes, electors, _MAJORITY)
        seat.decided = True
        former = self.member(seat.member)
        status = _ACTIVE if seat.kind in (_ADMIT, _REINSTATE) else seat.kind
        self.members[seat.member] = Member(seat.roles if seat.kind == _ADMIT else former.roles, status)
        return None

    def voted(self) -> dict[str, object]:
        """Return what is compared of members and votes on them."""
        found: dict[str, object] = {f"member {each.hex()}": tuple(self.member(each)) for each in NEWCOMERS}
        for key, seat in self.latest_seats():
            found[f"seats {key.hex()}"] = seat.tally()
            found |= {f"elector {key.hex()} {each.hex()}": each in seat.electors for each in NEWCOMERS}
        return found

    def latest_seats(self) -> Sequence[tuple[bytes, Seat]]:
        """Return the proposals that are compared."""
        return list(self.seats.items())[-3:]
