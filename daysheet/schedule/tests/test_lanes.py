"""The layout of a Calendar day: nothing covers anything, and nothing is lost."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.schedule.lanes import COLUMNS, LEAST_MINUTES, Area, Span, hours_shown, lay_out

minutes = st.integers(0, 24 * 60 - 1)
days = st.lists(st.tuples(minutes, st.integers(1, 300)), max_size=60)


def _spans(pairs: list[tuple[int, int]]) -> list[Span[int]]:
    return [Span(number, start, min(start + length, 24 * 60)) for number, (start, length) in enumerate(pairs)]


def _cover_each_other(one: Area, other: Area) -> bool:
    rows = one.row_start < other.row_end and other.row_start < one.row_end
    return rows and one.col_start < other.col_end and other.col_start < one.col_end


@given(days)
def test_no_block_covers_another_and_every_appointment_is_shown_or_counted(pairs: list[tuple[int, int]]) -> None:
    spans = _spans(pairs)
    first, last = hours_shown(spans)
    areas, more = lay_out(spans, first_hour=first)
    everything = [*areas.values(), *(block.area for block in more)]
    assert not [pair for pair in combinations(everything, 2) if _cover_each_other(*pair)]
    assert len(areas) + sum(block.count for block in more) == len(spans)
    rows = (last - first) * 12
    for area in everything:
        assert 1 <= area.row_start < area.row_end <= rows + 1
        assert 1 <= area.col_start < area.col_end <= COLUMNS + 1
    for key, area in areas.items():  # each lies at its own time
        assert area.row_start == spans[key].start // 5 - first * 12 + 1


@given(st.lists(st.tuples(st.integers(0, 280), st.integers(3, 40)), max_size=25))
def test_something_is_hidden_exactly_where_more_than_three_overlap(steps: list[tuple[int, int]]) -> None:
    spans = _spans([(5 * start, 5 * length) for start, length in steps])
    busiest = max(
        (sum(a.start <= b.start < max(a.end, a.start + LEAST_MINUTES) for a in spans) for b in spans), default=0
    )
    _, more = lay_out(spans, first_hour=0)
    assert bool(more) == (busiest > 3)


@pytest.mark.parametrize(
    ("pairs", "columns", "counted"),
    [
        ([(540, 50)], [(1, 13)], []),
        ([(540, 50), (600, 50)], [(1, 13), (1, 13)], []),  # one after the other: full width
        ([(540, 50), (560, 50)], [(1, 7), (7, 13)], []),
        ([(540, 50), (560, 50), (570, 10)], [(1, 5), (5, 9), (9, 13)], []),
        ([(540, 50)] * 4, [(1, 5), (5, 9)], [(540, 2)]),
        ([(540, 120)] * 3 + [(600, 30)], [(1, 5), (5, 9)], [(540, 1), (600, 1)]),
    ],
)
def test_appointments_share_the_width_they_need(
    pairs: list[tuple[int, int]], columns: list[tuple[int, int]], counted: list[tuple[int, int]]
) -> None:
    areas, more = lay_out(_spans(pairs), first_hour=8)
    assert [(area.col_start, area.col_end) for area in areas.values()] == columns
    assert [(block.start, block.count) for block in more] == counted


def test_the_hours_shown_are_the_working_day_and_whatever_lies_outside() -> None:
    assert hours_shown(_spans([])) == (8, 18)
    assert hours_shown(_spans([(9 * 60, 50), (18 * 60, 30)])) == (8, 19)
    assert hours_shown(_spans([(6 * 60 + 30, 50), (23 * 60 + 50, 10)])) == (6, 24)
