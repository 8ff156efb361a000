"""Pure decisions about clients, as tables and properties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.clients.rules import (
    CoverageFacts,
    address_lines,
    coverage_on,
    diagnosis_code,
    fold,
    in_force,
    ranges_overlap,
    search_patterns,
    search_text_of,
)
from daysheet.kit.ids import new_id

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
RANGES = st.tuples(DAYS, st.none() | st.integers(1, 500)).map(
    lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]) if pair[1] else None)
)


def facts(rank: int, starts_on: date, ends_on: date | None = None) -> CoverageFacts:
    return CoverageFacts(new_id(), new_id(), rank, None, starts_on, ends_on)


def test_a_range_holds_its_first_day_and_not_its_last():
    assert in_force(date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 1))
    assert in_force(date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 31))
    assert not in_force(date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 1))
    assert not in_force(date(2026, 1, 1), None, date(2025, 12, 31))
    assert in_force(date(2026, 1, 1), None, date(2096, 1, 1))


@given(RANGES, RANGES)
def test_ranges_overlap_exactly_where_a_day_is_in_both(one, other):
    first = max(one[0], other[0])
    assert ranges_overlap(one, other) == (in_force(*one, first) and in_force(*other, first))
    assert ranges_overlap(one, other) == ranges_overlap(other, one)


def test_the_lowest_rank_in_force_pays_first():
    old = facts(1, date(2025, 1, 1), date(2026, 1, 1))
    primary, secondary = facts(1, date(2026, 1, 1)), facts(2, date(2024, 1, 1))
    everything = [secondary, primary, old]
    assert coverage_on(everything, date(2025, 12, 31)) == old
    assert coverage_on(everything, date(2026, 1, 1)) == primary
    assert coverage_on(everything, date(2024, 6, 1)) == secondary
    assert coverage_on(everything, date(2023, 12, 31)) is None
    assert coverage_on([], date(2026, 1, 1)) is None


@given(st.lists(st.tuples(st.integers(1, 9), RANGES), max_size=8), DAYS, st.randoms())
def test_which_coverage_pays_does_not_depend_on_the_order_of_reading(specs, day, random):
    coverages = [facts(rank, *limits) for rank, limits in specs]
    chosen = coverage_on(coverages, day)
    random.shuffle(coverages)
    assert coverage_on(coverages, day) == chosen
    standing = [c for c in coverages if in_force(c.starts_on, c.ends_on, day)]
    assert (chosen is None) == (not standing)
    assert chosen is None or chosen.rank == min(c.rank for c in standing)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("f411", "F41.1"),
        ("F41.1", "F41.1"),
        (" z00 ", "Z00"),
        ("x99.12ab", "X99.12AB"),
        ("X9A", "X9A"),
        ("", None),
        ("41.1", None),
        ("F4", None),
        ("F41.12345", None),
        ("F41.", "F41"),
        ("F-41", None),
    ],
)
def test_a_diagnosis_is_kept_in_its_written_form(typed, written):
    assert diagnosis_code(typed) == written


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (("1 Elm St", "Apt 2", "Troy", "NY", "12180"), ("1 Elm St", "Apt 2", "Troy, NY 12180")),
        (("1 Elm St", "", "", "NY", ""), ("1 Elm St", "NY")),
        (("", "", "", "", ""), ()),
    ],
)
def test_an_address_has_no_empty_lines(address, lines):
    assert address_lines(*address) == lines


def test_folding_takes_accents_apostrophes_and_hyphens():
    assert fold("  O’Brien-NÚÑEZ ") == "obrien nunez"
    assert fold("St. John") == "st john"


TEXT = search_text_of(
    names=("María-José", "", "O'Brien Núñez", "Majo"),
    birth_on=date(1980, 1, 5),
    phones=("+1 (212) 555-1234", "646.555.9876", ""),
)


def found(typed: str) -> bool:
    patterns = search_patterns(typed)
    return bool(patterns) and all(pattern in TEXT for pattern in patterns)


@pytest.mark.parametrize(
    "typed",
    [
        "maria", "MARÍA", "jose o'brien", "obrien", "o’brien", "Núñez, María", "nunez maria", "mariajose", "maria-jose",
        "bri", "majo", "obriennunez", "mar 1980-01-05", "1/5/1980", "01/05/1980", "1/5/80", "01/05/80", "1-5-1980",
        "01-05-80", "1980-01", "010580", "01051980", "19800105", "1/5/", "01/0", "2125551234", "(212) 555-1234",
        "212-555-1234", "+1 212 555 1234", "12125551234", "5551234", "9876", "646.555", "nunez 9876",
    ],
)  # fmt: skip
def test_every_spelling_finds_the_client(typed):
    assert found(typed)


@pytest.mark.parametrize(
    "typed", ["", "  ", ",", "zoe", "maria zoe", "1/6/1980", "5/1/1980", "1979-01-05", "0000", "maria 777"]
)
def test_every_word_must_match(typed):
    assert not found(typed)


def test_a_date_matches_from_its_beginning_only():
    """1/5/1980 is not 11/5/1980."""
    november = search_text_of(names=("Al",), birth_on=date(1980, 11, 5), phones=())
    assert not all(pattern in november for pattern in search_patterns("1/5/1980"))


@given(st.text(max_size=30), st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_whatever_the_name_it_is_found_by_itself_and_by_the_birth_date(name, born):
    text = search_text_of(names=(name,), birth_on=born, phones=())
    for typed in (f"{born.month}/{born.day}/{born.year}", born.isoformat(), born.strftime("%m/%d/%y")):
        assert all(pattern in text for pattern in search_patterns(typed))
    for word in fold(name).split():
        assert word in text


@given(st.text(max_size=60))
def test_nothing_that_is_typed_breaks_the_search(typed):
    assert all(isinstance(pattern, str) and pattern for pattern in search_patterns(typed))
