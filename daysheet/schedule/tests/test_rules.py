"""What is said of a place."""

from __future__ import annotations

import pytest

from daysheet.schedule.rules import place_words


@pytest.mark.parametrize(
    ("own", "of_location", "words"),
    [
        ("", "11", ""),
        ("11", "11", ""),
        ("", "10", "Telehealth at home"),
        ("10", "11", "Telehealth at home"),
        ("02", "10", "Telehealth, not at home"),
        ("12", "11", "Home"),
        ("04", "11", "Place of service 04"),
    ],
)
def test_a_place_is_named_where_it_is_not_simply_the_locations(own: str, of_location: str, words: str) -> None:
    assert place_words(own, of_location) == words
