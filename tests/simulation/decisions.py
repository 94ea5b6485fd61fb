# SPDX-License-Identifier: Apache-2.0
"""The model's half for what an issue decides: splits and merges account by account, and ballots by record date."""

from collections.abc import Mapping, Sequence

from tests.simulation.later_day import LaterDay
from tests.simulation.terms import Ballot, Block, Conversion, Lockup, Refusal, Vote

_OPTIONS_MAX = 32

Records = Mapping[bytes, Lockup]


class Decisions(LaterDay):
    """One issue, its investors, and the cash of their brokers."""

    def start(self, key: bytes, conversion: Conversion) -> Refusal | None:
        """Begin a split or merge of a paused issue."""
        supply = self.supply * conversion.numerator // conversion.denominator
        if key in self.conversions:
            return "ConversionsIdUsed", (key,)
        if conversion.numerator == conversion.denominator:
            return "ConversionsRatioInvalid", (conversion.numerator, conversion.denominator)
        if self.running:
            return "ConversionsBusy", (conversion.token, self.running)
        if not self.paused:
            return "ConversionsNotPaused", (conversion.token,)
        if supply > self.registered:
            return "SupplyCapExceeded", (self.registered, supply)
        self.conversions[key], self.running = conversion, key
        conversion.supply = self.supply
        return None

    def convert(self, key: bytes, address: bytes, records: Records) -> Refusal | None:
        """Convert an account with everything that holds its units back, each part cut by itself."""
        refusal = self._unconvertible(key, address, records)
        if refusal is not None:
            return refusal
        conversion, account = self.conversions[key], self.account(address)
        balance = conversion.of(account.balance)
        refusal = self._unscalable(balance - account.balance)
        if refusal is not None:
            return refusal
        conversion.done.add(address)
        conversion.converted += account.balance
        conversion.cut += account.balance * conversion.numerator % conversion.denominator
        for each, lockup in records.items():
            self._rescale(each, lockup, conversion.of(lockup.units))
        if account.identity:
            self.supply += balance - account.balance
            account.balance, account.frozen = balance, conversion.of(account.frozen)
            account.encumbered = sum(conversion.of(each.units) for each in records.values())
        return None

    def _unconvertible(self, key: bytes, address: bytes, records: Records) -> Refusal | None:
        if self.running != key:
            return "ConversionsIdUnknown", (key,)
        if address in self.conversions[key].done:
            return "ConversionsAccountConverted", (key, address)
        for each, lockup in records.items():
            if self.holder(lockup.account) != address or self.lockups.get(each) != lockup:
                return "EncumbrancesIdUnknown", (each,)
        account, told = self.account(address), sum(each.units for each in records.values())
        if told != account.encumbered + account.held:
            return "ConversionQuantityMismatch", (account.encumbered + account.held, told)
        return None

    def _unscalable(self, units: int) -> Refusal | None:
        if not self.paused:
            return "SecurityTokenNotPaused", ()
        if self.terminated:
            return "InstrumentTerminated", ()
        if units > 0 and self.supply + units > self.registered:
            return "SupplyCapExceeded", (self.registered, self.supply + units)
        return None

    def _rescale(self, key: bytes, lockup: Lockup, units: int) -> None:
        if units:
            self.lockups[key] = lockup._replace(units=units)
        else:
            del self.lockups[key]
            self.released.add(key)

    def finish(self, key: bytes) -> Refusal | None:
        """Credit the whole units of what was cut, and end a conversion that adds up."""
        if self.running != key:
            return "ConversionsIdUnknown", (key,)
        conversion = self.conversions[key]
        if conversion.converted != conversion.supply:
            return "ConversionQuantityMismatch", (conversion.supply, conversion.converted)
        residue, expected = conversion.cut // conversion.denominator, conversion.of(conversion.supply)
        refusal = self._unscalable(residue) if residue else None
        if refusal is None and self.supply + residue != expected:
            refusal = "ConversionQuantityMismatch", (expected, self.supply + residue)
        if refusal is None:
            self.accounts[conversion.residue].balance += residue
            self.supply += residue
            self._over(conversion)
        return refusal

    def abandon(self, key: bytes) -> Refusal | None:
        """End a conversion that converted no unit."""
        if self.running != key:
            return "ConversionsIdUnknown", (key,)
        conversion = self.conversions[key]
        if conversion.converted:
            return "ConversionQuantityMismatch", (0, conversion.converted)
        self._over(conversion)
        return None

    def _over(self, conversion: Conversion) -> None:
        conversion.finished, self.running = True, b""

    def put(self, key: bytes, ballot: Ballot, block: Block) -> Refusal | None:
        """Put a question to those who held the issue at a record date."""
        if key in self.ballots:
            return "BallotIdUsed", (key,)
        if not 1 < ballot.options <= _OPTIONS_MAX or ballot.opens < block.time or ballot.closes <= ballot.opens:
            return "BallotQuestionInvalid", (key,)
        if not 0 < ballot.record <= len(self.record_dates):
            return "CaRecordDateInvalid", (ballot.record,)
        self.ballots[key] = ballot
        return None

    def bar(self, key: bytes, address: bytes, units: int, block: Block) -> Refusal | None:
        """Bar units from a vote that has not opened."""
        ballot = self.ballots.get(key)
        if ballot is None:
            return "BallotIdUnknown", (key,)
        if block.time >= ballot.opens:
            return "BallotAlreadyOpen", (ballot.opens, block.time)
        ballot.barred[address] = units
        return None

    def vote(self, key: bytes, address: bytes, vote: Vote, broker: bytes, block: Block) -> Refusal | None:
        """Cast an account's vote, or replace it by one of a later sequence."""
        ballot = self.ballots.get(key)
        if ballot is None:
            return "BallotIdUnknown", (key,)
        refusal = _closed(ballot, vote, block) or self._unentitled(ballot, address, vote, broker)
        if refusal is None:
            held = self.record_dates[ballot.record - 1].balances[address]
            ballot.votes[address] = vote._replace(weight=held - ballot.barred.get(address, 0))
        return refusal

    def _unentitled(self, ballot: Ballot, address: bytes, vote: Vote, broker: bytes) -> Refusal | None:
        if self.account(address).broker != broker:
            return "NotAccountManager", (address, broker)
        if vote.sequence <= ballot.votes.get(address, Vote()).sequence:
            return "NonceReplayed", (address, vote.sequence)
        held = self.record_dates[ballot.record - 1].balances[address]
        if not held:
            return "InsufficientSecurities", (address, 0, 1)
        return ("SecuritiesRestricted", (address, 0, held)) if held <= ballot.barred.get(address, 0) else None

    def decided(self) -> dict[str, object]:
        """Return what is compared of the latest decisions."""
        found: dict[str, object] = {}
        for key, each in self.latest_conversions():
            terms = (each.token, each.numerator, each.denominator, each.residue, each.document)
            found[f"conversion {key.hex()}"] = (terms, each.supply, each.converted, each.finished)
        for key, ballot in self.latest_ballots():
            supply = self.record_dates[ballot.record - 1].supply
            units = tuple(
                sum(vote.weight for vote in ballot.votes.values() if vote.option == option)
                for option in range(ballot.options)
            )
            found[f"tally {key.hex()}"] = (units, supply)
            for address in self.accounts:
                found[f"vote {key.hex()} {address.hex()}"] = tuple(ballot.votes.get(address, Vote()))
        return found

    def latest_conversions(self) -> Sequence[tuple[bytes, Conversion]]:
        """Return the conversions that are compared."""
        return list(self.conversions.items())[-2:]

    def latest_ballots(self) -> Sequence[tuple[bytes, Ballot]]:
        """Return the ballots that are compared."""
        return list(self.ballots.items())[-2:]


def _closed(ballot: Ballot, vote: Vote, block: Block) -> Refusal | None:
    if block.time < ballot.opens:
        return "BallotNotOpen", (ballot.opens, block.time)
    if block.time > ballot.closes:
        return "TooLate", (ballot.closes, block.time)
    return ("BallotOptionUnknown", (vote.option, ballot.options)) if vote.option >= ballot.options else None
