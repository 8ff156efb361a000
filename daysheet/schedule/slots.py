"""Slots in the table: wall-clock time to moments and back, and the locks under which an appointment is changed.

Order of locks, as everywhere: clients by id, then appointments by id. Who holds the clients' locks also holds off the
door, so that no visit is billed while its facts change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, QuerySet, Subquery

from daysheet.clients.queries import lock_clients, visible_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from .models import Appointment, Visit, VisitService
from .rules import span
from .slot_rules import AppointmentIncomplete, Members, Slot


class AppointmentChanged(Refusal):
    """Somebody else changed the appointment since this person was shown it."""

    code = "appointment_changed"
    status = 409


@dataclass(frozen=True, slots=True)
class Opened:
    """An appointment under lock, as it stands: its visits by client, and the clients who are billed for it."""

    appointment: Appointment
    visits: dict[UUID, Visit]
    billed: frozenset[UUID]
    slot: Slot


def open_appointment(
    actor: Actor,
    appointment_id: UUID,
    *,
    version: int | None,
    joining: Collection[UUID] = (),
    with_others: Q | None = None,
) -> Opened:
    """Lock an appointment and its clients (and who is to join, and `with_others` the appointments that this finds).
    `version`: the one the actor was shown, None to take it as it is. Raises NotFound, AppointmentChanged."""
    which = Q(pk=appointment_id) if with_others is None else Q(pk=appointment_id) | with_others
    locked = lock_appointments(actor, which, joining=joining)
    appointment = next((each for each in locked if each.pk == appointment_id), None)
    if appointment is None:
        raise NotFound("There is no such appointment in this practice.")
    check_version(actor, appointment, version)
    visits = {visit.client_id: visit for visit in Visit.objects.filter(appointment=appointment)}
    billed = VisitService.objects.filter(visit__appointment=appointment).exclude(line_id=None)
    return Opened(
        appointment,
        visits,
        frozenset(billed.values_list("visit__client_id", flat=True)),
        slot_of(appointment, actor.practice.time_zone),
    )


def lock_appointments(actor: Actor, which: Q, *, joining: Collection[UUID] = ()) -> list[Appointment]:
    """Lock appointments in order of id, their clients before them. Raises NotFound where the actor may not see one of
    the clients, AppointmentChanged where somebody joined while the locks were waited for."""
    found = Appointment.objects.filter(which).values("pk")
    clients = set(Visit.objects.filter(appointment__in=found).values_list("client_id", flat=True))
    lock_clients({*clients, *joining})
    locked = list(Appointment.objects.filter(which).order_by("pk").select_for_update(no_key=True))
    now_there = set(
        Visit.objects.filter(appointment__in=[each.pk for each in locked]).values_list("client_id", flat=True)
    )
    if not now_there <= clients:
        raise AppointmentChanged("Somebody joined this group just now. Nothing of yours was saved. Open it again.")
    if visible_clients(actor).filter(pk__in=now_there).count() != len(now_there):
        raise NotFound("There is no such appointment, or you are not assigned to all its clients.")
    return locked


def check_version(actor: Actor, appointment: Appointment, version: int | None) -> None:
    """Raises AppointmentChanged where `version` is not the appointment's own: two people, one appointment."""
    if version is None or version == appointment.version:
        return
    slot = slot_of(appointment, actor.practice.time_zone)
    staff_member = StaffMember.objects.get(pk=slot.staff_member_id)
    raise AppointmentChanged(
        f"Somebody else changed this appointment while you had it open. It is now on {us_date(slot.day)} at "
        f"{slot.at:%-I:%M %p} with {staff_member.name}. Nothing of yours was saved. Look at it again, then change it."
    )


def slot_of(appointment: Appointment, time_zone: str) -> Slot:
    """The slot of an appointment as people see it: wall-clock time of the practice."""
    starts_at = appointment.starts_at.astimezone(ZoneInfo(time_zone))
    return Slot(
        day=appointment.service_on,
        at=starts_at.time().replace(fold=0),
        minutes=int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60,
        staff_member_id=appointment.staff_member_id,
        location_id=appointment.location_id,
        place_of_service=appointment.place_of_service,
        title=appointment.title,
        group_limit=appointment.group_limit,
    )


def columns_of(slot: Slot, time_zone: str) -> dict[str, Any]:
    """The columns of an appointment that has this slot."""
    starts_at, ends_at = span(slot.day, slot.at, slot.minutes, time_zone)
    return {
        "service_on": slot.day,
        "starts_at": starts_at.astimezone(UTC),
        "ends_at": ends_at.astimezone(UTC),
        "staff_member_id": slot.staff_member_id,
        "location_id": slot.location_id,
        "place_of_service": slot.place_of_service,
        "title": slot.title,
        "group_limit": slot.group_limit,
    }


def copy_dates(appointments: QuerySet[Appointment]) -> None:
    """Give the visits of these appointments, and the services of those, the appointment's date of service (S6)."""
    visits = Visit.objects.filter(appointment__in=appointments.values("pk"))
    visits.update(
        service_on=Subquery(Appointment.objects.filter(pk=OuterRef("appointment_id")).values("service_on")[:1])
    )
    VisitService.objects.filter(visit__in=visits.values("pk")).update(
        service_on=Subquery(Visit.objects.filter(pk=OuterRef("visit_id")).values("service_on")[:1])
    )


def check_staff(staff_member_id: UUID) -> None:
    """Raises AppointmentIncomplete unless this is an active provider."""
    if not StaffMember.objects.filter(pk=staff_member_id, is_active=True, is_provider=True).exists():
        raise AppointmentIncomplete("Choose an active provider for the appointment.")


def check_location(location_id: UUID) -> None:
    """Raises AppointmentIncomplete unless this is an active location."""
    if not Location.objects.filter(pk=location_id, is_active=True).exists():
        raise AppointmentIncomplete("Choose an active location for the appointment.")


def check_clients(actor: Actor, client_ids: Collection[UUID]) -> None:
    """Raises NotFound unless the actor may see all of them."""
    if visible_clients(actor).filter(pk__in=client_ids).count() != len(client_ids):
        raise NotFound("There is no such client, or you are not assigned to the client.")


def check_services(chosen: Iterable[Members]) -> None:
    """Raises AppointmentIncomplete where a chosen service type is archived or does not exist."""
    wanted = {choice.service_type_id for members in chosen for choices in members.values() for choice in choices}
    if wanted and ServiceType.objects.filter(pk__in=wanted, archived_at=None).count() != len(wanted):
        raise AppointmentIncomplete("One of the service types is archived or does not exist. Choose another.")
