"""The verbs of the schedule: add an appointment, change it. A visit's status changes in statuses.py.

Invariant: `service_on` of an appointment is its wall-clock date in practice time; its visits and their services carry
the same date (S6). The facts of a billed visit are frozen (S5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients, visible_clients
from daysheet.database.constraints import refusing
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from .models import Appointment, Visit, VisitService
from .rules import effect_of, span


class VisitBilled(Refusal):
    """The visit is on a live invoice: its facts are frozen until the invoice is voided (S5)."""

    code = "visit_billed"


#: What is said of a billed visit (S5).
FROZEN = "This visit is on an invoice, so its facts are frozen. Void the invoice first, then change it."


class AppointmentIncomplete(Refusal):
    """No client, no provider, or no length."""

    code = "appointment_incomplete"


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """One service of a visit; what is None follows the service type and the rules of pricing."""

    service_type_id: UUID
    rate_cents: int | None = None
    units: int | None = None
    modifiers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """When, where, who renders. `day` and `at` are wall-clock practice time; an empty place is the location's."""

    day: date
    at: time
    minutes: int
    staff_member_id: UUID
    location_id: UUID
    place_of_service: str = ""
    title: str = ""


#: The services of each client's visit, in order.
Members = Mapping[UUID, Sequence[ServiceChoice]]


@action(Permission.DEFAULT, audited=False)
def add_appointment(actor: Actor, *, slot: Slot, members: Members, appointment_id: UUID | None = None) -> UUID:
    """An appointment with a visit for each client of `members` (S2, S4).

    The same `appointment_id` again (a second click) is the same appointment. Raises AppointmentIncomplete, NotFound.
    """
    if appointment_id and Appointment.objects.filter(pk=appointment_id).exists():
        return appointment_id
    _check(actor, slot, members)
    appointment = Appointment.objects.create(
        pk=appointment_id or new_id(), is_group=len(members) > 1, **_columns(actor, slot)
    )
    _add_visits(appointment, members)
    record(
        actor, "add_appointment", "appointment", appointment.pk, clients=len(members), service_on=slot.day.isoformat()
    )
    return appointment.pk


@action(Permission.DEFAULT)
def edit_appointment(actor: Actor, *, appointment_id: UUID, slot: Slot, members: Members) -> None:
    """Move an appointment, change who, where and what. Billed visits keep their facts (S5): what would change them is
    refused, what leaves them alone is not. Raises NotFound, VisitBilled, AppointmentIncomplete."""
    appointment = Appointment.objects.filter(pk=appointment_id).select_for_update().first()
    if appointment is None:
        raise NotFound("There is no such appointment in this practice.")
    _check(actor, slot, members)
    visits = {visit.client_id: visit for visit in Visit.objects.filter(appointment=appointment)}
    lock_clients({*visits, *members})
    if visible_clients(actor).filter(pk__in=visits).count() != len(visits):
        raise NotFound("There is no such appointment, or you are not assigned to all its clients.")
    billed = set(
        VisitService.objects.filter(visit__appointment=appointment)
        .exclude(line_id=None)
        .values_list("visit__client_id", flat=True)
    )
    columns = _columns(actor, slot)
    if billed and any(getattr(appointment, name) != value for name, value in columns.items() if name != "title"):
        raise VisitBilled(FROZEN)
    _change_members(appointment, visits, members, billed, actor.now)
    Appointment.objects.filter(pk=appointment.pk).update(is_group=len(members) > 1, changed_at=actor.now, **columns)
    Visit.objects.filter(appointment=appointment).update(service_on=slot.day)
    VisitService.objects.filter(visit__in=Visit.objects.filter(appointment=appointment)).update(service_on=slot.day)
    record(
        actor, "edit_appointment", "appointment", appointment.pk, clients=len(members), service_on=slot.day.isoformat()
    )


def _columns(actor: Actor, slot: Slot) -> dict[str, Any]:
    starts_at, ends_at = span(slot.day, slot.at, slot.minutes, actor.practice.time_zone)
    return {
        "service_on": slot.day,
        "starts_at": starts_at.astimezone(UTC),
        "ends_at": ends_at.astimezone(UTC),
        "staff_member_id": slot.staff_member_id,
        "location_id": slot.location_id,
        "place_of_service": slot.place_of_service,
        "title": slot.title,
    }


def _add_visits(appointment: Appointment, members: Members) -> None:
    visits = [
        Visit(appointment=appointment, client_id=client_id, service_on=appointment.service_on) for client_id in members
    ]
    Visit.objects.bulk_create(visits)
    VisitService.objects.bulk_create(
        service for visit in visits for service in _services(visit, members[visit.client_id])
    )


def _services(visit: Visit, choices: Sequence[ServiceChoice]) -> list[VisitService]:
    return [
        VisitService(
            visit=visit,
            service_type_id=choice.service_type_id,
            position=position,
            service_on=visit.service_on,
            rate_cents=choice.rate_cents,
            units=choice.units,
            modifiers=None if choice.modifiers is None else list(choice.modifiers),
            is_suspended=effect_of(visit.status).suspends_planned,
        )
        for position, choice in enumerate(choices, start=1)
    ]


def _change_members(
    appointment: Appointment,
    visits: Mapping[UUID, Visit],
    members: Members,
    billed: Collection[UUID],
    now: datetime,
) -> None:
    """Members who leave, members who stay with other services, members who join."""
    planned = _planned(appointment)
    for client_id, visit in visits.items():
        wanted = members.get(client_id)
        if wanted is not None and [choice.service_type_id for choice in wanted] == planned[visit.pk]:
            continue
        if client_id in billed:
            raise VisitBilled(FROZEN)
        if wanted is None:
            _leave(visit)
            continue
        remove_services(VisitService.objects.filter(visit=visit, is_fee=False, removed_at=None), now)
        VisitService.objects.bulk_create(_services(visit, wanted))
    _add_visits(appointment, {client: choices for client, choices in members.items() if client not in visits})


def _planned(appointment: Appointment) -> dict[UUID, list[UUID]]:
    planned: dict[UUID, list[UUID]] = defaultdict(list)
    services = VisitService.objects.filter(visit__appointment=appointment, is_fee=False, removed_at=None)
    for visit_id, type_id in services.order_by("position", "pk").values_list("visit_id", "service_type_id"):
        planned[visit_id].append(type_id)
    return planned


def remove_services(services: QuerySet[VisitService], now: datetime) -> None:
    """Take services off their visit. The rows stay: an invoice that was voided still names them."""
    services.update(removed_at=now, is_suspended=True)


def _leave(visit: Visit) -> None:
    """Take a member out; one whom an invoice or payment names stays on record."""
    once = VisitBilled(
        "This client's visit was on an invoice or has a payment, so it stays on record. "
        "Change its status to Canceled instead. Nothing was changed."
    )
    with refusing(invoicing_invoiceline_visit_service_id_fk=once, payments_payment_visit_id_fk=once):
        VisitService.objects.filter(visit=visit).delete()
        Visit.objects.filter(pk=visit.pk).delete()


def _check(actor: Actor, slot: Slot, members: Members) -> None:
    if not members:
        raise AppointmentIncomplete("Choose at least one client.")
    if not 1 <= slot.minutes <= 24 * 60:
        raise AppointmentIncomplete("The length is between 1 minute and 24 hours.")
    if visible_clients(actor).filter(pk__in=members).count() != len(members):
        raise NotFound("There is no such client, or you are not assigned to the client.")
    if not StaffMember.objects.filter(pk=slot.staff_member_id, is_active=True, is_provider=True).exists():
        raise AppointmentIncomplete("Choose an active provider for the appointment.")
    if not Location.objects.filter(pk=slot.location_id, is_active=True).exists():
        raise AppointmentIncomplete("Choose an active location for the appointment.")
    wanted = {choice.service_type_id for choices in members.values() for choice in choices}
    if ServiceType.objects.filter(pk__in=wanted, archived_at=None).count() != len(wanted):
        raise AppointmentIncomplete("One of the service types is archived or does not exist. Choose another.")
