"""What all journeys share refuses what one of them would take from another."""

from __future__ import annotations

from datetime import date

import pytest

from .practice import Practice


def test_two_things_of_one_name_are_refused() -> None:
    practice = Practice(date(2026, 11, 16))
    practice.clients["ana"] = "1"
    practice.visits["ana"] = "2"
    with pytest.raises(ValueError, match="“ana” stands for two things"):
        practice.clients["ana"] = "3"
    assert practice.clients == {"ana": "1"}
