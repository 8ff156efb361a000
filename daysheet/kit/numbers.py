"""Whole numbers as addresses and forms carry them: pages, years, counts, invoice numbers."""

from __future__ import annotations

#: Of the digits of a number that is read at all: fewer than any column of the database holds.
_MOST_DIGITS = 18
#: Where a list ends: nobody turns to a later page by hand.
_LAST_PAGE = 100_000


def whole_number(text: str | None, *, most: int) -> int | None:
    """`text` as a number from 0 to `most`; None where it is none or larger. "²" and five thousand ones are digits to
    Python as well, but `int()` refuses them."""
    if not text or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= most else None


def page_from(text: str | None) -> int:
    """The page of a list that is asked for, from 1; nonsense is the first."""
    return whole_number(text, most=_LAST_PAGE) or 1
