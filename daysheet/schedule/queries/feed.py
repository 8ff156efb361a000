"""A provider's appointments as another calendar may show them: no client's name, nothing that was done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..ical import FeedEvent
from ..models import Appointment, Visit, VisitStatus
from ..rules import TELEHEALTH

#: What a feed holds: so many days back and ahead, and never more appointments than this.
DAYS_BACK, DAYS_AHEAD, MOST_EVENTS = 31, 366, 5000
#: A slot is free again when all its visits are one of these. A No Show was held.
_CANCELED = frozenset({VisitStatus.CANCELED, VisitStatus.LATE_CANCEL, VisitStatus.RESCHEDULED})


@query(Permission.DEFAULT)
def feed_events(actor: Actor, *, shows_initials: bool, url_of: Callable[[UUID], str]) -> list[FeedEvent]:
    """The actor's own appointments around today, with clients the actor may see: two statements."""
    first, last = actor.today - timedelta(days=DAYS_BACK), actor.today + timedelta(days=DAYS_AHEAD)
    found = Appointment.objects.filter(staff_member_id=actor.staff_member_id, service_on__range=(first, last))
    members: dict[UUID, list[Visit]] = defaultdict(list)
    visits = Visit.objects.filter(
        service_on__range=(first, last),
        appointment__staff_member_id=actor.staff_member_id,
        client__in=visible_clients(actor),
    )
    for visit in visits.select_related("client").order_by("client__last_name", "client__first_name", "pk"):
        members[visit.appointment_id].append(visit)
    seen = found.select_related("location").order_by("starts_at", "pk")[:MOST_EVENTS]
    return [
        _event(appointment, members[appointment.pk], shows_initials=shows_initials, url=url_of(appointment.pk))
        for appointment in seen
        if members[appointment.pk]
    ]


def _event(appointment: Appointment, visits: Sequence[Visit], *, shows_initials: bool, url: str) -> FeedEvent:
    place = appointment.place_of_service or appointment.location.place_of_service
    what = "Telehealth appointment" if place in TELEHEALTH else "Appointment"
    if appointment.is_group:
        what = f"Group of {len(visits)}"
    if shows_initials:
        what = f"{what}: {', '.join(_initials(visit) for visit in visits)}"
    return FeedEvent(
        uid=f"{appointment.pk}@daysheet",
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        created_at=appointment.created_at,
        changed_at=_changed_at(appointment, visits),
        summary=what,
        place="" if place in TELEHEALTH else appointment.location.name,
        url=url,
        is_canceled=all(visit.status in _CANCELED for visit in visits),
    )


def _changed_at(appointment: Appointment, visits: Sequence[Visit]) -> datetime:
    moments = [appointment.created_at, appointment.changed_at, *(visit.status_changed_at for visit in visits)]
    return max(moment for moment in moments if moment)


def _initials(visit: Visit) -> str:
    return "".join(f"{name[0].upper()}." for name in (visit.client.first_name, visit.client.last_name) if name)
