# SPDX-License-Identifier: Apache-2.0
"""The market's days and sessions in Asia/Seoul, in integer arithmetic: no clock is read here."""

from datetime import date, timedelta
from enum import StrEnum

#: Korea has kept UTC+9 without summer time since 1988, so a constant is exact and needs no zone data.
SEOUL_OFFSET_SECONDS = 9 * 3600
DAY_SECONDS = 86_400
NANOSECONDS = 1_000_000_000
#: The last instant that these functions take: dates end soon after.
INSTANT_MAX = 253_000_000_000
_EPOCH = date(1970, 1, 1)
_SATURDAY = 5

#: Exchange holidays (Asia/Seoul) by calendar version: public holidays, substitute days, Labour Day, year end.
_HOLIDAYS_2026_1 = """
2026-01-01 2026-02-16 2026-02-17 2026-02-18 2026-03-02 2026-05-01 2026-05-05 2026-05-25 2026-06-03 2026-08-17
2026-09-24 2026-09-25 2026-10-05 2026-10-09 2026-12-25 2026-12-31
2027-01-01 2027-02-08 2027-02-09 2027-03-01 2027-05-05 2027-05-13 2027-08-16 2027-09-14 2027-09-15 2027-09-16
2027-10-04 2027-10-11 2027-12-27 2027-12-31
"""
HOLIDAYS: dict[str, frozenset[date]] = {
    "2026-1": frozenset(map(date.fromisoformat, _HOLIDAYS_2026_1.split())),
    "NONE": frozenset(),
}


class Session(StrEnum):
    """What the market does; orders are taken in OPEN only."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


def market_date(instant_seconds: int) -> date:
    """Return the date in Seoul at a UTC instant."""
    return _EPOCH + timedelta(days=(instant_seconds + SEOUL_OFFSET_SECONDS) // DAY_SECONDS)


def midnight(day: date) -> int:
    """Return the UTC second at which a date begins in Seoul."""
    return (day - _EPOCH).days * DAY_SECONDS - SEOUL_OFFSET_SECONDS


class Calendar:
    """Sessions of one calendar version with its opening and closing minute."""

    def __init__(self, version: str, opens_at_minute: int, closes_at_minute: int) -> None:
        """Take the version of the holiday list; raises ValueError where it is not known."""
        if version not in HOLIDAYS:
            raise ValueError(f"calendar {version!r} is not known")
        self._holidays = HOLIDAYS[version]
        self._opens = opens_at_minute * 60
        self._closes = closes_at_minute * 60

    def is_business_day(self, day: date) -> bool:
        """Tell whether the market opens on a date."""
        return day.weekday() < _SATURDAY and day not in self._holidays

    def session(self, instant_seconds: int) -> tuple[Session, int]:
        """Return the session at an instant and the second at which the next one may begin."""
        day = market_date(instant_seconds)
        start = midnight(day)
        if self.is_business_day(day):
            if instant_seconds < start + self._opens:
                return Session.PRE_OPEN, start + self._opens
            if instant_seconds < start + self._closes:
                return Session.OPEN, start + self._closes
        return Session.CLOSED, start + DAY_SECONDS

    def add_business_days(self, day: date, count: int) -> date:
        """Return the date `count` business days later."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_business_day(day)
        return day

    def settle_by_least(self, tradable_until: int, cycle_days: int, margin_seconds: int) -> int:
        """Return the earliest deadline of settlement that an order tradable until an instant may name."""
        if cycle_days == 0:
            return tradable_until + margin_seconds
        traded = market_date(tradable_until)
        wait = (self.add_business_days(traded, cycle_days) - traded).days
        return tradable_until + wait * DAY_SECONDS + margin_seconds
