"""Events as an iCalendar file (RFC 5545). No Django.

Moments are written in UTC, so that no calendar has to know the practice's time zone or its daylight saving: each event
is one appointment, and its hour by the wall clock was turned into a moment when it was saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

import icalendar

#: How often a calendar is asked to look again.
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An appointment as another calendar shows it. Moments are aware; `uid` never changes."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    changed_at: datetime
    summary: str
    place: str
    url: str
    is_canceled: bool

    @property
    def sequence(self) -> int:
        """Counts up with every change: the seconds from the making of the appointment to its newest change."""
        return max(0, int((self.changed_at - self.created_at).total_seconds()))


def fingerprint(name: str, events: Sequence[FeedEvent]) -> str:
    """The same for the same file, and cheaper than the file: what an ETag needs."""
    digest = hashlib.sha256(name.encode())
    for event in events:
        digest.update(repr(astuple(event)).encode())
    return digest.hexdigest()


def ical_file(name: str, events: Sequence[FeedEvent]) -> bytes:
    """The events as one calendar called `name`."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Daysheet//Schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for event in events:
        calendar.add_component(_event(event))
    return bytes(calendar.to_ical())


def _event(event: FeedEvent) -> icalendar.Event:
    written = icalendar.Event()
    written.add("uid", event.uid)
    written.add("dtstamp", event.changed_at.astimezone(UTC))
    written.add("dtstart", event.starts_at.astimezone(UTC))
    written.add("dtend", event.ends_at.astimezone(UTC))
    written.add("created", event.created_at.astimezone(UTC))
    written.add("last-modified", event.changed_at.astimezone(UTC))
    written.add("sequence", event.sequence)
    written.add("summary", event.summary)
    if event.place:
        written.add("location", event.place)
    written.add("url", event.url)
    written.add("class", "PRIVATE")
    written.add("status", "CANCELLED" if event.is_canceled else "CONFIRMED")
    written.add("transp", "TRANSPARENT" if event.is_canceled else "OPAQUE")
    return written
