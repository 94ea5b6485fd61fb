# SPDX-License-Identifier: Apache-2.0
"""Ticks, bands and reference prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoken.domain.bands import day_band, first_day_band, reference_price
from stoken.domain.quantities import AMOUNT_MAX, is_amount, parse_amount
from stoken.domain.ticks import round_down, round_up, tick_at

PRICES = st.integers(1, 10_000_000)


class TestTicks:
    @pytest.mark.parametrize(
        ("price", "tick"),
        [
            (1, 1), (1_999, 1), (2_000, 5), (4_999, 5), (5_000, 10), (19_999, 10), (20_000, 50), (49_999, 50),
            (50_000, 100), (199_999, 100), (200_000, 500), (499_999, 500), (500_000, 1_000), (9_999_999, 1_000),
        ],
    )  # fmt: skip
    def test_the_table_of_k_otc(self, price: int, tick: int) -> None:
        assert tick_at(price) == tick

    @given(PRICES)
    def test_rounding_gives_the_nearest_valid_prices(self, price: int) -> None:
        low, high = round_down(price), round_up(price)
        assert low <= price <= high
        assert low % tick_at(low) == 0
        assert high % tick_at(high) == 0
        assert all(between % tick_at(between) for between in range(low + 1, high) if between != price)


class TestBands:
    @pytest.mark.parametrize(
        ("reference", "band"),
        [
            (5_000, (3_500, 6_500)),
            (4_870, (3_410, 6_330)),
            (1_999, (1_400, 2_595)),
            (1, (1, 1)),
            (2_857, (2_000, 3_710)),
        ],
    )
    def test_the_upper_limit_rounds_down_and_the_lower_up(self, reference: int, band: tuple[int, int]) -> None:
        assert day_band(reference, 30) == band

    @given(PRICES)
    def test_both_limits_are_valid_prices_within_the_percentage(self, reference: int) -> None:
        band = day_band(reference, 30)
        assert band.lower * 100 >= reference * 70
        assert band.upper * 100 <= reference * 130
        assert band.lower % tick_at(band.lower) == 0
        assert band.upper % tick_at(band.upper) == 0

    def test_the_first_day_takes_the_net_asset_value(self) -> None:
        assert first_day_band(5_000, 30, 500) == (1_500, 25_000)


class TestReferencePrice:
    def test_it_is_the_volume_weighted_average_rounded_half_up(self) -> None:
        assert reference_price(5_000 * 10 + 5_010 * 10, 20, 1) == 5_005
        assert reference_price(5_001 + 5_002, 2, 1) == 5_002
        assert reference_price(10_000, 3, 1) == 3_333

    def test_without_trades_it_is_carried_over(self) -> None:
        assert reference_price(0, 0, 4_870) == 4_870


class TestAmounts:
    def test_they_fit_63_bits(self) -> None:
        assert is_amount(0)
        assert is_amount(AMOUNT_MAX)
        assert not is_amount(AMOUNT_MAX + 1)
        assert not is_amount(-1)

    def test_decimal_strings_are_read(self) -> None:
        assert parse_amount("9223372036854775807") == AMOUNT_MAX

    @pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", " 1", "٣", "9223372036854775808", "9" * 30])
    def test_anything_else_is_not(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"whole number|exceeds"):
            parse_amount(text)
