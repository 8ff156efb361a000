"""One appointment as its form shows it, and the visits of one client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from daysheet.clients.queries import get_client, visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Appointment, Visit, VisitService
from .day import VisitRow, visit_rows


@dataclass(frozen=True, slots=True)
class AppointmentDetails:
    """`services`: the planned service types of each client's visit, in order. `initial`: the form's values."""

    id: UUID
    service_on: date
    initial: dict[str, Any]
    services: dict[UUID, list[UUID]]
    visits: list[VisitRow]

    @property
    def is_frozen(self) -> bool:
        """Whether any member is billed: the facts of the slot cannot change (S5)."""
        return any(visit.is_billed or visit.is_partly_billed for visit in self.visits)


@query(Permission.DEFAULT)
def appointment_details(actor: Actor, appointment_id: UUID) -> AppointmentDetails:
    """An appointment whose every client this actor may see. Raises NotFound."""
    appointment = Appointment.objects.filter(pk=appointment_id).first()
    visits = list(Visit.objects.filter(appointment_id=appointment_id).select_related("client").order_by("pk"))
    seen = visible_clients(actor).filter(pk__in=[visit.client_id for visit in visits]).count()
    if appointment is None or seen != len(visits):
        raise NotFound("There is no such appointment, or you are not assigned to all its clients.")
    services: dict[UUID, list[UUID]] = {visit.client_id: [] for visit in visits}
    planned = VisitService.objects.filter(visit__appointment_id=appointment_id, is_fee=False, removed_at=None)
    for client_id, type_id in planned.order_by("position", "pk").values_list("visit__client_id", "service_type_id"):
        services[client_id].append(type_id)
    starts_at = appointment.starts_at.astimezone(ZoneInfo(actor.practice.time_zone))
    initial = {
        "day": appointment.service_on,
        "at": starts_at.time(),
        "minutes": int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60,
        "staff": str(appointment.staff_member_id),
        "location": str(appointment.location_id),
        "place_of_service": appointment.place_of_service,
        "title": appointment.title,
    }
    return AppointmentDetails(appointment.pk, appointment.service_on, initial, services, visit_rows(actor, visits))


@query(Permission.DEFAULT)
def client_visits(actor: Actor, client_id: UUID) -> QuerySet[Visit]:
    """All visits of a client, newest first, to be paged. Raises NotFound."""
    get_client(actor, client_id)
    visits = Visit.objects.filter(client_id=client_id).select_related("client", "appointment__staff_member")
    return visits.order_by("-service_on", "-appointment__starts_at", "pk")


@query(Permission.DEFAULT)
def client_name(actor: Actor, client_id: UUID) -> str:
    """What people call the client. Raises NotFound."""
    return get_client(actor, client_id).name
