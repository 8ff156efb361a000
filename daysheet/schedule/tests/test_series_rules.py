"""The dates of series: properties over all rules, an independent reading of the same rules, and the cases people ask
about. And what a change of one slot does to another."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st

from daysheet.kit.dates import local_date
from daysheet.schedule.rules import span
from daysheet.schedule.series_matching import Stays, match
from daysheet.schedule.series_outcome import Outcome, Rearranged
from daysheet.schedule.series_rules import (
    LAST_WEEK,
    MOST_DATES,
    MOST_DAYS,
    Frequency,
    Repeat,
    SeriesRefused,
    Terms,
    begin,
    begin_otherwise,
    continued,
    dates,
    extended,
    words,
)
from daysheet.schedule.slot_rules import (
    AppointmentIncomplete,
    ServiceChoice,
    Slot,
    change_between,
    check_slot,
    members_between,
)

MONDAY = date(2026, 11, 2)
ZONES = ("America/New_York", "America/Los_Angeles", "America/Phoenix", "America/St_Johns", "Pacific/Honolulu",
         "America/Havana", "America/Santiago", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu")  # fmt: skip
_DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@st.composite
def _rules(draw: st.DrawFn) -> Repeat:
    """A rule that somebody could ask for."""
    frequency, starts_on = draw(st.sampled_from(list(Frequency))), draw(_DAYS)
    every = draw(st.integers(1, 6))
    weekdays = draw(st.sets(st.integers(0, 6))) | {starts_on.weekday()} if frequency is Frequency.WEEKLY else set()
    longest = {Frequency.DAILY: MOST_DAYS // every, Frequency.WEEKLY: 100 * len(weekdays) // every}
    most = max(2, min(MOST_DATES, longest.get(frequency, 23 // every)))
    if draw(st.booleans()):
        return begin(frequency, starts_on, every=every, weekdays=weekdays, count=draw(st.integers(2, most)))
    counted = begin(frequency, starts_on, every=every, weekdays=weekdays, count=most)
    until_on = draw(st.dates(dates(counted)[1], dates(counted)[-1]))
    return begin(frequency, starts_on, every=every, weekdays=weekdays, until_on=until_on)


@given(_rules())
def test_dates_are_in_order_begin_on_the_first_and_keep_within_bounds(repeat: Repeat) -> None:
    found = dates(repeat)
    assert found[0] == repeat.starts_on
    assert all(before < after for before, after in pairwise(found))
    assert 2 <= len(found) <= MOST_DATES and (found[-1] - found[0]).days <= MOST_DAYS
    assert repeat.until_on is None or found[-1] <= repeat.until_on
    assert repeat.count is None or len(found) == repeat.count


@given(_rules())
def test_another_reading_of_the_rule_finds_the_same_dates(repeat: Repeat) -> None:
    """iCalendar's RRULE as dateutil reads it; where it would leave a month out, our last day is asked for by name."""
    assert tuple(_by_rrule(repeat)) == dates(repeat)


@given(_rules())
def test_a_monthly_series_has_one_date_in_each_of_its_months(repeat: Repeat) -> None:
    if repeat.frequency in (Frequency.MONTHLY_DAY, Frequency.MONTHLY_WEEKDAY):
        months = [day.year * 12 + day.month for day in dates(repeat)]
        assert months == [months[0] + number * repeat.every for number in range(len(months))]


@given(_rules(), st.data())
def test_what_follows_a_date_is_the_rest_of_the_same_dates(repeat: Repeat, data: st.DataObject) -> None:
    found = dates(repeat)
    number = data.draw(st.integers(0, len(found) - 1))
    assert dates(continued(repeat, from_on=found[number], days=0, count=len(found) - number)) == found[number:]


@given(_rules(), st.data())
def test_moved_daily_and_weekly_series_move_as_a_whole(repeat: Repeat, data: st.DataObject) -> None:
    found, days = dates(repeat), data.draw(st.integers(-400, 400))
    number = data.draw(st.integers(0, len(found) - 1))
    moved = dates(continued(repeat, from_on=found[number], days=days, count=len(found) - number))
    assert len(moved) == len(found) - number and moved[0] == found[number] + timedelta(days=days)
    if repeat.frequency in (Frequency.DAILY, Frequency.WEEKLY):
        assert moved == tuple(day + timedelta(days=days) for day in found[number:])


@given(_rules(), st.data())
def test_moving_twice_is_moving_by_both(repeat: Repeat, data: st.DataObject) -> None:
    """So that an edit of an edited series is as good as one edit (daily and weekly rules)."""
    if repeat.frequency not in (Frequency.DAILY, Frequency.WEEKLY):
        return
    one, two = data.draw(st.integers(-30, 30)), data.draw(st.integers(-30, 30))
    first, count = dates(repeat)[0], len(dates(repeat))
    once = continued(repeat, from_on=first, days=one, count=count)
    twice = continued(once, from_on=dates(once)[0], days=two, count=count)
    assert dates(twice) == dates(continued(repeat, from_on=first, days=one + two, count=count))


@given(_rules(), st.integers(1, 5))
def test_an_extension_goes_on_where_the_rule_ended(repeat: Repeat, more: int) -> None:
    """An extension begins its two years anew, and is refused where it would not keep within them itself."""
    here = dates(repeat)
    further = dates(replace(repeat, until_on=None, count=len(here) + more))[len(here) :]
    if (further[-1] - further[0]).days > MOST_DAYS:
        with pytest.raises(SeriesRefused, match="at most two years"):
            extended(repeat, count=more)
    else:
        assert dates(extended(repeat, count=more)) == further


def test_an_extension_may_go_beyond_the_two_years_of_its_beginning() -> None:
    half_years = Repeat(Frequency.MONTHLY_DAY, date(2026, 1, 31), every=6, count=3, month_day=31)
    assert [day.year for day in dates(extended(half_years, count=3))] == [2027, 2028, 2028]


@given(_DAYS, st.times(), st.integers(1, 1440), st.sampled_from(ZONES))
def test_a_wall_clock_time_stays_on_its_date_and_lasts_its_minutes(
    day: date, at: time, minutes: int, zone: str
) -> None:
    """Whatever the clocks do: a time that the night leaves out becomes the same distance into the next hour."""
    at = at.replace(microsecond=0, second=0)
    starts_at, ends_at = span(day, at, minutes, zone)
    assert local_date(starts_at, zone) == day
    assert (ends_at.astimezone(UTC) - starts_at.astimezone(UTC)).total_seconds() == minutes * 60
    typed = datetime.combine(day, at)
    if typed == _on_the_clock(typed.replace(tzinfo=ZoneInfo(zone))):
        assert _on_the_clock(starts_at) == typed
    else:
        assert _on_the_clock(starts_at) > typed


def _on_the_clock(moment: datetime) -> datetime:
    """What a clock on the wall shows at a moment."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None)


def test_an_hour_over_the_change_of_the_clocks_is_an_hour() -> None:
    for day, ends in ((date(2027, 3, 14), "03:30"), (date(2026, 11, 1), "01:30")):
        starts_at, ends_at = span(day, time(1, 30), 60, "America/New_York")
        assert (ends_at.astimezone(UTC) - starts_at.astimezone(UTC)).total_seconds() == 3600
        assert f"{ends_at:%H:%M}" == ends


def test_the_two_nights_of_the_year_in_new_york() -> None:
    """The written rule: an hour that is left out is an hour later, an hour that comes twice is the first one."""
    left_out, _ = span(date(2027, 3, 14), time(2, 30), 50, "America/New_York")
    assert left_out.astimezone(ZoneInfo("UTC")).isoformat() == "2027-03-14T07:30:00+00:00"  # 3:30 AM in daylight time
    twice, _ = span(date(2026, 11, 1), time(1, 30), 50, "America/New_York")
    assert twice.astimezone(ZoneInfo("UTC")).isoformat() == "2026-11-01T05:30:00+00:00"  # still daylight time


def test_the_31st_is_the_last_day_of_shorter_months_and_does_not_forget_itself() -> None:
    repeat = begin(Frequency.MONTHLY_DAY, date(2027, 1, 31), count=4)
    assert [day.day for day in dates(repeat)] == [31, 28, 31, 30]
    rest = continued(repeat, from_on=date(2027, 2, 28), days=0, count=3)
    assert [day.day for day in dates(rest)] == [28, 31, 30]
    assert words(rest) == "Every month on the 31st (the last day of shorter months)"


def test_the_fifth_monday_is_the_last() -> None:
    repeat = begin(Frequency.MONTHLY_WEEKDAY, date(2026, 11, 30), count=3)
    assert repeat.month_week == LAST_WEEK
    assert dates(repeat) == (date(2026, 11, 30), date(2026, 12, 28), date(2027, 1, 25))
    assert words(repeat) == "Every month on the last Monday"
    moved = continued(repeat, from_on=date(2026, 12, 28), days=1, count=2)
    assert dates(moved) == (date(2026, 12, 29), date(2027, 1, 26))


def test_every_other_week_counts_weeks_from_sunday() -> None:
    wednesday = MONDAY + timedelta(days=2)
    repeat = begin(Frequency.WEEKLY, wednesday, every=2, weekdays=[0, 2], count=4)
    assert dates(repeat) == (wednesday, date(2026, 11, 16), date(2026, 11, 18), date(2026, 11, 30))
    assert words(repeat) == "Every 2 weeks on Monday and Wednesday"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"count": 371}, "from 2 to 370"),
        ({"count": 1}, "from 2 to 370"),
        ({"count": 200}, "at most two years"),
        ({"until_on": MONDAY + timedelta(days=732)}, "at most two years: until 11/02/2028"),
        ({"until_on": MONDAY + timedelta(days=6)}, "only one appointment"),
        ({"until_on": MONDAY - timedelta(days=1)}, "only one appointment"),
        ({}, "Say when the series ends"),
        ({"count": 3, "until_on": MONDAY}, "Say when the series ends"),
        ({"count": 3, "every": 0}, "every 1 to 52"),
        ({"count": 3, "weekdays": [1]}, "Tick Monday too"),
    ],
)
def test_a_series_without_bounds_or_sense_is_refused_with_words(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(SeriesRefused, match=said):
        begin(Frequency.WEEKLY, MONDAY, **asked)


def test_two_years_of_days_are_too_many() -> None:
    with pytest.raises(SeriesRefused, match="makes 731 appointments"):
        begin(Frequency.DAILY, MONDAY, until_on=MONDAY + timedelta(days=730))


def test_an_extension_says_what_comes_next() -> None:
    repeat = begin(Frequency.WEEKLY, MONDAY, count=3)
    with pytest.raises(SeriesRefused, match="next date of this series is 11/23/2026"):
        extended(repeat, until_on=date(2026, 11, 22))
    with pytest.raises(SeriesRefused, match="Say how far"):
        extended(repeat)


@given(_rules(), st.data())
def test_the_same_rule_asked_for_again_has_the_rest_of_the_same_dates(repeat: Repeat, data: st.DataObject) -> None:
    found = dates(repeat)
    number = data.draw(st.integers(0, len(found) - 1))
    weekdays = repeat.weekdays if repeat.frequency is Frequency.WEEKLY else frozenset()
    for end in ({"count": len(found) - number}, {"until_on": found[-1]}):
        terms = Terms(repeat.frequency, repeat.every, weekdays, **end)
        assert dates(begin_otherwise(terms, found[number], repeat)) == found[number:]


def test_another_rule_begins_on_the_first_ticked_weekday_and_may_be_one_date() -> None:
    weekly = begin(Frequency.WEEKLY, MONDAY, count=9)
    ticked = Terms(Frequency.WEEKLY, 2, frozenset({1, 3}), count=3)
    assert dates(begin_otherwise(ticked, MONDAY, weekly)) == (date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 17))
    assert dates(begin_otherwise(Terms(Frequency.DAILY, count=1), MONDAY, weekly)) == (MONDAY,)
    month_ends = Repeat(Frequency.MONTHLY_DAY, date(2026, 1, 31), count=6, month_day=31)
    every_other = begin_otherwise(Terms(Frequency.MONTHLY_DAY, 2, count=3), date(2026, 2, 28), month_ends)
    assert dates(every_other) == (date(2026, 2, 28), date(2026, 4, 30), date(2026, 6, 30))
    with pytest.raises(SeriesRefused, match="first date would be 11/03/2026"):
        begin_otherwise(replace(ticked, until_on=MONDAY, count=None), MONDAY, weekly)
    for wrong in (Terms(Frequency.DAILY), Terms(Frequency.DAILY, count=371), Terms(Frequency.DAILY, 53, count=2)):
        with pytest.raises(SeriesRefused):
            begin_otherwise(wrong, MONDAY, weekly)


_SOME_DAYS = st.lists(st.integers(0, 60), max_size=12, unique=True).map(
    lambda numbers: [MONDAY + timedelta(days=number) for number in sorted(numbers)]
)


@given(_SOME_DAYS, _SOME_DAYS, st.sets(st.integers(0, 11)), st.data())
def test_each_date_has_one_appointment_and_each_appointment_one_fate(
    new: list[date], old: list[date], staying: set[int], data: st.DataObject
) -> None:
    keys = {day: UUID(int=number) for number, day in enumerate(old)}
    stays = {
        key: Stays(day, day + timedelta(days=data.draw(st.integers(-2, 2))))
        for number, (day, key) in enumerate(keys.items())
        if number in staying
    }
    follows = {key: day for day, key in keys.items() if key not in stays}
    found = match(new, follows, stays)
    placed = [*found.kept.values(), *found.moved.values(), *found.held.values(), *found.added]
    assert sorted(placed) == new
    assert sorted([*found.kept, *found.moved, *found.surplus]) == sorted(follows)
    assert sorted([*found.held, *found.dropped]) == sorted(stays)
    assert not (found.added and found.surplus), "nothing is called off where a date is left"
    assert all(follows[key] == day for key, day in found.kept.items())
    assert {key for key, day in follows.items() if day in new and day not in found.held.values()} <= set(found.kept)
    assert all(each.occurrence_on not in new or key in found.held for key, each in stays.items())
    moved = sorted(found.moved, key=lambda key: follows[key])
    assert [found.moved[key] for key in moved] == sorted(found.moved.values()), "nobody overtakes another"


def _weeks(*weeks: int, day: int = 0) -> list[date]:
    return [MONDAY + timedelta(days=7 * week + day) for week in weeks]


@pytest.mark.parametrize(
    ("new", "moved", "surplus", "added"),
    [
        (_weeks(0, 2, 4), {}, [1, 3, 5], []),
        (_weeks(0, 2, 4, 6, 8, 10), dict(zip([1, 3, 5], _weeks(6, 8, 10), strict=True)), [], []),
        (_weeks(0, 2, 4, day=3), dict(zip([0, 2, 4], _weeks(0, 2, 4, day=3), strict=True)), [1, 3, 5], []),
        (_weeks(*range(6), day=1), dict(enumerate(_weeks(*range(6), day=1))), [], []),
        (sorted(_weeks(*range(6)) + _weeks(0, 1, day=3)), {}, [], _weeks(0, 1, day=3)),
        (_weeks(0), {}, [1, 2, 3, 4, 5], []),
    ],
)  # fmt: skip
def test_a_weekly_series_of_six_mondays_becomes_another(
    new: list[date], moved: dict[int, date], surplus: list[int], added: list[date]
) -> None:
    follows = {UUID(int=number): day for number, day in enumerate(_weeks(*range(6)))}
    found = match(new, follows, {})
    assert {key.int: day for key, day in found.moved.items()} == moved
    assert [key.int for key in found.surplus] == surplus and list(found.added) == added


def test_a_date_that_was_canceled_or_moved_is_not_made_again() -> None:
    one, two, three = (UUID(int=number) for number in range(3))
    stays = {
        one: Stays(MONDAY, MONDAY),
        two: Stays(MONDAY + timedelta(days=7), MONDAY + timedelta(days=8)),
        three: Stays(MONDAY + timedelta(days=14), MONDAY + timedelta(days=15)),
    }
    found = match([MONDAY, MONDAY + timedelta(days=7), MONDAY + timedelta(days=15)], {}, stays)
    assert found.held == {one: MONDAY, two: MONDAY + timedelta(days=7), three: MONDAY + timedelta(days=15)}
    assert not found.added and not found.dropped
    assert match([MONDAY], {}, stays).dropped == (two, three)
    assert match([MONDAY], {}, stays).token != found.token


def test_numbers_are_said_as_people_say_them() -> None:
    left = Outcome(frozenset(), billed=1, apart=2)
    told = Rearranged(2, 3, 1, 4, left).words()
    assert told == (
        "2 appointments were moved, 3 added, 1 canceled. 4 keep their dates. "
        "Left as they are: 1 billed, 2 changed on their own."
    )
    assert Rearranged(0, 1, 0, 1, Outcome(frozenset())).words() == "1 appointment was added. 1 keeps its date."
    assert Rearranged(0, 0, 2, 0, Outcome(frozenset())).words(would=True) == "2 appointments would be canceled."
    assert Rearranged(0, 0, 0, 2, Outcome(frozenset())).words() == "No date changed. 2 keep their dates."


def test_a_change_speaks_only_of_what_changed() -> None:
    before = Slot(MONDAY, time(10), 50, UUID(int=1), UUID(int=2), title="Circle")
    change = change_between(before, replace(before, day=MONDAY + timedelta(days=1), at=time(11)))
    other = Slot(date(2026, 12, 7), time(9), 90, UUID(int=3), UUID(int=2), title="Circle of others")
    assert change.applied(other) == replace(other, day=date(2026, 12, 8), at=time(11))
    assert not change_between(before, before)


@given(st.data())
def test_a_change_turns_what_was_shown_into_what_was_sent(data: st.DataObject) -> None:
    slots = st.builds(
        Slot, day=_DAYS, at=st.times(), minutes=st.integers(1, 1440), staff_member_id=st.uuids(),
        location_id=st.uuids(), place_of_service=st.sampled_from(["", "02", "10"]), title=st.text(max_size=3),
        group_limit=st.none() | st.integers(2, 12),
    )  # fmt: skip
    before, after = data.draw(slots), data.draw(slots)
    assert change_between(before, after).applied(before) == after


def test_members_are_told_apart_by_what_became_of_them() -> None:
    stays, leaves, changes, joins, talk, letter = (UUID(int=number) for number in range(6))
    planned = {stays: [talk], leaves: [talk], changes: [talk, letter]}
    choices = {stays: [ServiceChoice(talk)], changes: [ServiceChoice(letter)], joins: []}
    found = members_between(planned, choices)
    assert (set(found.joined), found.left, set(found.services)) == ({joins}, {leaves}, {changes})
    assert not members_between({stays: [talk]}, {stays: [ServiceChoice(talk)]})


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"minutes": 1441}, {"day": date(1999, 12, 31)}, {"day": date.max}])
def test_a_slot_nobody_means_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AppointmentIncomplete):
        check_slot(replace(Slot(MONDAY, time(10), 50, UUID(int=1), UUID(int=2)), **wrong))


def _by_rrule(repeat: Repeat) -> list[date]:
    ends: dict[str, Any] = {"count": repeat.count} if repeat.count else {"until": _moment(repeat.until_on)}
    named: dict[str, Any] = {"interval": repeat.every, "dtstart": _moment(repeat.starts_on), **ends}
    if repeat.frequency is Frequency.DAILY:
        rule = rrule.rrule(rrule.DAILY, **named)
    elif repeat.frequency is Frequency.WEEKLY:
        rule = rrule.rrule(rrule.WEEKLY, byweekday=sorted(repeat.weekdays), wkst=repeat.week_starts, **named)
    elif repeat.frequency is Frequency.MONTHLY_DAY:
        # The latest of the days up to the 31st that the month has: RRULE's own way to say "or the last".
        day = repeat.month_day
        assert day is not None
        choices = list(range(28, day + 1)) if day > 28 else [day]
        rule = rrule.rrule(rrule.MONTHLY, bymonthday=choices, bysetpos=-1, **named)
    else:
        (weekday,) = repeat.weekdays
        week = repeat.month_week
        assert week is not None
        rule = rrule.rrule(rrule.MONTHLY, byweekday=rrule.weekday(weekday)(-1 if week == LAST_WEEK else week), **named)
    return [each.date() for each in rule]


def _moment(day: date | None) -> Any:
    assert day is not None
    return datetime(day.year, day.month, day.day)


def test_months_have_the_lengths_that_the_calendar_says() -> None:
    repeat = begin(Frequency.MONTHLY_DAY, date(2027, 8, 31), count=24)
    assert all(day.day == monthrange(day.year, day.month)[1] for day in dates(repeat))
