# SPDX-License-Identifier: Apache-2.0
"""Problems: one form for every error."""

import json

import pytest

from stoken.domain.refusals import REFUSALS, Refusal
from stoken.errors import InvalidInputError, LedgerUnavailableError, RefusedError, StokenError, UnauthenticatedError
from stoken.gateway.problems import MEDIA_TYPE, known_codes, render


class TestRender:
    def test_a_refusal_carries_code_title_and_what_decided(self) -> None:
        response = render(RefusedError(Refusal.TICK_INVALID, details={"price": "5001", "block_number": 7}))
        body = json.loads(response.body)
        assert response.status_code == 422
        assert response.media_type == MEDIA_TYPE
        assert body == {
            "type": "/problems/TICK_INVALID",
            "title": REFUSALS[Refusal.TICK_INVALID].title,
            "status": 422,
            "detail": REFUSALS[Refusal.TICK_INVALID].title,
            "code": "TICK_INVALID",
            "details": {"price": "5001", "block_number": 7},
        }

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (RefusedError(Refusal.DUPLICATE_ORDER), 409),
            (RefusedError(Refusal.RATE_LIMITED), 429),
            (RefusedError(Refusal.LEDGER_UNAVAILABLE), 503),
            (LedgerUnavailableError(), 503),
            (InvalidInputError("isin: missing"), 400),
            (UnauthenticatedError(), 401),
            (StokenError(), 500),
        ],
    )
    def test_each_kind_has_its_status(self, error: StokenError, status: int) -> None:
        response = render(error)
        assert response.status_code == json.loads(response.body)["status"] == status

    def test_who_may_come_back_is_told_when(self) -> None:
        assert render(LedgerUnavailableError()).headers["retry-after"] == "1"
        assert render(UnauthenticatedError()).headers["www-authenticate"] == "Bearer"


class TestKnownCodes:
    def test_every_refusal_and_every_error_has_a_page(self) -> None:
        codes = known_codes()
        assert set(Refusal.__members__) < set(codes)
        assert {"NOT_FOUND", "INVALID_INPUT", "UNAUTHENTICATED", "METHOD_NOT_ALLOWED", "INTERNAL"} < set(codes)
