# SPDX-License-Identifier: Apache-2.0
"""Check digits of ISIN, LEI and DTI."""

import pytest

from stoken.domain.identifiers import is_dti, is_isin, is_lei, member_id


class TestIsIsin:
    @pytest.mark.parametrize("isin", ["US0378331005", "KR7005930003", "ZZBUSANPL019", "AU0000XVGZA3"])
    def test_right_check_digits_are_taken(self, isin: str) -> None:
        assert is_isin(isin)

    @pytest.mark.parametrize(
        "isin", ["US0378331006", "us0378331005", "US037833100", "", "US03783310050", "KR700593000X"]
    )
    def test_anything_else_is_not(self, isin: str) -> None:
        assert not is_isin(isin)

    def test_one_wrong_digit_is_always_found(self) -> None:
        for place in range(2, 12):
            for digit in "0123456789":
                text = "ZZ0000000000"[:place] + digit + "ZZ0000000000"[place + 1 :]
                right = [check for check in "0123456789" if is_isin(text[:11] + check)]
                assert len(right) == 1


class TestIsLei:
    @pytest.mark.parametrize("lei", ["5493001KJTIIGC8Y1R12", "ZZZZ0000000000000113"])
    def test_right_check_digits_are_taken(self, lei: str) -> None:
        assert is_lei(lei)

    @pytest.mark.parametrize("lei", ["ZZZZ0000000000000114", "ZZZZ00000000000001", "zzzz0000000000000113"])
    def test_anything_else_is_not(self, lei: str) -> None:
        assert not is_lei(lei)


class TestIsDti:
    #: Identifiers that were assigned.
    @pytest.mark.parametrize(
        "dti", ["X9J9K872S", "14CCHV9R7", "17002NH5Z", "20J63Z4N3", "2QWSBDMNC", "31J1K641M", "37QP0NB0G", "W0HBX7RC4"]
    )
    def test_right_check_characters_are_taken_and_no_other(self, dti: str) -> None:
        assert [last for last in "0123456789BCDFGHJKLMNPQRSTVWXZ" if is_dti(dti[:-1] + last)] == [dti[-1]]

    @pytest.mark.parametrize("dti", ["09J9K872S", "x9J9K872S", "X9J9Y872S", "X9J9K872", "X9J9K872S0", "9XJ9K872S", ""])
    def test_anything_else_is_not(self, dti: str) -> None:
        assert not is_dti(dti)


class TestMemberId:
    def test_it_is_the_leis_characters(self) -> None:
        assert member_id("ZZZZ0000000000000113") == b"ZZZZ0000000000000113"

    def test_what_is_no_lei_has_none(self) -> None:
        with pytest.raises(ValueError, match="is not an LEI"):
            member_id("ZZZZ0000000000000114")
