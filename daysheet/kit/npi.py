"""National Provider Identifiers: ten digits, the last a Luhn check digit over the prefix 80840 (45 CFR 162.406)."""

from __future__ import annotations

import re

# The prefix 80840 contributes a constant 24 to the Luhn sum.
_PREFIX_SUM = 24


def is_npi(text: str) -> bool:
    """Whether `text` is ten digits with a right check digit, beginning with 1 or 2."""
    if not re.fullmatch(r"[12][0-9]{9}", text):
        return False
    return npi_check_digit(text[:9]) == text[9]


def npi_check_digit(first_nine: str) -> str:
    """The tenth digit for nine digits."""
    luhn = _PREFIX_SUM
    for position, char in enumerate(reversed(first_nine)):
        digit = int(char)
        if position % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        luhn += digit
    return str(-luhn % 10)
