"""The Calendar's week: seven days of slots, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from daysheet.clients.queries import visible_clients
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Visit, VisitService
from .day import closed_appointments


@dataclass(frozen=True, slots=True)
class CalendarSlot:
    """An appointment on the Calendar. `is_billed`: every service that is to be billed stands on an invoice."""

    id: UUID
    starts_at: datetime
    title: str
    staff_name: str
    status_label: str
    is_billed: bool
    can_open: bool


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A date and its slots by time."""

    day: date
    is_today: bool
    slots: tuple[CalendarSlot, ...]


@query(Permission.DEFAULT)
def calendar_week(
    actor: Actor, first: date, *, staff_member_id: UUID | None = None, location_id: UUID | None = None
) -> list[CalendarDay]:
    """The seven days from `first`; limited people see only the visits of assigned clients (P1)."""
    days = [first + timedelta(days=number) for number in range(7)]
    visits = Visit.objects.filter(service_on__range=(days[0], days[-1]), client__in=visible_clients(actor))
    if staff_member_id:
        visits = visits.filter(appointment__staff_member_id=staff_member_id)
    if location_id:
        visits = visits.filter(appointment__location_id=location_id)
    by_appointment: dict[UUID, list[Visit]] = defaultdict(list)
    for visit in visits.select_related("client", "appointment__staff_member").order_by(
        "appointment__starts_at", "appointment_id", "client__last_name", "pk"
    ):
        by_appointment[visit.appointment_id].append(visit)
    unbilled, billed = _billing(days)
    closed = closed_appointments(actor, by_appointment.keys())
    zone = ZoneInfo(actor.practice.time_zone)
    slots: dict[date, list[CalendarSlot]] = defaultdict(list)
    for appointment_id, members in by_appointment.items():
        ids = {visit.pk for visit in members}
        appointment = members[0].appointment
        slots[appointment.service_on].append(
            CalendarSlot(
                id=appointment_id,
                starts_at=appointment.starts_at.astimezone(zone),
                title=_title(appointment.title, members),
                staff_name=appointment.staff_member.name,
                status_label=members[0].get_status_display() if len({v.status for v in members}) == 1 else "",
                is_billed=bool(ids & billed) and not ids & unbilled,
                can_open=appointment_id not in closed,
            )
        )
    return [CalendarDay(day, day == actor.today, tuple(slots[day])) for day in days]


def _billing(days: list[date]) -> tuple[set[UUID], set[UUID]]:
    """The visits of these days with a service still to be billed, and with one that is."""
    unbilled: set[UUID] = set()
    billed: set[UUID] = set()
    found = VisitService.objects.filter(service_on__range=(days[0], days[-1]), is_suspended=False)
    for visit_id, line_id in found.values_list("visit_id", "line_id"):
        (billed if line_id else unbilled).add(visit_id)
    return unbilled, billed


def _title(title: str, members: list[Visit]) -> str:
    if len(members) == 1:
        return str(members[0].client.name)
    return f"{title or 'Group'} ({len(members)})"
