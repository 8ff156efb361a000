"""The verbs of Good Faith Estimates: note that a client asked for one, and give one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Client
from daysheet.clients.queries import get_client
from daysheet.clients.queries.access import lock_clients
from daysheet.clients.rules import address_lines
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from ..models import Estimate, EstimateItem, EstimateRequest


class NotEstimated(Refusal):
    """The estimate would lack something that the regulation asks for."""

    code = "not_estimated"


@dataclass(frozen=True, slots=True)
class ExpectedService:
    """One service of an estimate: `quantity` units at `unit_cents`, rendered by a staff member."""

    service_type_id: UUID
    staff_member_id: UUID
    quantity: int
    unit_cents: int


@dataclass(frozen=True, slots=True)
class EstimateTerms:
    """What an estimate says beside its services."""

    first_on: date
    last_on: date
    description: str
    location_id: UUID
    scheduled_on: date | None = None
    recurrence: str = ""
    separately: str = ""
    diagnosis_codes: tuple[str, ...] = ()


@action(Permission.BILLING, audited=False)
def note_estimate_request(actor: Actor, client_id: UUID, *, request_id: UUID, requested_on: date) -> None:
    """Note that a client asked for an estimate. The same id twice is one request. Raises NotFound, NotEstimated."""
    get_client(actor, client_id)
    if requested_on > actor.today:
        raise NotEstimated("A client cannot have asked on a day that is still to come.")
    _, is_new = EstimateRequest.objects.get_or_create(
        pk=request_id,
        defaults={
            "client_id": client_id, "requested_on": requested_on, "recorded_at": actor.now,
            "recorded_by_name": actor.person_name[:120],
        },
    )  # fmt: skip
    if is_new:
        record(actor, "note_estimate_request", "estimate_request", request_id, client_id=client_id)


@action(Permission.BILLING, audited=False)
def give_estimate(
    actor: Actor, client_id: UUID, *, estimate_id: UUID, terms: EstimateTerms, services: Sequence[ExpectedService]
) -> UUID:
    """Give a client a Good Faith Estimate, dated today. It supersedes the client's newest one where their days meet,
    and answers what the client asked before. The same id twice is one estimate. Raises NotFound, NotEstimated."""
    client = get_client(actor, client_id)
    lock_clients([client_id])
    if Estimate.objects.filter(pk=estimate_id).exists():
        return estimate_id
    _refuse_gaps(client, terms, services)
    location = Location.objects.filter(pk=terms.location_id).first()
    if location is None:
        raise NotFound("There is no such location.")
    _write(actor, client, estimate_id, terms, location)
    _write_items(estimate_id, terms, services)
    record(actor, "give_estimate", "estimate", estimate_id, client_id=client_id, services=len(services))
    return estimate_id


def _refuse_gaps(client: Client, terms: EstimateTerms, services: Sequence[ExpectedService]) -> None:
    if client.birth_on is None:
        raise NotEstimated("An estimate names the client's date of birth. Enter it on the client's Details first.")
    if not services:
        raise NotEstimated("List at least one service that is expected.")
    if not terms.first_on <= terms.last_on < _a_year_after(terms.first_on):
        raise NotEstimated("One estimate covers at most twelve months. For a longer time, give another one then.")
    if sum(each.quantity for each in services) > 1 and not terms.recurrence:
        raise NotEstimated("Say how often the services are expected, such as “weekly, 12 sessions”.")


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # February 29
        return date(day.year + 1, 3, 1)


def _write(actor: Actor, client: Client, estimate_id: UUID, terms: EstimateTerms, location: Location) -> None:
    practice = Practice.objects.get(pk=actor.practice.id)
    of_client = Estimate.objects.filter(client_id=client.pk)
    superseded = of_client.exclude(pk__in=of_client.filter(supersedes__isnull=False).values("supersedes_id"))
    overlapping = superseded.filter(first_on__lte=terms.last_on, last_on__gte=terms.first_on)
    newest = overlapping.order_by("-given_on", "-created_at", "-pk").first()
    Estimate.objects.create(
        id=estimate_id, client=client, given_on=actor.today, created_at=actor.now,
        created_by_name=actor.person_name[:120], supersedes=newest,
        first_on=terms.first_on, last_on=terms.last_on, scheduled_on=terms.scheduled_on, description=terms.description,
        recurrence=terms.recurrence, separately=terms.separately, client_name=client.document_name,
        client_birth_on=client.birth_on, client_address="\n".join(_address(client)),
        practice_name=practice.legal_name or practice.name, practice_npi=practice.npi,
        practice_tax_id=practice.tax_id, location_name=location.name,
        location_address="\n".join(_address(location) or _address(practice)),
    )  # fmt: skip


def _write_items(estimate_id: UUID, terms: EstimateTerms, services: Sequence[ExpectedService]) -> None:
    types = ServiceType.objects.in_bulk([each.service_type_id for each in services])
    staff = StaffMember.objects.in_bulk([each.staff_member_id for each in services])
    items = []
    for position, each in enumerate(services, start=1):
        service, person = types.get(each.service_type_id), staff.get(each.staff_member_id)
        if service is None or person is None:
            raise NotFound("There is no such service type or staff member.")
        items.append(
            EstimateItem(
                id=new_id(), estimate_id=estimate_id, position=position, service_type=service, code=service.code,
                name=service.name, diagnosis_codes=list(terms.diagnosis_codes),
                rendering_name=person.name_with_credentials, rendering_npi=person.npi, quantity=each.quantity,
                unit_cents=each.unit_cents, expected_cents=each.unit_cents * each.quantity,
            )
        )  # fmt: skip
    EstimateItem.objects.bulk_create(items)


def _address(place: Client | Location | Practice) -> tuple[str, ...]:
    return address_lines(place.address_1, place.address_2, place.city, place.state, place.postal_code)
