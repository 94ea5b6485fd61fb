# SPDX-License-Identifier: Apache-2.0
"""The annual limit of net purchases."""

from stoken.domain.limits import AnnualLimits, LimitUse


class TestAnnualLimits:
    def test_sales_reduce_what_is_used_to_zero_and_no_further(self) -> None:
        limits = AnnualLimits({1: 100})
        limits.buy(b"a", 2026, 60)
        limits.sell(b"a", 2026, 20)
        assert limits.use(b"a", 2026, 1) == LimitUse(100, 40, 0)
        limits.sell(b"a", 2026, 90)
        assert limits.use(b"a", 2026, 1) == LimitUse(100, 0, 0)

    def test_open_orders_count_and_nothing_is_left_below_zero(self) -> None:
        limits = AnnualLimits({1: 100})
        limits.reserve(b"a", 2026, 130)
        use = limits.use(b"a", 2026, 1)
        assert use is not None
        assert (use.reserved, use.remaining) == (130, 0)
        limits.reserve(b"a", 2026, -130)
        assert limits.use(b"a", 2026, 1) == LimitUse(100, 0, 0)

    def test_years_and_people_are_apart_and_other_classes_free(self) -> None:
        limits = AnnualLimits({1: 100})
        limits.buy(b"a", 2026, 60)
        assert limits.use(b"a", 2027, 1) == LimitUse(100, 0, 0)
        assert limits.use(b"b", 2026, 1) == LimitUse(100, 0, 0)
        assert limits.use(b"a", 2026, 2) is None
