# SPDX-License-Identifier: Apache-2.0
"""Members and their keys, accounts and their identities, and what restrains them, as the registries keep them."""

from collections.abc import Callable, MutableMapping
from typing import Any

from stoken.domain import facts
from stoken.domain.chain_records import Account, Key, Member, Table
from stoken.domain.codes import KeyStatus, MemberStatus
from stoken.domain.facts import Address, MemberId
from stoken.domain.verification import VERIFICATION, Verification

NOBODY: Address = bytes(20)


class Registrations(Verification):
    """The part of the chain's state that says who may act at all."""

    __slots__ = ("accounts", "first_identities", "holds", "keys", "members", "restrictions", "suspended")

    def __init__(self, table: Table = dict) -> None:
        """Start before the first block; `table` makes what grows with the holders."""
        super().__init__(table)
        self.accounts: MutableMapping[Address, Account] = table()
        #: Of accounts whose identity was replaced or removed once.
        self.first_identities: MutableMapping[Address, Address] = table()
        self.members: dict[MemberId, Member] = {}
        self.keys: dict[Address, Key] = {}
        #: Effects of legal holds by account, whether it is registered or not.
        self.holds: dict[Address, int] = {}
        #: By manager and token; the token of nobody stands for all.
        self.restrictions: dict[tuple[MemberId, Address], None] = {}
        self.suspended = False

    def restricted_manager(self, account: Address, token: Address) -> MemberId | None:
        """Return the manager whose accounts, of which this is one, may not move the token; None if they may."""
        bound = self.accounts.get(account)
        if bound is None:
            return None
        manager = bound.manager
        restricted = (manager, NOBODY) in self.restrictions or (manager, token) in self.restrictions
        return manager if restricted else None


def _account_bound(state: Registrations, fact: facts.AccountBound) -> None:
    former = state.accounts.get(fact.account)
    if former is not None and former.identity != fact.identity:
        state.first_identities.setdefault(fact.account, former.identity)
    state.accounts[fact.account] = Account(
        fact.manager, fact.identity, fact.country, fact.investor_class, fact.owner_type
    )


def _account_removed(state: Registrations, fact: facts.AccountRemoved) -> None:
    former = state.accounts.pop(fact.account, None)
    if former is not None:
        state.first_identities.setdefault(fact.account, former.identity)


def _member_admitted(state: Registrations, fact: facts.MemberAdmitted) -> None:
    state.members[fact.member] = Member(fact.roles, MemberStatus.ACTIVE)


def _member_status_changed(state: Registrations, fact: facts.MemberStatusChanged) -> None:
    state.members[fact.member].status = fact.status


def _key_added(state: Registrations, fact: facts.KeyAdded) -> None:
    state.keys[fact.key] = Key(fact.member, fact.scopes, fact.since, fact.until)


def _key_retired(state: Registrations, fact: facts.KeyRetired) -> None:
    state.keys[fact.key].status = KeyStatus.RETIRED


def _key_revoked(state: Registrations, fact: facts.KeyRevoked) -> None:
    state.keys[fact.key].status = KeyStatus.REVOKED


def _account_held(state: Registrations, fact: facts.AccountHeld) -> None:
    state.holds.pop(fact.account, None)
    if fact.effect:
        state.holds[fact.account] = fact.effect


def _institution_restricted(state: Registrations, fact: facts.InstitutionRestricted) -> None:
    state.restrictions.pop((fact.manager, fact.token), None)
    if fact.restricted:
        state.restrictions[fact.manager, fact.token] = None


def _network_suspended(state: Registrations, fact: facts.NetworkSuspended) -> None:
    state.suspended = fact.suspended


REGISTRATIONS: dict[type, Callable[[Any, Any], None]] = {
    **VERIFICATION,
    facts.AccountBound: _account_bound,
    facts.AccountRemoved: _account_removed,
    facts.MemberAdmitted: _member_admitted,
    facts.MemberStatusChanged: _member_status_changed,
    facts.KeyAdded: _key_added,
    facts.KeyRetired: _key_retired,
    facts.KeyRevoked: _key_revoked,
    facts.AccountHeld: _account_held,
    facts.InstitutionRestricted: _institution_restricted,
    facts.NetworkSuspended: _network_suspended,
}
