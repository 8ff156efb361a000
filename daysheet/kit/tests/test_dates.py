"""Dates as people type them."""

from __future__ import annotations

from datetime import date

import pytest

from daysheet.kit.dates import NotADate, parse_date


@pytest.mark.parametrize("text", ["2026-11-03", "11/3/2026", " 11/03/2026 "])
def test_a_day_is_read(text: str) -> None:
    assert parse_date(text) == date(2026, 11, 3)


@pytest.mark.parametrize("text", ["", "11/03/26", "2026-02-30", "13/01/2026", "0000-00-00", "yesterday"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NotADate, match="such as 11/23/2026"):
        parse_date(text)


def test_a_year_of_two_digits_from_a_browsers_date_field_is_refused() -> None:
    """Found by trying: a payment was dated in the year 26."""
    with pytest.raises(NotADate, match="four digits"):
        parse_date("0026-11-03")


def test_the_last_day_of_all_is_refused() -> None:
    """Found by fuzzing: a page adds a day to it."""
    assert parse_date("12/31/2199") == date(2199, 12, 31)
    with pytest.raises(NotADate, match="lies after 2199"):
        parse_date("9999-12-31")
