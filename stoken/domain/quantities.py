# SPDX-License-Identifier: Apache-2.0
"""Money and units are integers that fit 63 bits, so that every database column and sum holds them."""

AMOUNT_MAX = 2**63 - 1


def is_amount(value: int) -> bool:
    """Tell whether a value of money or units fits the gateway and its database."""
    return 0 <= value <= AMOUNT_MAX


def parse_amount(text: str) -> int:
    """Read a decimal string of JSON; raises ValueError unless it is a plain integer within 63 bits."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(AMOUNT_MAX))):
        raise ValueError(f"{text!r} is not a whole number")
    value = int(text)
    if not is_amount(value):
        raise ValueError(f"{text} exceeds {AMOUNT_MAX}")
    return value
