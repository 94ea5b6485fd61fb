# SPDX-License-Identifier: Apache-2.0
"""Members come and go, by their votes and by acts of two institutions, while proposals are open."""

from collections.abc import Callable, Mapping
from typing import Final

from eth_hash.auto import keccak

from stoken.chain import eip712
from stoken.chain.signatures import address_of, sign
from stoken.domain.codes import Role, Scope
from stoken.issuance.calldata import interface
from tests.consortium import FOREVER, ROLES, key_of
from tests.simulation.drawing import Draw, Operation, Promise
from tests.simulation.terms import NEWCOMERS, Seat

_PROPOSAL: Final = keccak(
    b"MemberProposal(uint8 kind,bytes20 member,uint16 roles,Key[] keys,uint256 salt,uint40 deadline)"
    b"Key(address key,uint8 scopes,uint40 since,uint40 until)"
)
_VOTE: Final = keccak(b"MemberVote(bytes32 proposal,bool support)")


def admit(draw: Draw) -> Operation:
    """Admit somebody with a key, or give a newcomer other roles; some lose their vote by it."""
    name, model = draw.choose.choice(NEWCOMERS), draw.world.model
    roles = draw.choose.choice((Role.ACCOUNT_MANAGER, Role.ACCOUNT_MANAGER, Role.ISSUER))
    key = b"" if address_of(key_of(name)) in model.member_keys else address_of(key_of(name))
    keys = [(key, int(Scope.INSTRUCTION), 0, FOREVER)] if key else []
    return _own(draw, "admit", name, int(roles), keys, promise=lambda m, _: m.admit(name, int(roles), key))


def set_status(draw: Draw) -> Operation:
    """Suspend or activate a newcomer, seldom for ever."""
    name, status = draw.choose.choice(NEWCOMERS), 3 if draw.chance(0.03) else draw.choose.choice((1, 1, 2))
    return _own(draw, "setMemberStatus", name, status, promise=lambda m, _: m.set_status(name, status))


def propose(draw: Draw) -> Operation:
    """Propose what fits the member, mostly; by somebody who may, mostly."""
    choose, name = draw.choose, draw.choose.choice(NEWCOMERS)
    fitting = {0: (1,), 1: (2, 2, 2, 3), 2: (4, 4, 4, 3)}.get(draw.world.model.member(name).status, (1,))
    kind = choose.choice((*fitting, *fitting, *fitting, 1, 4))
    deadline = draw.at.time + choose.choice((-1, 90, 900, 9_000))
    seat = _proposal(draw, kind, name, int(Role.ACCOUNT_MANAGER), choose.randrange(3), deadline)
    signer = _signer(draw)
    data = _data("proposeMember", _told(seat), sign(key_of(signer), seat.key))
    return _relayed(draw, "proposeMember", data, lambda m, b: m.propose(seat, signer, b))


def vote(draw: Draw) -> Operation:
    """Vote on an open proposal, mostly for it, as a member of today, of then, or of neither."""
    key, signer, support = _seat(draw).key, _signer(draw), draw.chance(0.9)
    signature = sign(key_of(signer), _digest(draw, _VOTE, key, int(support)))
    data = _data("voteMember", key, support, signature)
    return _relayed(draw, "voteMember", data, lambda m, b: m.vote_on_member(key, signer, b, support=support))


def decide(draw: Draw) -> Operation:
    """Carry out a proposal, whether or not it has its votes."""
    seat = _seat(draw)
    data = _data("executeMember", _told(seat))
    return _relayed(draw, "executeMember", data, lambda m, b: m.decide(seat.key, seat, b))


def _seat(draw: Draw) -> Seat:
    every = list(draw.world.model.seats.values())
    known, old = [each for each in every if not each.decided and each.deadline >= draw.at.time][-2:], every[-8:]
    if known and draw.chance(0.9):
        return draw.choose.choice(known)
    if old and draw.chance(0.9):
        return draw.choose.choice(old)
    return _proposal(draw, 1, NEWCOMERS[0], 0, 0, FOREVER)


def _proposal(draw: Draw, kind: int, name: bytes, roles: int, salt: int, deadline: int) -> Seat:
    key = _digest(draw, _PROPOSAL, kind, name.ljust(32, b"\0"), roles, keccak(b""), salt, deadline)
    return Seat(key, kind, name, roles, salt, deadline)


def _signer(draw: Draw) -> bytes:
    return draw.choose.choice((*ROLES, *NEWCOMERS))


def _told(seat: Seat) -> tuple[object, ...]:
    return seat.kind, seat.member, seat.roles, [], seat.salt, seat.deadline


def _digest(draw: Draw, *words: bytes | int) -> bytes:
    packed = b"".join(each.to_bytes(32) if isinstance(each, int) else each for each in words)
    return keccak(b"\x19\x01" + draw.world.chain.desk.domain(eip712.MEMBER_REGISTRY, "members") + keccak(packed))


def _data(function: str, *arguments: object) -> bytes:
    return interface("MemberRegistry").encode(function, *arguments)


def _own(draw: Draw, function: str, *arguments: object, promise: Promise) -> Operation:
    return draw.own("members", "MemberRegistry", function, *arguments, promise=promise)


def _relayed(draw: Draw, what: str, data: bytes, promise: Promise) -> Operation:
    return Operation(what, draw.account(), draw.world.chain.suite["members"], data, promise)


MEMBERS: Final[Mapping[Callable[[Draw], Operation], int]] = {admit: 3, set_status: 2, propose: 2, vote: 14, decide: 3}
