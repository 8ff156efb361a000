"""Who takes part: a visit for each client of an appointment, with its services (S2, S4). One appointment or many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from daysheet.database.constraints import refusing
from daysheet.kit.errors import Refusal

from .models import Appointment, Visit, VisitService
from .rules import effect_of
from .slot_rules import Members, ServiceChoice

#: What is said of a billed visit (S5).
FROZEN = "This visit is on an invoice, so its facts are frozen. Void the invoice first, then change it."


class VisitBilled(Refusal):
    """The visit is on a live invoice: its facts are frozen until the invoice is voided (S5)."""

    code = "visit_billed"


def add_visits(appointments: Iterable[Appointment], members: Members) -> set[UUID]:
    """A visit for each of `members` in each appointment that they are not in yet; returns the appointments joined."""
    appointments = list(appointments)
    there = set(
        Visit.objects.filter(appointment__in=appointments, client__in=members).values_list(
            "appointment_id", "client_id"
        )
    )
    visits = [
        Visit(appointment=appointment, client_id=client_id, service_on=appointment.service_on)
        for appointment in appointments
        for client_id in members
        if (appointment.pk, client_id) not in there
    ]
    Visit.objects.bulk_create(visits, batch_size=2000)
    add_services(visits, members)
    return {visit.appointment_id for visit in visits}


def add_services(visits: Iterable[Visit], members: Members) -> None:
    """The services of each visit, as chosen for its client."""
    VisitService.objects.bulk_create(
        (service for visit in visits for service in _services(visit, members[visit.client_id])), batch_size=2000
    )


def change_services(visits: Sequence[Visit], services: Members, now: datetime) -> None:
    """Plan other services for these visits; what was planned stays on record, and a fee stays as it is."""
    planned = VisitService.objects.filter(visit__in=visits, is_fee=False, removed_at=None)
    remove_services(planned, now)
    add_services(visits, services)


def planned_services(appointment_id: UUID) -> dict[UUID, list[UUID]]:
    """{client: service types} that an appointment plans, in order; an empty list for a client without one."""
    planned: dict[UUID, list[UUID]] = defaultdict(list)
    for client_id in Visit.objects.filter(appointment_id=appointment_id).values_list("client_id", flat=True):
        planned[client_id] = []
    services = VisitService.objects.filter(visit__appointment_id=appointment_id, is_fee=False, removed_at=None)
    for client_id, type_id in services.order_by("position", "pk").values_list("visit__client_id", "service_type_id"):
        planned[client_id].append(type_id)
    return dict(planned)


def planned_choices(appointment_id: UUID) -> dict[UUID, list[ServiceChoice]]:
    """The members of an appointment and their planned services with all that is set on them; without those who
    canceled, unless everybody did."""
    visits = list(Visit.objects.filter(appointment_id=appointment_id).order_by("pk"))
    coming = [visit for visit in visits if not effect_of(visit.status).suspends_planned] or visits
    choices: dict[UUID, list[ServiceChoice]] = {visit.client_id: [] for visit in coming}
    services = VisitService.objects.filter(visit__in=coming, is_fee=False, removed_at=None).select_related("visit")
    for each in services.order_by("position", "pk"):
        modifiers = None if each.modifiers is None else tuple(each.modifiers)
        choice = ServiceChoice(each.service_type_id, each.rate_cents, each.units, modifiers)
        choices[each.visit.client_id].append(choice)
    return choices


def remove_services(services: QuerySet[VisitService], now: datetime) -> None:
    """Take services off their visit. The rows stay: an invoice that was voided still names them."""
    services.update(removed_at=now, is_suspended=True)


def leave(visits: Collection[Visit]) -> None:
    """Take members out. Raises VisitBilled where an invoice (even a void one) or a payment names one of the visits."""
    once = VisitBilled(
        "This client's visit was on an invoice or has a payment, so it stays on record. "
        "Change its status to Canceled instead. Nothing was changed."
    )
    with refusing(invoicing_invoiceline_visit_service_id_fk=once, payments_payment_visit_id_fk=once):
        VisitService.objects.filter(visit__in=visits).delete()
        Visit.objects.filter(pk__in=[visit.pk for visit in visits]).delete()


def count_members(appointment_ids: Collection[UUID]) -> None:
    """Say of each appointment whether it is a group now."""
    counted = Visit.objects.filter(appointment_id__in=appointment_ids).values("appointment_id")
    groups = counted.annotate(members=Count("pk")).filter(members__gt=1).values_list("appointment_id", flat=True)
    are_groups = set(groups)
    for is_group in (True, False):
        changed = [each for each in appointment_ids if (each in are_groups) is is_group]
        Appointment.objects.filter(pk__in=changed).exclude(is_group=is_group).update(is_group=is_group)


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
