# SPDX-License-Identifier: Apache-2.0
"""What the contracts promise, as plain Python: written from interfaces and docs, never from code that it judges.

Every operation returns None where it succeeds, or the refusal: the error's name and its arguments.
"""

from collections.abc import Mapping
from typing import Final

from tests.simulation.members import Members
from tests.simulation.terms import Block, Claim, Deal, Lockup, Move, RecordDate, Refusal, Rules, Window

_FULL: Final = 2**256 - 1


class Model(Members):
    """One issue, its investors, and the cash of their brokers."""

    def transfer(self, move: Move, block: Block, spender: bytes = b"") -> Refusal | None:
        """Move units as their owner or a spender asks."""
        refusal = self.verdict(move, block, spender)
        if refusal is None:
            self.receive(move, block)
            self.carry(move)
            allowed = self.allowances.get((move.sender, spender), 0)
            if spender and spender != move.sender and allowed != _FULL:
                self.allowances[move.sender, spender] = allowed - move.units
        return refusal

    def settle(self, deal: Deal, block: Block) -> Refusal | None:
        """Move units and cash, or neither; what settled is passed over."""
        if deal.trade_id in self.settled_trades:
            return None
        move = Move(deal.seller, deal.buyer, deal.quantity, plain=False)
        refusal = self.voided(deal) or self.verdict(move, block) or self.unpaid(deal.buyer_cash, deal.cost)
        if refusal is None:
            self.receive(move, block)
            self.carry(move)
            self.cash[deal.buyer_cash] -= deal.cost
            self.cash[deal.seller_cash] += deal.cost
            self.settled_trades.add(deal.trade_id)
        return refusal

    def mint(self, receiver: bytes, units: int, block: Block) -> Refusal | None:
        """Create units within the registered quantity."""
        if self.terminated:
            return "InstrumentTerminated", ()
        if self.supply + units > self.registered:
            return "SupplyCapExceeded", (self.registered, self.supply + units)
        move = Move(b"", receiver, units, plain=False)
        refusal = self.halted(move) or self.held(move) or self.unverified(receiver, block) or self.barred(move, block)
        if refusal is None:
            self.receive(move, block)
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
            self.carry(move)
        return refusal

    def _release(self, address: bytes, units: int) -> Refusal | None:
        account = self.account(address)
        refusal = self.uncovered(address, units, releasable=account.frozen)
        if refusal is None:
            account.frozen -= max(0, units - (account.balance - account.encumbered - account.held - account.frozen))
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
        if source.encumbered or source.held:
            source.successor = successor
        target.held += source.held
        source.balance = source.frozen = source.encumbered = source.held = 0
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

    def terminate(self, document: bytes) -> Refusal | None:
        """End the instrument once nothing is left of it."""
        if self.terminated:
            return "InstrumentTerminated", ()
        if not any(document):
            return "LegalBasisRequired", ()
        if self.supply:
            return "SecurityTokenUnitsOutstanding", (self.supply,)
        self.terminated = True
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
        self.accounts[self.holder(lockup.account)].encumbered -= lockup.units
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

    def dates(self) -> list[tuple[int, RecordDate]]:
        """Return the record dates that are compared, by their numbers: the first and the last two."""
        numbered = list(enumerate(self.record_dates, 1))
        return numbered[:1] + numbered[1:][-2:]

    def state(self, block: Block) -> Mapping[str, object]:
        """Return everything that is compared with the chain."""
        found: dict[str, object] = {"paused": self.paused, "supply": self.supply, "holders": self.holders()}
        found["terminated"] = self.terminated
        for address, each in self.accounts.items():
            name = address.hex()
            found[f"account {name}"] = (each.balance, each.frozen, each.encumbered + each.held, each.legal_hold)
            found[f"held {name}"] = each.held
            found[f"verified {name}"] = self.verified_until(address) >= block.time
            found[f"locked up {name}"] = (each.encumbered, 0, 0)
            found[f"position {each.identity.hex()}"] = self.position(each.identity)
            window = self.windows.get(each.identity, Window(0, 0))
            found[f"window {each.identity.hex()}"] = (window.units, window.since)
        for number, date in self.dates():
            found[f"supply at {number}"] = date.supply
            found |= {f"balance at {number} {address.hex()}": units for address, units in date.balances.items()}
        found |= {f"held cash {address.hex()}": self.held_cash.get(address, 0) for address in self.cash}
        found |= {f"cash {address.hex()}": balance for address, balance in self.cash.items()}
        return found | self.decided() | self.paid() | self.voted()
