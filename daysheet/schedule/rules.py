"""What a status means for billing (S1), and where a wall-clock time falls (S6). No database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from daysheet.kit.dates import local_moment

#: The planned services are billed only while the visit is to take place or took place.
BILLS_PLANNED = frozenset({"upcoming", "kept"})
#: For these the practice's fee service is offered, or the fee is waived with a reason.
MAY_CHARGE_FEE = frozenset({"no_show", "late_cancel", "canceled"})
#: Place-of-service codes of telehealth.
TELEHEALTH = frozenset({"02", "10"})
#: For these somebody must have initiated the change; of a No Show it is the client, unless somebody says otherwise.
NEEDS_INITIATOR = frozenset({"late_cancel", "canceled", "rescheduled"})

#: The places a practice of this kind works at (CMS place-of-service codes, box 24B).
PLACE_NAMES = {
    "02": "Telehealth, not at home",
    "10": "Telehealth at home",
    "11": "Office",
    "12": "Home",
    "03": "School",
    "53": "Community mental health center",
    "99": "Other",
}


def place_words(own: str, of_location: str) -> str:
    """What the Agenda says of where a visit takes place: nothing where it is the location's own place and somewhere to
    go to; `Telehealth at home`, `Place of service 04` otherwise."""
    place = own or of_location
    if place in TELEHEALTH or (own and own != of_location):
        return PLACE_NAMES.get(place, f"Place of service {place}")
    return ""


@dataclass(frozen=True, slots=True)
class StatusEffect:
    """What a change of status does to the services of a visit."""

    suspends_planned: bool
    offers_fee: bool


def effect_of(status: str) -> StatusEffect:
    """The effect of `status` (a VisitStatus value)."""
    return StatusEffect(suspends_planned=status not in BILLS_PLANNED, offers_fee=status in MAY_CHARGE_FEE)


def is_late(starts_at: datetime, now: datetime, notice_hours: int) -> bool:
    """Whether a cancellation at `now` leaves less than the notice the practice asks for. 0 hours asks for none."""
    return notice_hours > 0 and now > starts_at - timedelta(hours=notice_hours)


@dataclass(frozen=True, slots=True)
class FeeDecision:
    """What becomes of the fee of a status: charged, or waived with a reason; neither where there is none to decide."""

    is_charged: bool
    waived_reason: str = ""


def decide_fee(
    *, has_fee: bool, is_automatic: bool, initiated_by: str, charge: bool | None, waived_reason: str
) -> FeeDecision | None:
    """S1: the fee is charged, or waived with a reason. None: that has still to be said.

    What the person says comes first; then the policy: a fee that is charged automatically is charged where the client
    initiated the change. What the practice itself called off costs the client nothing unless somebody says so.
    """
    if not has_fee:
        return FeeDecision(is_charged=False)
    if charge:
        return FeeDecision(is_charged=True)
    if waived_reason.strip():
        return FeeDecision(is_charged=False, waived_reason=waived_reason.strip()[:200])
    if charge is None and initiated_by == "practice":
        return FeeDecision(is_charged=False, waived_reason="The practice initiated it")
    if charge is None and is_automatic:
        return FeeDecision(is_charged=True)
    return None


def span(day: date, at: time, minutes: int, time_zone: str) -> tuple[datetime, datetime]:
    """Start and end of `minutes` from a wall-clock time in practice time; an hour stays an hour when clocks change.

    The written rule for the two nights of a year: a time that is left out lies as far behind the gap as it would lie
    behind its beginning (2:30 AM becomes 3:30), and of a time that comes twice the first is meant.
    """
    # Counted in UTC: a wall clock's own arithmetic would end an appointment in the gap before it begins.
    starts_at = local_moment(day, at, time_zone).astimezone(UTC)
    zone = ZoneInfo(time_zone)
    return starts_at.astimezone(zone), (starts_at + timedelta(minutes=minutes)).astimezone(zone)


def minutes_of_day(starts_at: datetime, ends_at: datetime) -> tuple[int, int]:
    """Start and end as minutes of the first one's day, by the wall clock of both. What goes on after midnight ends
    there; where the clocks go back in between, it lasts as long as it really does."""
    start = starts_at.hour * 60 + starts_at.minute
    if ends_at.date() > starts_at.date():
        return start, 24 * 60
    end = ends_at.hour * 60 + ends_at.minute
    if end <= start:
        end = start + int((ends_at.astimezone(UTC) - starts_at.astimezone(UTC)).total_seconds()) // 60
    return start, min(end, 24 * 60)
