# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests come back from storage as they went in."""

import pytest

from stoken.chain.statements import (
    Act,
    CashAccount,
    CashEntry,
    Encumber,
    KeyChange,
    MemberKey,
    Onboarding,
    OnboardingBatch,
)
from stoken.parties.requests import (
    ActRequest,
    Body,
    CashAccountRequest,
    CashCreditRequest,
    CashDebitRequest,
    EncumberRequest,
    KeyChangeRequest,
    OnboardRequest,
    decode,
    encode,
    kind_of,
)

ADDRESS, HASH, SIGNATURE, LARGEST = b"\xff" * 20, b"\xfe" * 32, b"\x80" * 65, 2**256 - 1
MEMBER = b"ZZZZ0000000000001665"

BODIES: list[tuple[str, Body]] = [
    ("act", ActRequest(Act(ADDRESS, b"\x00data", HASH, HASH, LARGEST, 1), (SIGNATURE, SIGNATURE))),
    (
        "onboard",
        OnboardRequest(
            OnboardingBatch(MEMBER, ADDRESS, LARGEST, 1, (Onboarding(ADDRESS, ADDRESS, 410, 1, 1, 2**64 - 1, 9),)),
            SIGNATURE,
            SIGNATURE,
        ),
    ),
    ("cash_account", CashAccountRequest(CashAccount(ADDRESS, MEMBER, 1, LARGEST, 1), SIGNATURE)),
    ("cash_credit", CashCreditRequest(CashEntry(ADDRESS, 2**63 - 1, HASH, 1), SIGNATURE)),
    ("cash_debit", CashDebitRequest(CashEntry(ADDRESS, 1, HASH, 1), SIGNATURE)),
    (
        "encumber",
        EncumberRequest(Encumber(HASH, ADDRESS, 2**63 - 1, ADDRESS, 0, 2, ADDRESS, HASH, 1), SIGNATURE, b""),
    ),
    (
        "key_change",
        KeyChangeRequest(
            KeyChange(MEMBER, (MemberKey(ADDRESS, 2, 0, 9),), (ADDRESS,), (), LARGEST, 1), (SIGNATURE, SIGNATURE)
        ),
    ),
]


class TestEncode:
    @pytest.mark.parametrize(("kind", "body"), BODIES, ids=[kind for kind, _ in BODIES])
    def test_a_body_comes_back_as_it_went_in(self, kind: str, body: Body) -> None:
        assert decode(encode(body)) == body
        assert kind_of(body) == kind
