# SPDX-License-Identifier: Apache-2.0
"""The annual limit of net purchases: per person (keyed pseudonym) and year, across brokers, open buys included."""

from collections.abc import Mapping
from typing import NamedTuple


class _Purchases:
    """What one person bought, sold and has open to buy in one year, in KRW."""

    __slots__ = ("bought", "reserved", "sold")

    def __init__(self) -> None:
        self.bought = 0
        self.sold = 0
        self.reserved = 0

    def used(self) -> int:
        """Sales beyond purchases do not raise the limit: the net is never below zero."""
        return max(0, self.bought - self.sold)


class LimitUse(NamedTuple):
    """Where a person stands against the limit of a year."""

    limit: int
    used: int
    reserved: int

    @property
    def remaining(self) -> int:
        """Return what may still be bought."""
        return max(0, self.limit - self.used - self.reserved)


class AnnualLimits:
    """The net purchases of every person and year that traded."""

    def __init__(self, limits: Mapping[int, int]) -> None:
        """Take the limit in KRW by investor class; a class without a row has none."""
        self.limits = dict(limits)
        self._people: dict[tuple[bytes, int], _Purchases] = {}

    def use(self, pseudonym: bytes, year: int, investor_class: int) -> LimitUse | None:
        """Return where a person stands, or None where the class has no limit."""
        limit = self.limits.get(investor_class)
        if limit is None:
            return None
        purchases = self._of(pseudonym, year)
        return LimitUse(limit, purchases.used(), purchases.reserved)

    def reserve(self, pseudonym: bytes, year: int, amount: int) -> None:
        """Count an open buy order; a negative amount takes it off again."""
        self._of(pseudonym, year).reserved += amount

    def buy(self, pseudonym: bytes, year: int, amount: int) -> None:
        """Count a purchase."""
        self._of(pseudonym, year).bought += amount

    def sell(self, pseudonym: bytes, year: int, amount: int) -> None:
        """Count a sale."""
        self._of(pseudonym, year).sold += amount

    def _of(self, pseudonym: bytes, year: int) -> _Purchases:
        key = (pseudonym, year)
        purchases = self._people.get(key)
        if purchases is None:
            purchases = self._people[key] = _Purchases()
        return purchases
