# SPDX-License-Identifier: Apache-2.0
"""The records of which `ChainState` consists: slotted, so that a million holders fit in memory."""

from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from stoken.domain.codes import EncumbranceKind, KeyStatus
from stoken.domain.facts import Address, MemberId

#: Makes a table of what grows with the holders, by address or id.
Table = Callable[[], MutableMapping[Any, Any]]
_BPS = 10_000


class Position:
    """Units of one account in one token."""

    __slots__ = ("balance", "frozen", "frozen_units", "held", "lockup", "pledged", "restricted")

    def __init__(self) -> None:
        self.balance = 0
        self.lockup = 0
        self.pledged = 0
        self.restricted = 0
        self.frozen_units = 0
        #: Sold, and settling on a later day.
        self.held = 0
        self.frozen = False

    def encumber(self, kind: int, units: int) -> None:
        """Add units to the sum of a kind; negative units release."""
        if kind == EncumbranceKind.LOCKUP:
            self.lockup += units
        elif kind == EncumbranceKind.PLEDGE:
            self.pledged += units
        else:
            self.restricted += units

    @property
    def available(self) -> int:
        """Return what the chain lets the account move: never below zero."""
        locked = self.lockup + self.pledged + self.restricted + self.frozen_units + self.held
        return max(0, self.balance - locked)


#: What an account holds that never held; never changed.
NO_POSITION = Position()


class RuleSet:
    """One version of a token's rules; zero turns a rule off."""

    __slots__ = (
        "cap_bps",
        "cap_units",
        "classes",
        "countries",
        "countries_allowed",
        "effective_block",
        "holder_limit",
        "lot",
        "modules",
        "off_venue_barred",
        "version",
        "window_seconds",
        "window_units",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each field of the contract's struct
        self,
        version: int = 0,
        effective_block: int = 0,
        cap_units: int = 0,
        cap_bps: int = 0,
        classes: int = 0,
        holder_limit: int = 0,
        lot: int = 0,
        countries_allowed: bool = False,  # noqa: FBT001, FBT002 - as in the contract's struct
        countries: int = 0,
        window_units: int = 0,
        window_seconds: int = 0,
        off_venue_barred: bool = False,  # noqa: FBT001, FBT002 - as in the contract's struct
        modules: tuple[Address, ...] = (),
    ) -> None:
        self.version = version
        self.effective_block = effective_block
        self.cap_units = cap_units
        self.cap_bps = cap_bps
        self.classes = classes
        self.holder_limit = holder_limit
        self.lot = lot
        self.countries_allowed = countries_allowed
        self.countries = countries
        self.window_units = window_units
        self.window_seconds = window_seconds
        self.off_venue_barred = off_venue_barred
        #: In the order in which they are asked.
        self.modules = modules

    def bars(self, country: int) -> bool:
        """Tell whether a country may not hold: it is on the deny-list, or missing from the allow-list."""
        if not self.countries and not self.countries_allowed:
            return False
        return bool(self.countries >> country & 1) != self.countries_allowed

    def admits(self, investor_class: int) -> bool:
        """Tell whether a class of investors may hold."""
        return not self.classes or bool(self.classes >> investor_class & 1)

    def position_limit(self, supply: int) -> int | None:
        """Return the most units one identity may hold: the lower of both caps, None where neither is set."""
        caps = [self.cap_units] if self.cap_units else []
        if self.cap_bps:
            caps.append(supply * self.cap_bps // _BPS)
        return min(caps, default=None)


NO_RULES = RuleSet()


class Window(NamedTuple):
    """What an identity received since its window began, in block time."""

    used: int = 0
    since: int = 0

    def plus(self, units: int, seconds: int, at: int) -> "Window":
        """Return the window after a receipt, which begins the next one where this one has ended."""
        return Window(self.used + units, self.since) if at < self.since + seconds else Window(units, at)


NO_WINDOW = Window()


class Token:
    """One security: its positions by account and by identity, its rules, its quantity."""

    __slots__ = (
        "burned",
        "compliance",
        "counted",
        "holders",
        "identities",
        "isin",
        "minted",
        "paused",
        "positions",
        "registered",
        "rules",
        "terminated",
        "unjudged",
        "windows",
    )

    def __init__(self, table: Table = dict) -> None:
        self.isin = ""
        self.compliance: Address = b""
        self.paused = True
        self.terminated = False
        self.minted = 0
        self.burned = 0
        self.registered = 0
        self.positions: MutableMapping[Address, Position] = table()
        self.identities: MutableMapping[Address, int] = table()
        self.holders = 0
        self.rules: list[RuleSet] = []
        #: Of accounts that were counted anew, the identity under which their units count.
        self.counted: MutableMapping[Address, Address] = table()
        self.windows: MutableMapping[Address, Window] = table()
        #: Whose window the last transfer changed, and what it was before: an act of force is only told afterwards.
        self.unjudged: tuple[Address, Window] | None = None

    @property
    def supply(self) -> int:
        """Return the units that exist."""
        return self.minted - self.burned

    def held_by(self, account: Address) -> Position:
        """Return an account's position to read."""
        return self.positions.get(account, NO_POSITION)

    def position(self, account: Address) -> Position:
        """Return an account's position to change, a new one where it never held."""
        position = self.positions.get(account)
        if position is None:
            position = self.positions[account] = Position()
        return position

    def move(self, identity: Address, units: int) -> None:
        """Change what an identity holds, and count it among the holders while it holds anything."""
        if not any(identity):
            return
        held = self.identities.get(identity, 0)
        # As in the contract: never less than nothing, so that no mistake of a count stops a burn.
        after = max(0, held + units)
        self.holders += (after > 0) - (held > 0)
        if after:
            self.identities[identity] = after
        else:
            self.identities.pop(identity, None)

    def receive(self, identity: Address, units: int, rules: RuleSet, at: int) -> None:
        """Count what reached an identity from another into its window, where the rules have one."""
        former = self.windows.get(identity, NO_WINDOW)
        self.unjudged = identity, former
        self.windows[identity] = former.plus(units, rules.window_seconds, at)

    def excuse(self, identity: Address) -> None:
        """Take the last transfer out of its receiver's window: no rule judged it."""
        if self.unjudged is not None and self.unjudged[0] == identity:
            self.windows[identity] = self.unjudged[1]
        self.unjudged = None

    def rules_at(self, block_number: int) -> RuleSet:
        """Return the rule set in force at a block: the latest announced of those already effective."""
        for rules in reversed(self.rules):
            if rules.effective_block <= block_number:
                return rules
        return NO_RULES


class Account:
    """What the identity registry binds to an account."""

    __slots__ = ("country", "identity", "investor_class", "manager", "owner_type")

    def __init__(
        self, manager: MemberId, identity: Address, country: int, investor_class: int, owner_type: int
    ) -> None:
        self.manager = manager
        self.identity = identity
        self.country = country
        self.investor_class = investor_class
        self.owner_type = owner_type


class Attestation:
    """Topics (bits) that one issuer attests of an identity, until a block time."""

    __slots__ = ("topics", "until")

    def __init__(self, topics: int, until: int) -> None:
        self.topics = topics
        self.until = until


class Claims:
    """What is said of one identity, by issuer; `for_cause` names issuers that withdrew for cause."""

    __slots__ = ("by_issuer", "for_cause")

    def __init__(self) -> None:
        self.by_issuer: dict[Address, Attestation] = {}
        self.for_cause: dict[Address, None] = {}


#: Of an identity of which nothing was ever said; never changed.
NO_CLAIMS = Claims()


class ClaimNote(NamedTuple):
    """To when a claim of an identity that is a contract holds, and the code of both that say so."""

    until: int
    identity_code: bytes
    issuer_code: bytes


class Member:
    """An institution: its roles (bits) and standing."""

    __slots__ = ("roles", "status")

    def __init__(self, roles: int, status: int) -> None:
        self.roles = roles
        self.status = status


class Key:
    """A signing key of a member: scopes (bits), validity in block time, standing."""

    __slots__ = ("member", "scopes", "since", "status", "until")

    def __init__(self, member: MemberId, scopes: int, since: int, until: int) -> None:
        self.member = member
        self.scopes = scopes
        self.since = since
        self.until = until
        self.status: int = KeyStatus.ACTIVE


class CashAccount:
    """A member's account in the deposit token; kind 1 holds customers' cash, 2 its own."""

    __slots__ = ("balance", "held", "kind", "member")

    def __init__(self, member: MemberId, kind: int) -> None:
        self.member = member
        self.kind = kind
        self.balance = 0
        #: The part of the balance that pays for trades of a later day.
        self.held = 0


class Hold:
    """Both legs of a trade that settles on a later day."""

    __slots__ = ("account", "amount", "cash_account", "token", "units")

    def __init__(self, token: Address, account: Address, units: int, cash_account: Address, amount: int) -> None:
        self.token = token
        self.account = account
        self.units = units
        self.cash_account = cash_account
        self.amount = amount


class Encumbrance:
    """Units of an account that may not move."""

    __slots__ = ("account", "kind", "party", "reason", "token", "units", "until")

    def __init__(
        self,
        token: Address,
        account: Address,
        kind: int,
        units: int,
        until: int,
        party: Address,
        reason: bytes,
    ) -> None:
        self.token = token
        self.account = account
        self.kind = kind
        self.units = units
        self.until = until
        self.party = party
        self.reason = reason
