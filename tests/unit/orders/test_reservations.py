# SPDX-License-Identifier: Apache-2.0
"""Promises: reserved, in flight, settled, and never below zero."""

import pytest

from stoken.orders.reservations import Promise, Reservations


class TestPromise:
    def test_it_moves_from_reserved_to_in_flight_to_nothing(self) -> None:
        promise = Promise()
        promise.reserve(100)
        promise.match(60, 55)
        assert (promise.reserved, promise.in_flight, promise.committed) == (40, 55, 95)
        promise.settle(55)
        promise.reserve(-40)
        assert promise.committed == 0

    def test_more_than_was_promised_is_an_error_in_the_venue_itself(self) -> None:
        promise = Promise()
        with pytest.raises(AssertionError):
            promise.reserve(-1)
        with pytest.raises(AssertionError):
            promise.match(1, 1)
        with pytest.raises(AssertionError):
            promise.settle(1)


class TestReservations:
    def test_buyers_are_those_with_something_open_or_in_flight(self) -> None:
        reservations = Reservations()
        reservations.buying(b"t", b"a").reserve(5)
        reservations.buying(b"t", b"b").reserve(5)
        reservations.buying(b"t", b"b").reserve(-5)
        assert reservations.buyers(b"t") == [b"a"]
        assert reservations.buyers(b"u") == []
