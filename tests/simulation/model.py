# SPDX-License-Identifier: Apache-2.0
"""What the contracts promise, as plain Python: written from interfaces and docs, never from code that it judges.

Every operation returns None where it succeeds, or the refusal: the error's name and its arguments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

Refusal = tuple[str, tuple[object, ...]]

_FULL: Final = 2**256 - 1
_BPS: Final = 10_000
_FOREVER: Final = 2**40 - 1


class Block(NamedTuple):
    """The block that an operation is mined in."""

    number: int
    time: int


class Rules(NamedTuple):
    """A rule set as announced; zero turns a rule off."""

    effective: int
    cap_units: int = 0
    cap_bps: int = 0
    classes: int = 0
    holder_limit: int = 0
    lot: int = 0
    countries_allowed: bool = False
    countries: frozenset[int] = frozenset()
    window_units: int = 0
    window_seconds: int = 0
    off_venue_barred: bool = False


class Window(NamedTuple):
    """Since when units were counted that an identity received, and how many."""

    since: int
    units: int


@dataclass(slots=True)
class Account:
    """An account: whose it is, what it holds, and how much of that is held back."""

    identity: bytes = b""
    broker: bytes = b""
    country: int = 0
    investor_class: int = 0
    balance: int = 0
    frozen: int = 0
    encumbered: int = 0
    legal_hold: bool = False
    no_sale: bool = False
    no_purchase: bool = False
    successor: bytes = b""


class Claim(NamedTuple):
    """What an issuer says of an identity."""

    topics: int
    until: int
    for_cause: bool = False


class Lockup(NamedTuple):
    """Units of an account, or of whoever it was recovered to since, that stay until a time."""

    account: bytes
    units: int
    until: int


class Move(NamedTuple):
    """Units on their way; a mint comes from nobody. `plain` is a move by neither venue nor mint."""

    sender: bytes
    receiver: bytes
    units: int
    plain: bool = True


class RecordDate(NamedTuple):
    """Balances and supply as they were."""

    balances: Mapping[bytes, int]
    supply: int


@dataclass(slots=True)
class Model:
    """One issue, its investors, and the cash of their brokers."""

    registered: int
    notice: int
    accounts: dict[bytes, Account]
    cash: dict[bytes, int]
    trusted: dict[bytes, int]
    required: int
    paused: bool = False
    suspended: bool = False
    supply: int = 0
    rules: list[Rules] = field(default_factory=lambda: [Rules(0)])
    claims: dict[tuple[bytes, bytes], Claim] = field(default_factory=dict)
    allowances: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    lockups: dict[bytes, Lockup] = field(default_factory=dict)
    released: set[bytes] = field(default_factory=set)
    restricted: set[bytes] = field(default_factory=set)
    windows: dict[bytes, Window] = field(default_factory=dict)
    record_dates: list[RecordDate] = field(default_factory=list)

    def account(self, address: bytes) -> Account:
        """Return an account; nobody knows one that was never registered."""
        return self.accounts.get(address) or Account()

    def for_cause(self, identity: bytes) -> bool:
        """Say whether any issuer, trusted or not, revoked the identity for cause and has not attested it since."""
        return any(claim.for_cause for (of, _), claim in self.claims.items() if of == identity)

    def verified_until(self, address: bytes) -> int:
        """Return until when each required topic is attested by a trusted issuer; zero where one is not."""
        identity = self.account(address).identity
        if not identity or self.for_cause(identity):
            return 0
        ends = [_FOREVER]
        ends += [
            max((self._attested(identity, issuer, topic) for issuer in self.trusted), default=0)
            for topic in range(64)
            if self.required >> topic & 1
        ]
        return min(ends)

    def _attested(self, identity: bytes, issuer: bytes, topic: int) -> int:
        claim = self.claims.get((identity, issuer), Claim(0, 0))
        return claim.until if claim.topics & self.trusted[issuer] & 1 << topic else 0

    def unverified(self, address: bytes, block: Block) -> Refusal | None:
        """Return what a receiver lacks."""
        until = self.verified_until(address)
        if until == 0:
            return "InvestorNotVerified", (address,)
        return ("InvestorClaimExpired", (address, until)) if until < block.time else None

    def verdict(self, move: Move, block: Block, spender: bytes = b"") -> Refusal | None:
        """Return the first refusal in the promised order: pause, suspension, restrictions, holds, identity, rules, ..."""
        sender = self.account(move.sender)
        if self.paused:
            return "TokenPaused", ()
        refusal = self.halted(move) or self.held(move)
        if refusal is not None:
            return refusal
        if not sender.identity or self.for_cause(sender.identity):
            return "SenderNotVerified", (move.sender,)
        return (
            self.unverified(move.receiver, block)
            or self.barred(move, block)
            or self.uncovered(move.sender, move.units, releasable=0)
            or self._unallowed(move, spender)
        )

    def halted(self, move: Move) -> Refusal | None:
        """Return what the supervisor stopped: the whole network, or the accounts of a manager."""
        if self.suspended and any(self.account(each).identity for each in (move.sender, move.receiver)):
            return "EmergencySuspension", ()
        for address in (move.sender, move.receiver):
            if self.account(address).broker in self.restricted:
                return "InstitutionTransferRestricted", (self.account(address).broker,)
        return None

    def held(self, move: Move) -> Refusal | None:
        """Return the legal hold that binds the sender, or the receiver."""
        sender, receiver = self.account(move.sender), self.account(move.receiver)
        if sender.legal_hold or sender.no_sale:
            return "AccountLegalHold", (move.sender,)
        return ("AccountLegalHold", (move.receiver,)) if receiver.legal_hold or receiver.no_purchase else None

    def _unallowed(self, move: Move, spender: bytes) -> Refusal | None:
        allowed = self.allowances.get((move.sender, spender), 0)
        if not spender or spender == move.sender or allowed >= move.units:
            return None
        return "ERC20InsufficientAllowance", (spender, allowed, move.units)

    def barred(self, move: Move, block: Block) -> Refusal | None:
        """Return what the rules in force say; accounts of one identity meet none."""
        receiver = self.account(move.receiver)
        if self.account(move.sender).identity == receiver.identity:
            return None
        rules = self._rules(block)
        if rules.lot and move.units % rules.lot:
            return "LotInvalid", (move.units, rules.lot)
        if (rules.countries or rules.countries_allowed) and (
            (receiver.country in rules.countries) != rules.countries_allowed
        ):
            return "JurisdictionBarred", (move.receiver, receiver.country)
        if rules.classes and not rules.classes >> receiver.investor_class & 1:
            return "InvestorClassNotEligible", (move.receiver, receiver.investor_class)
        if not move.units:
            return None
        refusal = self._beyond_limits(rules, move) or self._beyond_window(rules, move, block)
        if refusal is None and rules.off_venue_barred and move.plain:
            return "OffVenueSaleBarred", ()
        return refusal

    def _rules(self, block: Block) -> Rules:
        return [each for each in self.rules if each.effective <= block.number][-1]

    def _window(self, rules: Rules, move: Move, block: Block) -> Window:
        window = self.windows.get(self.account(move.receiver).identity, Window(0, 0))
        if block.time >= window.since + rules.window_seconds:
            window = Window(block.time, 0)
        return window._replace(units=window.units + move.units)

    def _beyond_window(self, rules: Rules, move: Move, block: Block) -> Refusal | None:
        used = self._window(rules, move, block).units
        if not rules.window_seconds or used <= rules.window_units:
            return None
        return "SubscriptionLimit", (self.account(move.receiver).identity, used, rules.window_units)

    def _beyond_limits(self, rules: Rules, move: Move) -> Refusal | None:
        identity = self.account(move.receiver).identity
        limits = [rules.cap_units] if rules.cap_units else []
        if rules.cap_bps and move.sender:
            limits.append(self.supply * rules.cap_bps // _BPS)
        held = self.position(identity)
        if limits and held + move.units > min(limits):
            return "HoldingLimit", (identity, held + move.units, min(limits))
        if not rules.holder_limit or held:
            return None
        leaves = bool(move.sender) and self.position(self.account(move.sender).identity) == move.units
        holders = self.holders() + (not leaves)
        return ("HolderCountLimit", (holders, rules.holder_limit)) if holders > rules.holder_limit else None

    def uncovered(self, address: bytes, units: int, releasable: int) -> Refusal | None:
        """Return what the units fall short of: the balance, what is locked up, what is frozen."""
        account = self.account(address)
        if units > account.balance:
            return "InsufficientSecurities", (address, account.balance, units)
        free = account.balance - account.encumbered
        if units > free:
            return "LockupActive", (address, free, units)
        free -= account.frozen - releasable
        return ("SecuritiesFrozen", (address, free, units)) if units > free else None

    def transfer(self, move: Move, block: Block, spender: bytes = b"") -> Refusal | None:
        """Move units as their owner or a spender asks."""
        refusal = self.verdict(move, block, spender)
        if refusal is None:
            self._receive(move, block)
            self._move(move)
            allowed = self.allowances.get((move.sender, spender), 0)
            if spender and spender != move.sender and allowed != _FULL:
                self.allowances[move.sender, spender] = allowed - move.units
        return refusal

    def settle(self, move: Move, price: int, payer: bytes, payee: bytes, block: Block) -> Refusal | None:
        """Move units and cash, or neither."""
        cost = price * move.units
        refusal = self.verdict(move, block)
        if refusal is None and self.cash[payer] < cost:
            refusal = "InsufficientCash", (payer, self.cash[payer], cost)
        if refusal is None:
            self._receive(move, block)
            self._move(move)
            self.cash[payer] -= cost
            self.cash[payee] += cost
        return refusal

    def _move(self, move: Move) -> None:
        if move.units:
            self.accounts[move.sender].balance -= move.units
            self.accounts[move.receiver].balance += move.units

    def _receive(self, move: Move, block: Block) -> None:
        """Count what rules allowed in the receiver's window; acts of force use none up."""
        rules, receiver = self._rules(block), self.account(move.receiver).identity
        if move.units and rules.window_seconds and self.account(move.sender).identity != receiver:
            self.windows[receiver] = self._window(rules, move, block)

    def mint(self, receiver: bytes, units: int, block: Block) -> Refusal | None:
        """Create units within the registered quantity."""
        if self.supply + units > self.registered:
            return "SupplyCapExceeded", (self.registered, self.supply + units)
        move = Move(b"", receiver, units, plain=False)
        refusal = self.halted(move) or self.held(move) or self.unverified(receiver, block) or self.barred(move, block)
        if refusal is None:
            self._receive(move, block)
            self.accounts[receiver].balance += units
            self.supply += units
        return refusal

    def burn(self, address: bytes, units: int) -> Refusal | None:
        """Cancel units, unfreezing only what is missing."""
        refusal = self._release(address, units)
        if refusal is None and units:
            self.accounts[address].balance -= units
            self.supply -= units
        return refusal

    def force(self, move: Move, block: Block) -> Refusal | None:
        """Move units without their owner, to somebody verified, whatever the rules say."""
        refusal = self.unverified(move.receiver, block) or self._release(move.sender, move.units)
        if refusal is None:
            self._move(move)
        return refusal

    def _release(self, address: bytes, units: int) -> Refusal | None:
        account = self.account(address)
        refusal = self.uncovered(address, units, releasable=account.frozen)
        if refusal is None:
            account.frozen -= max(0, units - (account.balance - account.encumbered - account.frozen))
        return refusal

    def recover(self, lost: bytes, successor: bytes, identity: bytes) -> Refusal | None:
        """Move everything of a lost account, and what holds it back, to another account of the same identity."""
        for address in (lost, successor):
            if self.account(address).identity != identity:
                return "SecurityTokenIdentityMismatch", (address, identity)
        source, target = self.account(lost), self.account(successor)
        if lost == successor or not source.balance:
            return "InsufficientSecurities", (lost, 0, 1)
        target.balance += source.balance
        target.frozen += source.frozen
        target.encumbered += source.encumbered
        target.legal_hold |= source.legal_hold
        if source.encumbered:
            source.successor = successor
        source.balance = source.frozen = source.encumbered = 0
        source.legal_hold = False
        return None

    def freeze(self, address: bytes, units: int) -> Refusal | None:
        """Freeze units that are free."""
        refusal = self.uncovered(address, units, releasable=0)
        if refusal is None and units:
            self.accounts[address].frozen += units
        return refusal

    def unfreeze(self, address: bytes, units: int) -> Refusal | None:
        """Unfreeze units that are frozen."""
        account = self.accounts[address]
        if units > account.frozen:
            return "SecuritiesFrozen", (address, account.frozen, units)
        account.frozen -= units
        return None

    def hold(self, address: bytes, *, frozen: bool) -> Refusal | None:
        """Freeze or release an account as a whole."""
        self.accounts[address].legal_hold = frozen
        return None

    def restrain(self, address: bytes, *, no_sale: bool, no_purchase: bool) -> Refusal | None:
        """Set the legal hold of an account for every issue."""
        account = self.accounts[address]
        account.no_sale, account.no_purchase = no_sale, no_purchase
        return None

    def restrict(self, broker: bytes, *, restricted: bool) -> Refusal | None:
        """Restrict the accounts of a manager, or release them."""
        (self.restricted.add if restricted else self.restricted.discard)(broker)
        return None

    def suspend(self, *, suspended: bool) -> Refusal | None:
        """Suspend the network, or release it."""
        self.suspended = suspended
        return None

    def record(self) -> Refusal | None:
        """Keep what everybody holds now."""
        balances = {address: account.balance for address, account in self.accounts.items()}
        self.record_dates.append(RecordDate(balances, self.supply))
        return None

    def pause(self, *, paused: bool) -> Refusal | None:
        """Pause or release the issue, once."""
        if self.paused == paused:
            return ("TokenPaused" if paused else "SecurityTokenNotPaused"), ()
        self.paused = paused
        return None

    def approve(self, owner: bytes, spender: bytes, units: int) -> Refusal | None:
        """Allow a spender so many units."""
        self.allowances[owner, spender] = units
        return None

    def announce(self, rules: Rules, block: Block) -> Refusal | None:
        """Announce a rule set: after the notice, and not before what was announced already."""
        earliest = max(block.number + self.notice if self.supply else block.number, 0)
        if self.supply and rules.effective < earliest:
            return "ComplianceNoticeTooShort", (rules.effective, earliest)
        effective = max(rules.effective, earliest)
        if effective < self.rules[-1].effective:
            return "ComplianceNoticeTooShort", (effective, self.rules[-1].effective)
        self.rules.append(rules._replace(effective=effective))
        return None

    def lock_up(self, key: bytes, lockup: Lockup, block: Block) -> Refusal | None:
        """Lock up free units until a time to come."""
        if lockup.until <= block.time:
            return "EncumbrancesEndPassed", (lockup.until, block.time)
        if key in self.lockups or key in self.released:
            return "EncumbrancesIdUsed", (key,)
        if self.account(lockup.account).successor:
            return "AccountClosed", (lockup.account,)
        refusal = self.uncovered(lockup.account, lockup.units, releasable=0)
        if refusal is None:
            self.accounts[lockup.account].encumbered += lockup.units
            self.lockups[key] = lockup
        return refusal

    def end_lock_up(self, key: bytes, lockup: Lockup, block: Block) -> Refusal | None:
        """Release a lock-up whose time has come, wherever its units are now; who asks knows the record."""
        if self.lockups.get(key) != lockup:
            return "EncumbrancesIdUnknown", (key,)
        if block.time < lockup.until:
            return "EncumbrancesStillActive", (key, lockup.until)
        holder = lockup.account
        while self.accounts[holder].successor:
            holder = self.accounts[holder].successor
        self.accounts[holder].encumbered -= lockup.units
        self.released.add(key)
        del self.lockups[key]
        return None

    def attest(self, issuer: bytes, identity: bytes, claim: Claim) -> Refusal | None:
        """Replace what an issuer says, within what it is trusted for."""
        trusted = self.trusted.get(issuer, 0)
        if not trusted or claim.topics & ~trusted:
            return "ClaimIssuerUntrusted", (issuer,)
        self.claims[identity, issuer] = claim
        return None

    def revoke(self, issuer: bytes, identity: bytes, *, for_cause: bool) -> Refusal | None:
        """Withdraw what an issuer says; a cause stands until it attests anew."""
        if issuer not in self.trusted:
            return "ClaimIssuerUntrusted", (issuer,)
        former = self.claims.get((identity, issuer), Claim(0, 0))
        self.claims[identity, issuer] = Claim(0, 0, for_cause or former.for_cause)
        return None

    def trust(self, issuer: bytes, topics: int) -> Refusal | None:
        """Trust an issuer for topics."""
        if issuer in self.trusted:
            return "TrustedIssuersRegistryIssuerTrusted", (issuer,)
        self.trusted[issuer] = topics
        return None

    def distrust(self, issuer: bytes) -> Refusal | None:
        """Trust an issuer no longer."""
        return None if self.trusted.pop(issuer, None) else ("ClaimIssuerUntrusted", (issuer,))

    def require(self, topic: int, *, required: bool) -> Refusal | None:
        """Require a topic, or no longer."""
        if not required:
            self.required &= ~(1 << topic)
            return None
        if self.required >> topic & 1:
            return "ClaimTopicsRegistryTopicRequired", (topic,)
        self.required |= 1 << topic
        return None

    def describe(self, address: bytes, **profile: int) -> Refusal | None:
        """Change country or class of an account's investor."""
        for name, value in profile.items():
            setattr(self.accounts[address], name, value)
        return None

    def position(self, identity: bytes) -> int:
        """Return the units of an identity, over all of its accounts."""
        return sum(account.balance for account in self.accounts.values() if account.identity == identity)

    def holders(self) -> int:
        """Return how many identities hold units."""
        return len({account.identity for account in self.accounts.values() if account.balance})

    def dates(self) -> list[tuple[int, RecordDate]]:
        """Return the record dates that are compared, by their numbers: the first and the last two."""
        numbered = list(enumerate(self.record_dates, 1))
        return numbered[:1] + numbered[1:][-2:]

    def state(self, block: Block) -> Mapping[str, object]:
        """Return everything that is compared with the chain."""
        found: dict[str, object] = {"paused": self.paused, "supply": self.supply, "holders": self.holders()}
        for address, each in self.accounts.items():
            name = address.hex()
            found[f"account {name}"] = (each.balance, each.frozen, each.encumbered, each.legal_hold)
            found[f"verified {name}"] = self.verified_until(address) >= block.time
            found[f"locked up {name}"] = (each.encumbered, 0, 0)
            found[f"position {each.identity.hex()}"] = self.position(each.identity)
            window = self.windows.get(each.identity, Window(0, 0))
            found[f"window {each.identity.hex()}"] = (window.units, window.since)
        for number, date in self.dates():
            found[f"supply at {number}"] = date.supply
            found |= {f"balance at {number} {address.hex()}": units for address, units in date.balances.items()}
        return found | {f"cash {address.hex()}": balance for address, balance in self.cash.items()}
