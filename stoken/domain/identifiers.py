# SPDX-License-Identifier: Apache-2.0
"""Identifiers of the field and their check digits: ISIN (ISO 6166), LEI (ISO 17442) and DTI (ISO 24165)."""

import re

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
#: Digits and the consonants without Y, by their value.
_DTI_CHARACTERS = "0123456789BCDFGHJKLMNPQRSTVWXZ"
_DTI = re.compile(rf"[{_DTI_CHARACTERS[1:]}][{_DTI_CHARACTERS}]{{8}}")


def _digits(text: str) -> str:
    """Write letters as two digits: A is 10, Z is 35."""
    return "".join(str(int(character, 36)) for character in text)


def is_isin(text: str) -> bool:
    """Tell whether the text is an ISIN with the right check digit."""
    if not _ISIN.fullmatch(text):
        return False
    total = 0
    for place, digit in enumerate(reversed(_digits(text))):
        doubled = int(digit) * (1 + place % 2)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0


def is_lei(text: str) -> bool:
    """Tell whether the text is an LEI with the right check digits."""
    return bool(_LEI.fullmatch(text)) and int(_digits(text)) % 97 == 1


def is_dti(text: str) -> bool:
    """Tell whether the text is a digital token identifier with the right check character."""
    if not _DTI.fullmatch(text):
        return False
    count = len(_DTI_CHARACTERS)
    # The hybrid system MOD 31,30 of ISO/IEC 7064.
    product = count
    for character in text[:-1]:
        product = ((product + _DTI_CHARACTERS.index(character)) % count or count) * 2 % (count + 1)
    return (product + _DTI_CHARACTERS.index(text[-1])) % count == 1


def member_id(lei: str) -> bytes:
    """Return the member id of an institution on chain: its LEI's twenty characters."""
    if not is_lei(lei):
        raise ValueError(f"{lei!r} is not an LEI")
    return lei.encode("ascii")
