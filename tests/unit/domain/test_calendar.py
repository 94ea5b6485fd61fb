# SPDX-License-Identifier: Apache-2.0
"""Sessions and business days in Seoul."""

from datetime import UTC, date, datetime

import pytest

from stoken.domain.calendar import Calendar, Session, market_date, midnight

KRX = Calendar("2026-1", 540, 930)


def seoul(text: str) -> int:
    return int(datetime.fromisoformat(text + "+09:00").timestamp())


class TestSession:
    @pytest.mark.parametrize(
        ("at", "session", "until"),
        [
            ("2026-12-01T00:00:00", Session.PRE_OPEN, "2026-12-01T09:00:00"),
            ("2026-12-01T08:59:59", Session.PRE_OPEN, "2026-12-01T09:00:00"),
            ("2026-12-01T09:00:00", Session.OPEN, "2026-12-01T15:30:00"),
            ("2026-12-01T15:29:59", Session.OPEN, "2026-12-01T15:30:00"),
            ("2026-12-01T15:30:00", Session.CLOSED, "2026-12-02T00:00:00"),
            ("2026-12-05T10:00:00", Session.CLOSED, "2026-12-06T00:00:00"),  # Saturday
            ("2026-12-25T10:00:00", Session.CLOSED, "2026-12-26T00:00:00"),
        ],
    )
    def test_each_instant_has_one(self, at: str, session: Session, until: str) -> None:
        assert KRX.session(seoul(at)) == (session, seoul(until))

    def test_an_unknown_version_is_refused(self) -> None:
        with pytest.raises(ValueError, match="is not known"):
            Calendar("1999-1", 540, 930)


class TestDates:
    def test_the_day_changes_at_midnight_in_seoul(self) -> None:
        assert market_date(int(datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC).timestamp())) == date(2026, 11, 30)
        assert market_date(int(datetime(2026, 11, 30, 15, 0, tzinfo=UTC).timestamp())) == date(2026, 12, 1)
        assert midnight(date(2026, 12, 1)) == seoul("2026-12-01T00:00:00")

    def test_business_days_skip_weekends_and_holidays(self) -> None:
        assert KRX.add_business_days(date(2026, 12, 24), 1) == date(2026, 12, 28)
        assert KRX.add_business_days(date(2026, 12, 24), 0) == date(2026, 12, 24)

    def test_the_deadline_of_settlement_counts_business_days(self) -> None:
        friday = seoul("2026-12-04T10:00:00")
        assert KRX.settle_by_least(friday, 0, 3600) == friday + 3600
        assert KRX.settle_by_least(friday, 2, 3600) == seoul("2026-12-08T11:00:00")
