"""The verbs of the schedule: add an appointment, change a visit's status.

Invariant: `service_on` of an appointment is its wall-clock date in practice time; its visits and their services carry
the same date (S6). The facts of a billed visit are frozen (S5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, time
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from .models import Appointment, Visit, VisitService, VisitStatus
from .rules import effect_of, fee_kind, slot


class VisitBilled(Refusal):
    """The visit is on a live invoice: its facts are frozen until the invoice is voided (S5)."""

    code = "visit_billed"


class AppointmentIncomplete(Refusal):
    """No client, no provider, or no length."""

    code = "appointment_incomplete"


class FeeNotDecided(Refusal):
    """A waived fee needs its reason, or the practice has no fee service to charge (S1)."""

    code = "fee_not_decided"


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """One service of a visit; what is None follows the service type and the rules of pricing."""

    service_type_id: UUID
    rate_cents: int | None = None
    units: int | None = None
    modifiers: tuple[str, ...] | None = None


@action(Permission.DEFAULT, audited=False)
def add_appointment(
    actor: Actor,
    *,
    day: date,
    at: time,
    minutes: int,
    staff_member_id: UUID,
    location_id: UUID,
    services: Mapping[UUID, Sequence[ServiceChoice]],
    place_of_service: str = "",
    title: str = "",
    appointment_id: UUID | None = None,
) -> UUID:
    """An appointment at a wall-clock time in practice time, with a visit for each client of `services` (S2, S4).

    The same `appointment_id` again (a second click) is the same appointment. Raises AppointmentIncomplete, NotFound.
    """
    if appointment_id and Appointment.objects.filter(pk=appointment_id).exists():
        return appointment_id
    if not services:
        raise AppointmentIncomplete("Choose at least one client.")
    if not 1 <= minutes <= 24 * 60:
        raise AppointmentIncomplete("The length is between 1 minute and 24 hours.")
    _check_people(actor, staff_member_id, location_id, services)
    starts_at, ends_at = slot(day, at, minutes, actor.practice.time_zone)
    appointment = Appointment.objects.create(
        pk=appointment_id or new_id(),
        service_on=day,
        starts_at=starts_at.astimezone(UTC),
        ends_at=ends_at.astimezone(UTC),
        staff_member_id=staff_member_id,
        location_id=location_id,
        place_of_service=place_of_service,
        is_group=len(services) > 1,
        title=title,
    )
    visits = [Visit(appointment=appointment, client_id=client_id, service_on=day) for client_id in services]
    Visit.objects.bulk_create(visits)
    VisitService.objects.bulk_create(
        VisitService(
            visit=visit,
            service_type_id=choice.service_type_id,
            position=position,
            service_on=day,
            rate_cents=choice.rate_cents,
            units=choice.units,
            modifiers=None if choice.modifiers is None else list(choice.modifiers),
        )
        for visit in visits
        for position, choice in enumerate(services[visit.client_id], start=1)
    )
    record(actor, "add_appointment", "appointment", appointment.pk, clients=len(visits), service_on=day.isoformat())
    return appointment.pk


@action(Permission.DEFAULT)
def set_status(
    actor: Actor,
    *,
    visit_id: UUID,
    status: str,
    initiated_by: str = "",
    charge_fee: bool = False,
    fee_waived_reason: str = "",
) -> None:
    """Change a visit's status (S1): what is planned is suspended or comes back, the fee is charged or waived.

    Raises NotFound, VisitBilled, FeeNotDecided.
    """
    effect = effect_of(VisitStatus(status))
    visit = Visit.objects.filter(pk=visit_id, client__in=visible_clients(actor)).select_for_update(of=("self",)).first()
    if visit is None:
        raise NotFound("There is no such visit, or you are not assigned to the client.")
    services = list(VisitService.objects.filter(visit=visit).order_by("pk").select_for_update(of=("self",)))
    if any(service.line_id for service in services):
        raise VisitBilled("This visit is on an invoice, so its facts are frozen. Void the invoice first.")
    VisitService.objects.filter(visit=visit, is_fee=True).delete()
    VisitService.objects.filter(visit=visit).update(is_suspended=effect.suspends_planned)
    waived = _fee(visit, status, charge_fee, fee_waived_reason) if effect.offers_fee else ""
    Visit.objects.filter(pk=visit.pk).update(
        status=status, initiated_by=initiated_by, fee_waived_reason=waived, status_changed_at=actor.now
    )
    record(
        actor,
        "set_status",
        "visit",
        visit.pk,
        client_id=visit.client_id,
        before=visit.status,
        after=status,
        initiated_by=initiated_by,
        fee=charge_fee and effect.offers_fee,
    )


def _fee(visit: Visit, status: str, charge_fee: bool, reason: str) -> str:
    """Adds the fee service, or answers with the reason for waiving it."""
    if not charge_fee:
        if status != VisitStatus.CANCELED and not reason.strip():
            raise FeeNotDecided("Charge the fee, or say why it is waived. Nothing was changed.")
        return reason.strip()[:200]
    flag = {f"is_{fee_kind(status)}_fee": True}
    service = ServiceType.objects.filter(archived_at=None, **flag).first()
    if service is None:
        raise FeeNotDecided(
            "The practice has no fee service for this. Mark one under Organization, Service Types, or waive the fee."
        )
    VisitService.objects.create(
        visit=visit, service_type=service, position=99, service_on=visit.service_on, is_fee=True
    )
    return ""


def _check_people(
    actor: Actor, staff_member_id: UUID, location_id: UUID, services: Mapping[UUID, Sequence[ServiceChoice]]
) -> None:
    if visible_clients(actor).filter(pk__in=services).count() != len(services):
        raise NotFound("There is no such client, or you are not assigned to the client.")
    if not StaffMember.objects.filter(pk=staff_member_id, is_active=True, is_provider=True).exists():
        raise AppointmentIncomplete("Choose an active provider for the appointment.")
    if not Location.objects.filter(pk=location_id, is_active=True).exists():
        raise AppointmentIncomplete("Choose an active location for the appointment.")
    wanted = {choice.service_type_id for choices in services.values() for choice in choices}
    if ServiceType.objects.filter(pk__in=wanted, archived_at=None).count() != len(wanted):
        raise AppointmentIncomplete("One of the service types is archived or does not exist. Choose another.")
