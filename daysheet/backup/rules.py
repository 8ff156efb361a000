"""Which scheduled backups are kept. No clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A scheduled backup is due when the newest is older than this.
DUE_AFTER = timedelta(hours=23)
#: From this age on, `daysheet check` says that backups are not fresh.
STALE_AFTER = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Retention:
    """The newest backup of each of so many days, ISO weeks and months that have one (days in UTC)."""

    days: int = 7
    weeks: int = 4
    months: int = 12


def retention_from(text: str) -> Retention:
    """`7,4,12` → seven days, four weeks, twelve months. Raises ValueError; at least one of each is kept."""
    days, weeks, months = (int(part) for part in text.split(","))
    if min(days, weeks, months) < 1:
        raise ValueError("each of the three numbers is at least 1")
    return Retention(days, weeks, months)


def to_keep(taken: Iterable[datetime], retention: Retention) -> set[datetime]:
    """The moments of the backups that stay. The newest always does."""
    newest_first = sorted(taken, reverse=True)
    periods: Sequence[tuple[int, Callable[[datetime], object]]] = (
        (retention.days, lambda at: at.date()),
        (retention.weeks, lambda at: at.isocalendar()[:2]),
        (retention.months, lambda at: (at.year, at.month)),
    )
    kept: set[datetime] = set()
    for count, period in periods:
        newest: dict[object, datetime] = {}
        for at in newest_first:
            newest.setdefault(period(at), at)
        kept.update(list(newest.values())[:count])
    return kept


def is_due(newest: datetime | None, now: datetime) -> bool:
    """Whether the next scheduled backup is to be taken now; one that was missed is due at once."""
    return newest is None or now - newest >= DUE_AFTER
