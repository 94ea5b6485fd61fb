# SPDX-License-Identifier: Apache-2.0
"""What keeps a move from happening, of all that is known of an issue: the model's half that changes nothing."""

from dataclasses import dataclass, field
from typing import Final

from tests.simulation.terms import (
    Account,
    Ballot,
    Block,
    Claim,
    Conversion,
    Deal,
    Lockup,
    Member,
    Move,
    Payout,
    RecordDate,
    Refusal,
    Rules,
    Seat,
    Window,
)

_BPS: Final = 10_000
_FOREVER: Final = 2**40 - 1


@dataclass(slots=True)
class Verdicts:
    """One issue, its investors, and the cash of their brokers."""

    registered: int
    notice: int
    accounts: dict[bytes, Account]
    cash: dict[bytes, int]
    trusted: dict[bytes, int]
    required: int
    paused: bool = False
    suspended: bool = False
    terminated: bool = False
    supply: int = 0
    rules: list[Rules] = field(default_factory=lambda: [Rules(0)])
    claims: dict[tuple[bytes, bytes], Claim] = field(default_factory=dict)
    allowances: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    lockups: dict[bytes, Lockup] = field(default_factory=dict)
    released: set[bytes] = field(default_factory=set)
    restricted: set[bytes] = field(default_factory=set)
    windows: dict[bytes, Window] = field(default_factory=dict)
    record_dates: list[RecordDate] = field(default_factory=list)
    held_cash: dict[bytes, int] = field(default_factory=dict)
    held_trades: dict[int, Deal] = field(default_factory=dict)
    settled_trades: set[int] = field(default_factory=set)
    void: set[tuple[bytes, int]] = field(default_factory=set)
    conversions: dict[bytes, Conversion] = field(default_factory=dict)
    running: bytes = b""
    ballots: dict[bytes, Ballot] = field(default_factory=dict)
    payouts: dict[bytes, Payout] = field(default_factory=dict)
    members: dict[bytes, Member] = field(default_factory=dict)
    member_keys: set[bytes] = field(default_factory=set)
    seats: dict[bytes, Seat] = field(default_factory=dict)

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
        """Return the first refusal, in the order that the interface promises."""
        sender = self.account(move.sender)
        if self.paused:
            return "TokenPaused", ()
        if self.terminated:
            return "InstrumentTerminated", ()
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
        rules = self.rules_at(block)
        if rules.lot and move.units % rules.lot:
            return "LotInvalid", (move.units, rules.lot)
        if (rules.countries or rules.countries_allowed) and (
            (receiver.country in rules.countries) != rules.countries_allowed
        ):
            return "JurisdictionBarred", (move.receiver, receiver.country)
        if rules.classes and not rules.classes >> receiver.investor_class & 1:
            return "InvestorClassNotEligible", (move.receiver, receiver.investor_class)
        return self._excessive(rules, move, block) if move.units else None

    def _excessive(self, rules: Rules, move: Move, block: Block) -> Refusal | None:
        refusal = self._beyond_limits(rules, move) or self._beyond_window(rules, move, block)
        if refusal is None and rules.off_venue_barred and move.plain:
            return "OffVenueSaleBarred", ()
        return refusal

    def rules_at(self, block: Block) -> Rules:
        """Return the rules in force."""
        return [each for each in self.rules if each.effective <= block.number][-1]

    def window(self, rules: Rules, move: Move, block: Block) -> Window:
        """Return the receiver's window after a move: a new one begins with the first receipt after the last ended."""
        window = self.windows.get(self.account(move.receiver).identity, Window(0, 0))
        if block.time >= window.since + rules.window_seconds:
            window = Window(block.time, 0)
        return window._replace(units=window.units + move.units)

    def _beyond_window(self, rules: Rules, move: Move, block: Block) -> Refusal | None:
        used = self.window(rules, move, block).units
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
        free -= account.held + account.frozen - releasable
        return ("SecuritiesFrozen", (address, free, units)) if units > free else None

    def position(self, identity: bytes) -> int:
        """Return the units of an identity, over all of its accounts."""
        return sum(account.balance for account in self.accounts.values() if account.identity == identity)

    def holders(self) -> int:
        """Return how many identities hold units."""
        return len({account.identity for account in self.accounts.values() if account.balance})
