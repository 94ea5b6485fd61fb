# SPDX-License-Identifier: Apache-2.0
"""The venue's parameters as one versioned record; its hash stands on every verdict."""

import hashlib

import msgspec

from stoken.domain.codes import InvestorClass, MatchingMode

_encoder = msgspec.msgpack.Encoder()


class Rulebook(msgspec.Struct, frozen=True, array_like=True):
    """What a venue decides for itself; field order is a stored format: only ever append."""

    matching: MatchingMode = MatchingMode.EQUAL_PRICE
    calendar_version: str = "2026-1"
    opens_at_minute: int = 9 * 60
    closes_at_minute: int = 15 * 60 + 30
    band_percent: int = 30
    first_day_lower_percent: int = 30
    first_day_upper_percent: int = 500
    #: (class, KRW a year); a class that is not listed has no limit.
    annual_limits: tuple[tuple[int, int], ...] = ((int(InvestorClass.GENERAL), 100_000_000),)
    settlement_cycle_days: int = 0
    settlement_margin_seconds: int = 3600
    licensed_types: tuple[str, ...] = ("BENEFICIARY_CERTIFICATE",)
    #: LEIs of parties whose instruments this venue may not trade.
    related_parties: tuple[str, ...] = ()

    def digest(self) -> bytes:
        """Return the hash by which verdicts name this rulebook."""
        return hashlib.sha256(_encoder.encode(self)).digest()
