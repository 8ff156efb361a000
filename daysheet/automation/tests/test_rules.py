"""Which nights are due and what rules leave out: tables of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.automation.rules import Exclusion, Subject, excluded_by, first_night, looked_at, next_night

D = date(2026, 11, 16)
PAYER, STAFF, TALK, LETTER = (uuid4() for _ in range(4))
SUBJECT = Subject(D, "insurance", STAFF, PAYER, frozenset({TALK, LETTER}), "kept")
EVERYTHING = Exclusion(UUID(int=1), "x", True, True)
#: Each condition as it holds for the subject, and as it does not.
CONDITIONS = {
    "payer_id": (PAYER, uuid4()),
    "staff_member_id": (STAFF, uuid4()),
    "service_type_id": (LETTER, uuid4()),
    "pays_by": ("insurance", "self"),
    "status": ("kept", "upcoming"),
    "from_on": (D, D + timedelta(days=1)),
    "to_on": (D, D - timedelta(days=1)),
}


@given(st.dictionaries(st.sampled_from(sorted(CONDITIONS)), st.booleans(), min_size=1))
def test_a_rule_holds_exactly_where_all_its_conditions_do(holding: dict[str, bool]) -> None:
    rule = replace(EVERYTHING, **{name: CONDITIONS[name][0 if holds else 1] for name, holds in holding.items()})
    assert (excluded_by(SUBJECT, [rule]) is rule) is all(holding.values())


def test_one_rule_is_enough_and_the_first_is_named() -> None:
    other, fits = replace(EVERYTHING, status="upcoming"), replace(EVERYTHING, payer_id=PAYER)
    also = replace(EVERYTHING, pays_by="insurance")
    assert excluded_by(SUBJECT, [other, fits, also]) is fits
    assert excluded_by(SUBJECT, [other]) is None and excluded_by(SUBJECT, []) is None


def test_a_client_who_pays_by_self_has_no_insurer_in_play() -> None:
    own = replace(SUBJECT, pays_by="self", payer_id=None)
    assert excluded_by(own, [replace(EVERYTHING, payer_id=PAYER)]) is None


@pytest.mark.parametrize(
    ("last", "first", "following"),
    [
        (None, D, D),
        (D, D, D + timedelta(1)),
        (D, D - timedelta(9), D + timedelta(1)),
        (D, D + timedelta(5), D + timedelta(5)),
    ],
)
def test_the_next_night(last: date | None, first: date, following: date) -> None:
    assert next_night(last, first) == following


def test_a_night_looks_at_the_days_before_it_and_never_before_the_start() -> None:
    day = timedelta(days=1)
    assert looked_at(D, starts_on=D - 30 * day, look_back_days=7) == (D - 7 * day, D - day)
    assert looked_at(D, starts_on=D - 2 * day, look_back_days=7) == (D - 2 * day, D - day)
    assert looked_at(D, starts_on=D - 30 * day, look_back_days=1) == (D - day, D - day)


def test_the_first_night_of_new_settings() -> None:
    day = timedelta(days=1)
    assert first_night(starts_on=D, last_night_on=D, kept=None) == D + day
    assert first_night(starts_on=D + 5 * day, last_night_on=D, kept=None) == D + 6 * day
    assert first_night(starts_on=D - 9 * day, last_night_on=D, kept=D - 3 * day) == D - 3 * day
    assert first_night(starts_on=D + 5 * day, last_night_on=D, kept=D - 3 * day) == D + 6 * day
