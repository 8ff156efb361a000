"""The dates on which a series takes place (S3). Dates of the practice's calendar, never moments. No database, no clock.

A rule has a fixed list of dates: it ends on a date or after a count, at most two years and 370 appointments on. Written
rules where a calendar leaves a choice: a month without the 31st (30th, 29th) has its last day instead, and the fifth
Monday is the last one, so that a monthly series has exactly one date in each of its months; every other week counts
weeks from `week_starts`, a Sunday where people book.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import count as count_from
from itertools import islice, takewhile

from daysheet.kit.dates import us_date
from daysheet.kit.errors import Refusal

MOST_DATES = 370
MOST_DAYS = 731
MOST_EVERY = 52
#: `month_week` of the last such weekday of a month.
LAST_WEEK = 5
SUNDAY = 6
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = ("first", "second", "third", "fourth", "last")


class SeriesRefused(Refusal):
    """The rule makes no series, or one without bounds."""

    code = "series_refused"


class Frequency(StrEnum):
    """What is repeated."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_DAY = "monthly_day"
    MONTHLY_WEEKDAY = "monthly_weekday"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A rule. `starts_on` is its first date; it ends on `until_on` or after `count` dates, one of the two.

    `weekdays`: Monday is 0; of WEEKLY all chosen ones, of MONTHLY_WEEKDAY the one. `month_day` belongs to MONTHLY_DAY,
    `month_week` (1 to 4, or LAST_WEEK) to MONTHLY_WEEKDAY.
    """

    frequency: Frequency
    starts_on: date
    every: int = 1
    until_on: date | None = None
    count: int | None = None
    weekdays: frozenset[int] = frozenset()
    week_starts: int = SUNDAY
    month_day: int | None = None
    month_week: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How often something is to repeat and how far, without saying from when."""

    frequency: Frequency
    every: int = 1
    weekdays: frozenset[int] = frozenset()
    until_on: date | None = None
    count: int | None = None


def begin(
    frequency: Frequency,
    starts_on: date,
    *,
    every: int = 1,
    weekdays: Collection[int] = (),
    until_on: date | None = None,
    count: int | None = None,
    fewest: int = 2,
) -> Repeat:
    """The rule somebody asks for, whose first date is `starts_on`. Raises SeriesRefused where it has no bounds, or
    fewer dates than `fewest`, or would not begin on `starts_on`."""
    if not 1 <= every <= MOST_EVERY:
        raise SeriesRefused(f"A series repeats every 1 to {MOST_EVERY} days, weeks or months.")
    if (until_on is None) == (count is None):
        raise SeriesRefused("Say when the series ends: on a date, or after a number of appointments.")
    repeat = Repeat(frequency, starts_on, every, until_on, count, **_anchors(frequency, starts_on, weekdays))  # type: ignore[arg-type]
    _check_bounds(repeat, fewest=fewest)
    return repeat


def begin_otherwise(terms: Terms, from_on: date, before: Repeat) -> Repeat:
    """The rule that takes the place of `before` from its date `from_on`: it begins there, or on the first ticked
    weekday after it. What it has in common with `before` it keeps: the 31st in February, the week that counts.
    Raises SeriesRefused."""
    starts_on = from_on
    if terms.frequency is Frequency.WEEKLY and terms.weekdays:
        starts_on += timedelta(days=min((weekday - from_on.weekday()) % 7 for weekday in terms.weekdays))
    if terms.until_on and terms.until_on < starts_on:
        raise SeriesRefused(
            f"The first date would be {us_date(starts_on)}. Choose that day as the last, or a later one."
        )
    repeat = begin(
        terms.frequency, starts_on, every=terms.every, weekdays=terms.weekdays, until_on=terms.until_on,
        count=terms.count, fewest=1,
    )  # fmt: skip
    if repeat.frequency is not before.frequency:
        return repeat
    if repeat.frequency is not Frequency.WEEKLY:
        repeat = replace(repeat, weekdays=before.weekdays, month_day=before.month_day, month_week=before.month_week)
    elif repeat.weekdays == before.weekdays:
        repeat = replace(repeat, week_starts=before.week_starts)
    _check_bounds(repeat, fewest=1)
    return repeat


def dates(repeat: Repeat) -> tuple[date, ...]:
    """All dates of a rule, in order."""
    found = _endless(repeat)
    if repeat.count is not None:
        return tuple(islice(found, repeat.count))
    until_on = repeat.until_on
    assert until_on is not None
    return tuple(takewhile(lambda day: day <= until_on, found))


def continued(repeat: Repeat, *, from_on: date, days: int, count: int) -> Repeat:
    """The rule of what follows from the date `from_on` of `repeat`, each date moved by so many `days`.

    Its n-th date takes the place of the n-th date of `repeat` from `from_on`. A daily or weekly rule moves as a whole;
    a monthly one goes on from the day of the month, or the weekday of the month, that its first date now has.
    """
    starts_on = from_on + timedelta(days=days)
    moved = replace(repeat, starts_on=starts_on, until_on=None, count=count)
    if days == 0:
        return moved
    if repeat.frequency is Frequency.WEEKLY:
        weekdays = frozenset((weekday + days) % 7 for weekday in repeat.weekdays)
        return replace(moved, weekdays=weekdays, week_starts=(repeat.week_starts + days) % 7)
    anchors = _anchors(repeat.frequency, starts_on, ())
    if repeat.month_week == LAST_WEEK and _is_last_week(starts_on):
        anchors["month_week"] = LAST_WEEK
    return replace(moved, **anchors)  # type: ignore[arg-type]


def extended(repeat: Repeat, *, until_on: date | None = None, count: int | None = None) -> Repeat:
    """The rule that goes on after the last date of `repeat`: until `until_on`, or for `count` more dates.
    Raises SeriesRefused."""
    if (until_on is None) == (count is None):
        raise SeriesRefused("Say how far the series goes on: until a date, or for a number of appointments.")
    here = dates(repeat)
    (starts_on,) = islice(_endless(repeat), len(here), len(here) + 1)
    if until_on and until_on < starts_on:
        raise SeriesRefused(f"The next date of this series is {us_date(starts_on)}. Choose that day or a later one.")
    longer = replace(repeat, starts_on=starts_on, until_on=until_on, count=count)
    _check_bounds(longer, fewest=1)
    return longer


def words(repeat: Repeat) -> str:
    """`Every 2 weeks on Monday and Thursday`."""
    unit = {Frequency.DAILY: "day", Frequency.WEEKLY: "week"}.get(repeat.frequency, "month")
    how_often = f"Every {unit}" if repeat.every == 1 else f"Every {repeat.every} {unit}s"
    if repeat.frequency is Frequency.DAILY:
        return how_often
    if repeat.frequency is Frequency.MONTHLY_DAY:
        assert repeat.month_day is not None
        shorter = " (the last day of shorter months)" if repeat.month_day > 28 else ""
        return f"{how_often} on the {_ordinal(repeat.month_day)}{shorter}"
    days = sorted(repeat.weekdays, key=lambda weekday: (weekday - repeat.week_starts) % 7)
    named = _and([WEEKDAYS[weekday] for weekday in days])
    if repeat.frequency is Frequency.WEEKLY:
        return f"{how_often} on {named}"
    assert repeat.month_week is not None
    return f"{how_often} on the {_ORDINALS[repeat.month_week - 1]} {named}"


def _anchors(frequency: Frequency, starts_on: date, weekdays: Collection[int]) -> dict[str, object]:
    """What a rule repeats, read from its first date."""
    if frequency is Frequency.WEEKLY:
        chosen = frozenset(weekdays) or frozenset({starts_on.weekday()})
        if starts_on.weekday() not in chosen:
            named = WEEKDAYS[starts_on.weekday()]
            raise SeriesRefused(
                f"{us_date(starts_on)} is a {named}. Tick {named} too, or begin on one of the days that are ticked."
            )
        return {"weekdays": chosen}
    if frequency is Frequency.MONTHLY_DAY:
        return {"month_day": starts_on.day}
    if frequency is Frequency.MONTHLY_WEEKDAY:
        return {"weekdays": frozenset({starts_on.weekday()}), "month_week": (starts_on.day - 1) // 7 + 1}
    return {}


def _check_bounds(repeat: Repeat, *, fewest: int = 2) -> None:
    """At most two years and 370 appointments: refused before anything is counted out."""
    if repeat.count is not None and not fewest <= repeat.count <= MOST_DATES:
        raise SeriesRefused(f"A series has from {fewest} to {MOST_DATES} appointments.")
    latest = repeat.starts_on + timedelta(days=MOST_DAYS)
    if repeat.until_on and repeat.until_on > latest:
        raise SeriesRefused(f"A series lasts at most two years: until {us_date(latest)}.")
    found = dates(repeat)
    if len(found) > MOST_DATES:
        raise SeriesRefused(
            f"That makes {len(found)} appointments, and a series has at most {MOST_DATES}. Choose an earlier last date."
        )
    if len(found) < fewest:
        raise SeriesRefused("That makes only one appointment. Choose a later last date, or no series.")
    if found[-1] > latest:
        raise SeriesRefused(
            f"The last appointment would be on {us_date(found[-1])}, and a series lasts at most two years. "
            "Choose a smaller number."
        )


def _endless(repeat: Repeat) -> Iterator[date]:
    if repeat.frequency is Frequency.DAILY:
        return (repeat.starts_on + timedelta(days=number * repeat.every) for number in count_from())
    each = _weekly(repeat) if repeat.frequency is Frequency.WEEKLY else _monthly(repeat)
    return (day for day in each if day >= repeat.starts_on)


def _weekly(repeat: Repeat) -> Iterator[date]:
    week = repeat.starts_on - timedelta(days=(repeat.starts_on.weekday() - repeat.week_starts) % 7)
    for number in count_from(0, repeat.every):
        for offset in range(7):
            day = week + timedelta(days=7 * number + offset)
            if day.weekday() in repeat.weekdays:
                yield day


def _monthly(repeat: Repeat) -> Iterator[date]:
    first = repeat.starts_on.year * 12 + repeat.starts_on.month - 1
    for number in count_from(first, repeat.every):
        year, month = number // 12, number % 12 + 1
        yield _day_of_month(repeat, year, month)


def _day_of_month(repeat: Repeat, year: int, month: int) -> date:
    length = monthrange(year, month)[1]
    if repeat.month_day is not None:
        return date(year, month, min(repeat.month_day, length))
    (weekday,) = repeat.weekdays
    assert repeat.month_week is not None
    day = 1 + (weekday - date(year, month, 1).weekday()) % 7 + 7 * (repeat.month_week - 1)
    return date(year, month, day if day <= length else day - 7)


def _is_last_week(day: date) -> bool:
    return day.day + 7 > monthrange(day.year, day.month)[1]


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
