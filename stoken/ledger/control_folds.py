# SPDX-License-Identifier: Apache-2.0
"""Facts of control folded into rows: members, keys and nodes, measures and corrections, anchors."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from stoken.domain import facts
from stoken.domain.codes import KeyStatus
from stoken.domain.facts import Address, MemberId
from stoken.ledger.rows import Anchor, Correction, Key, Measure, Member, Node
from stoken.ledger.state import State


def _member(state: State, member: MemberId) -> Member:
    return state.get(Member, "members", member) or Member(member)


def _member_admitted(state: State, fact: facts.MemberAdmitted) -> None:
    state.put("members", (fact.member,), Member(fact.member, fact.roles))


def _member_status_changed(state: State, fact: facts.MemberStatusChanged) -> None:
    state.put("members", (fact.member,), _member(state, fact.member)._replace(status=fact.status))


def _key(state: State, key: Address) -> Key:
    return state.get(Key, "keys", key) or Key(key)


def _key_added(state: State, fact: facts.KeyAdded) -> None:
    state.put("keys", (fact.key,), Key(fact.key, fact.member, fact.scopes, fact.since, fact.until))


def _key_retired(state: State, fact: facts.KeyRetired) -> None:
    state.put("keys", (fact.key,), _key(state, fact.key)._replace(status=int(KeyStatus.RETIRED)))


def _key_revoked(state: State, fact: facts.KeyRevoked) -> None:
    state.put("keys", (fact.key,), _key(state, fact.key)._replace(status=int(KeyStatus.REVOKED)))


def _measure_imposed(state: State, fact: facts.MeasureImposed) -> None:
    state.put("measures", (fact.id,), Measure(*msgspec.structs.astuple(fact)))


def _measure_confirmed(state: State, fact: facts.MeasureConfirmed) -> None:
    held = state.get(Measure, "measures", fact.id)
    if held is not None:
        state.put("measures", (fact.id,), held._replace(provisional=False, until=fact.until))


def _measure_lifted(state: State, fact: facts.MeasureLifted) -> None:
    held = state.get(Measure, "measures", fact.id)
    if held is not None:
        state.put("measures", (fact.id,), held._replace(lifted=True))


def _correction_entered(state: State, fact: facts.CorrectionEntered) -> None:
    state.put("corrections", (fact.id,), Correction(*(*msgspec.structs.astuple(fact), state.block_number)))


def _node_added(state: State, fact: facts.NodeAdded) -> None:
    state.put("nodes", (fact.id,), Node(*msgspec.structs.astuple(fact)))


def _node_removed(state: State, fact: facts.NodeRemoved) -> None:
    state.put("nodes", (fact.id,), None)


def _anchored(state: State, fact: facts.Anchored) -> None:
    row = Anchor(*(*msgspec.structs.astuple(fact), state.block_number))
    state.put("anchors", row[:3], row)


CONTROL: Final[dict[type, Callable[[State, Any], None]]] = {
    facts.MemberAdmitted: _member_admitted,
    facts.MemberStatusChanged: _member_status_changed,
    facts.KeyAdded: _key_added,
    facts.KeyRetired: _key_retired,
    facts.KeyRevoked: _key_revoked,
    facts.MeasureImposed: _measure_imposed,
    facts.MeasureConfirmed: _measure_confirmed,
    facts.MeasureLifted: _measure_lifted,
    facts.CorrectionEntered: _correction_entered,
    facts.NodeAdded: _node_added,
    facts.NodeRemoved: _node_removed,
    facts.Anchored: _anchored,
}
