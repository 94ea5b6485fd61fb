# SPDX-License-Identifier: Apache-2.0
"""The prices of a day: reference price, its band, and the wider band of the first day."""

from typing import NamedTuple

from stoken.domain.ticks import round_down, round_up


class Band(NamedTuple):
    """Lowest and highest price that an order may name."""

    lower: int
    upper: int


def day_band(reference_price: int, percent: int) -> Band:
    """Return the band around a reference price: the upper limit rounded down to its tick, the lower up."""
    return _band(reference_price, 100 - percent, 100 + percent)


def first_day_band(net_asset_value: int, lower_percent: int, upper_percent: int) -> Band:
    """Return the band of an instrument that has no reference price yet, from its net asset value a unit."""
    return _band(net_asset_value, lower_percent, upper_percent)


def _band(base: int, lower_percent: int, upper_percent: int) -> Band:
    # The lower limit rounds up twice, to the won and to the tick, so that it never lies below the percentage.
    lower = round_up(-(-base * lower_percent // 100))
    upper = round_down(base * upper_percent // 100)
    return Band(max(lower, 1), upper)


def reference_price(value: int, quantity: int, carried: int) -> int:
    """Return the volume-weighted average of a day rounded half up to the won; without trades, the price carried."""
    if quantity == 0:
        return carried
    return (2 * value + quantity) // (2 * quantity)
