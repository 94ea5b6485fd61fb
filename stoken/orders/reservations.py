# SPDX-License-Identifier: Apache-2.0
"""What is promised and not yet settled: units of sellers, cash of buyers, purchases by identity; never below zero.

An order reserves at acceptance; a match moves reserved to in flight; a final block that settles the trade clears it.
"""

from stoken.domain.facts import Address


class Promise:
    """Reserved by open orders, and in flight between match and settlement."""

    __slots__ = ("in_flight", "reserved")

    def __init__(self) -> None:
        """Start with nothing promised."""
        self.reserved = 0
        self.in_flight = 0

    @property
    def committed(self) -> int:
        """Return what no further order may count on."""
        return self.reserved + self.in_flight

    def reserve(self, amount: int) -> None:
        """Promise more; a negative amount gives back what was reserved."""
        self.reserved = _not_negative(self.reserved + amount)

    def match(self, reserved: int, due: int) -> None:
        """Turn a reservation into what the trade will take: no more than was reserved."""
        self.reserved = _not_negative(self.reserved - reserved)
        self.in_flight += due

    def settle(self, amount: int) -> None:
        """Clear what a final block has moved."""
        self.in_flight = _not_negative(self.in_flight - amount)


class Cash(Promise):
    """Cash of one investor or of one account in the deposit token; `allocated` is the sub-ledger's balance."""

    __slots__ = ("allocated",)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.allocated = 0


def _not_negative(value: int) -> int:
    if value < 0:
        raise AssertionError("a reservation went below zero")
    return value


class Reservations:
    """All promises of the venue."""

    __slots__ = ("_buying", "_cash", "_pools", "_units")

    def __init__(self) -> None:
        """Start with nothing promised."""
        self._units: dict[tuple[Address, Address], Promise] = {}
        self._buying: dict[Address, dict[Address, Promise]] = {}
        self._cash: dict[Address, Cash] = {}
        self._pools: dict[Address, Cash] = {}

    def units(self, token: Address, account: Address) -> Promise:
        """Return what a selling account has promised of a token."""
        key = (token, account)
        promise = self._units.get(key)
        if promise is None:
            promise = self._units[key] = Promise()
        return promise

    def reserved_units(self, token: Address, account: Address) -> int:
        """Return what open orders of an account promise of a token."""
        promise = self._units.get((token, account))
        return 0 if promise is None else promise.reserved

    def reserved_cash(self, cash_account: Address) -> int:
        """Return what open orders promise of an account of the deposit token."""
        pool = self._pools.get(cash_account)
        return 0 if pool is None else pool.reserved

    def buying(self, token: Address, identity: Address) -> Promise:
        """Return what an identity has open or in flight to buy of a token."""
        promises = self._buying.setdefault(token, {})
        promise = promises.get(identity)
        if promise is None:
            promise = promises[identity] = Promise()
        return promise

    def buyers(self, token: Address) -> list[Address]:
        """Return the identities that have buys of a token open or in flight."""
        return [identity for identity, promise in self._buying.get(token, {}).items() if promise.committed]

    def cash(self, account: Address) -> Cash:
        """Return an investor's sub-account of cash."""
        cash = self._cash.get(account)
        if cash is None:
            cash = self._cash[account] = Cash()
        return cash

    def pool(self, cash_account: Address) -> Cash:
        """Return what all investors behind one account of the deposit token have together."""
        pool = self._pools.get(cash_account)
        if pool is None:
            pool = self._pools[cash_account] = Cash()
        return pool
