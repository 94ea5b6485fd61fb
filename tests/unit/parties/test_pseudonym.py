# SPDX-License-Identifier: Apache-2.0
"""The keyed pseudonym: the same person everywhere at one venue, nobody without the key."""

import pytest

from stoken.parties.pseudonym import Pseudonyms

KEY = bytes(range(32))
CI = "a person's connecting information"


class TestPseudonyms:
    def test_a_person_has_one_pseudonym_at_every_broker(self) -> None:
        assert Pseudonyms("2026-1", KEY).of(CI) == Pseudonyms("2026-1", KEY).of(CI)

    def test_another_person_key_or_key_id_gives_another(self) -> None:
        pseudonyms = {
            Pseudonyms("2026-1", KEY).of(CI),
            Pseudonyms("2026-1", KEY).of(CI + "2"),
            Pseudonyms("2026-2", KEY).of(CI),
            Pseudonyms("2026-1", KEY[::-1]).of(CI),
        }
        assert len(pseudonyms) == 4
        assert all(len(pseudonym) == 32 for pseudonym in pseudonyms)

    def test_a_short_key_is_refused(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Pseudonyms("2026-1", b"short")
