"""Dates in practice time. A date of service is a date, never a moment: nothing may shift it by a time zone (S6)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: From this hour on, practice time: nobody works, and the day before is over.
NIGHT_HOUR = 2
#: Nobody alive was born before; a browser's date field makes the year 0026 of a typed 26.
FIRST_YEAR = 1900
#: Beyond it nothing is planned; the last day that a computer knows (12/31/9999) has no day after it.
LAST_YEAR = 2199
_US_DATE = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")


class NotADate(ValueError):
    """The text is not a date."""


def parse_date(text: str) -> date:
    """Read `2026-11-23` or `11/23/2026`, of the years 1900 to 2199. Raises NotADate."""
    stripped = text.strip()
    match = _US_DATE.match(stripped)
    try:
        if match:
            day = date(int(match.group(3)), int(match.group(1)), int(match.group(2)))
        else:
            day = date.fromisoformat(stripped)
    except ValueError:
        raise NotADate(f"“{text}” is not a date such as 11/23/2026") from None
    if day.year < FIRST_YEAR:
        raise NotADate(f"“{text}” lies before {FIRST_YEAR}. Write the year with four digits, such as 11/23/2026")
    if day.year > LAST_YEAR:
        raise NotADate(f"“{text}” lies after {LAST_YEAR}. Leave it empty where nothing ends")
    return day


def utc_now() -> datetime:
    """The present moment, aware. Only entry points call it; everything else is given `now`."""
    return datetime.now(UTC)


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar date of an aware moment in a practice's time zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def local_moment(day: date, at: time, time_zone: str) -> datetime:
    """The aware moment of a wall-clock time in a practice's time zone (the first one, where clocks go back)."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(time_zone))


def last_night(moment: datetime, time_zone: str) -> date:
    """The newest night whose hour has come in a practice's time zone. A night is named after the day it leads into."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return local.date() if local.hour >= NIGHT_HOUR else local.date() - timedelta(days=1)


def month_bounds(day: date) -> tuple[date, date]:
    """First and last day of the month `day` lies in."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def week_start(day: date) -> date:
    """The Sunday on or before `day`: calendars here begin on Sunday."""
    return day - timedelta(days=(day.weekday() + 1) % 7)


def us_date(day: date) -> str:
    """`11/23/2026`."""
    return f"{day.month:02d}/{day.day:02d}/{day.year:04d}"
