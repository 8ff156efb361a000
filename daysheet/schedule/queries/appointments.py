"""One appointment as its form shows it, and the visits of one client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from daysheet.clients.queries import get_client, visible_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..members import planned_services
from ..models import Appointment, Visit
from ..slot_rules import Slot
from ..slots import slot_of
from .day import VisitRow, people_words, visit_rows
from .series import SeriesFacts, series_facts


@dataclass(frozen=True, slots=True)
class AppointmentDetails:
    """`services`: the planned service types of each client's visit, in order. `version`: to be sent back with a change,
    so that nobody overwrites what another did meanwhile."""

    id: UUID
    version: int
    slot: Slot
    staff_name: str
    location_name: str
    services: dict[UUID, list[UUID]]
    visits: list[VisitRow]
    #: None for an appointment of its own.
    series: SeriesFacts | None = None
    #: Whether an edit of the series leaves it alone because it was changed on its own.
    is_apart: bool = False

    @property
    def service_on(self) -> date:
        """The date of service."""
        return self.slot.day

    @property
    def is_frozen(self) -> bool:
        """Whether any member is billed: the facts of the slot cannot change (S5)."""
        return any(visit.is_billed or visit.is_partly_billed for visit in self.visits)

    @property
    def has_prices(self) -> bool:
        """Whether the actor may ask what a visit would bill."""
        return any(visit.cell and visit.cell.price_url for visit in self.visits)

    @property
    def people(self) -> str:
        """Whose appointment: the client's name, or the group's title and size."""
        return people_words(self.slot.title, [visit.client_name for visit in self.visits])

    @property
    def when(self) -> str:
        """`11/03/2026 at 10:00 AM with Carol Clinician at Main`."""
        slot = self.slot
        return f"{us_date(slot.day)} at {slot.at:%-I:%M %p} with {self.staff_name} at {self.location_name}"

    @property
    def initial(self) -> dict[str, Any]:
        """The values its form begins with."""
        slot = self.slot
        return {
            "version": self.version,
            "day": slot.day,
            "at": slot.at,
            "minutes": slot.minutes,
            "staff": str(slot.staff_member_id),
            "location": str(slot.location_id),
            "place_of_service": slot.place_of_service,
            "title": slot.title,
            "group_limit": slot.group_limit,
        }


@query(Permission.DEFAULT)
def appointment_details(actor: Actor, appointment_id: UUID) -> AppointmentDetails:
    """An appointment whose every client this actor may see. Raises NotFound."""
    found = Appointment.objects.filter(pk=appointment_id).select_related("staff_member", "location", "series")
    appointment = found.first()
    members = Visit.objects.filter(appointment_id=appointment_id).select_related("client")
    visits = list(members.order_by("client__last_name", "client__first_name", "pk"))
    seen = visible_clients(actor).filter(pk__in=[visit.client_id for visit in visits]).count()
    if appointment is None or seen != len(visits):
        raise NotFound("There is no such appointment, or you are not assigned to all its clients.")
    planned = planned_services(appointment_id)
    return AppointmentDetails(
        id=appointment.pk,
        version=appointment.version,
        slot=slot_of(appointment, actor.practice.time_zone),
        staff_name=appointment.staff_member.name,
        location_name=appointment.location.name,
        services={visit.client_id: planned[visit.client_id] for visit in visits},
        visits=visit_rows(actor, visits),
        series=_series_of(actor, appointment),
        is_apart=appointment.apart_at is not None,
    )


@query(Permission.DEFAULT)
def client_visits(actor: Actor, client_id: UUID, *, is_past: bool) -> QuerySet[Visit]:
    """A client's visits before today, newest first, or from today on, soonest first; to be paged. Raises NotFound."""
    get_client(actor, client_id)
    visits = Visit.objects.filter(client_id=client_id).select_related("client", "appointment__staff_member")
    if is_past:
        return visits.filter(service_on__lt=actor.today).order_by("-service_on", "-appointment__starts_at", "pk")
    return visits.filter(service_on__gte=actor.today).order_by("service_on", "appointment__starts_at", "pk")


@query(Permission.DEFAULT)
def client_name(actor: Actor, client_id: UUID) -> str:
    """What people call the client. Raises NotFound."""
    return get_client(actor, client_id).name


def _series_of(actor: Actor, appointment: Appointment) -> SeriesFacts | None:
    if appointment.series is None:
        return None
    root_id = appointment.series.root_id or appointment.series.pk
    return series_facts(actor, root_id, from_on=appointment.occurrence_on)
