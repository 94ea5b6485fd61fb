# SPDX-License-Identifier: Apache-2.0
"""The K-OTC tick table: the step between valid prices grows with the price."""

#: (prices below this, tick); above the last row the tick is TICK_ABOVE.
TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
TICK_ABOVE = 1_000


def tick_at(price: int) -> int:
    """Return the tick valid at a price."""
    for below, tick in TICKS:
        if price < below:
            return tick
    return TICK_ABOVE


def round_down(price: int) -> int:
    """Return the highest valid price that is not above."""
    return price - price % tick_at(price)


def round_up(price: int) -> int:
    """Return the lowest valid price that is not below.

    Every boundary of the table is a multiple of the tick on both sides, so stepping onto one stays valid.
    """
    return price + -price % tick_at(price)
