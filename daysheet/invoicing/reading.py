"""What the door reads, once and as sets: candidates with their locks, and the terms they are billed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Extract, JSONObject

from daysheet.clients.models import Client, Coverage, Diagnosis
from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import CoverageFacts
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.schedule.models import Appointment, Visit, VisitService, VisitStatus
from daysheet.services.models import ClientService, PayerRate, ServiceType
from daysheet.staff.licenses.actions import renew_if_due
from daysheet.staff.models import CptLicense, StaffMember

from .models import InvoiceLine
from .rules import (
    CPT,
    Candidate,
    ClientTerms,
    DiagnosisTerms,
    PayerRateTerms,
    ServiceTerms,
    StaffTerms,
    Terms,
)
from .selection import Selection, Skipped


@dataclass(frozen=True, slots=True)
class ClientsToBill:
    """Clients with what is agreed with each, and their practice (None where nobody was found)."""

    terms: dict[UUID, ClientTerms]
    practice: Practice | None


def read_clients(actor: Actor, wanted: Q, *, lock: bool) -> ClientsToBill:
    """The clients among those this actor may see, locked in id order, with what is agreed with each and with their
    practice: one statement."""
    clients = visible_clients(actor).filter(wanted).order_by("pk").select_related("practice").annotate(**_agreed())
    if lock:
        clients = clients.select_for_update(no_key=True, of=("self",))
    found = list(clients)
    return ClientsToBill({each.pk: _client_terms(each) for each in found}, found[0].practice if found else None)


def clients_behind(visit_service_ids: Collection[UUID]) -> set[UUID]:
    """The clients of visit services; ids of another practice find nobody."""
    services = VisitService.objects.filter(pk__in=visit_service_ids).annotate(
        client_of=Subquery(_visit_of_service().values("client_id"))
    )
    return set(services.values_list("client_of", flat=True))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Visit services as they stand: still unbilled, billed already, and the service types of all."""

    unbilled: list[Candidate]
    billed: list[Candidate]
    services: dict[UUID, ServiceTerms]


def read_candidates(wanted: Q, *, lock: bool) -> Candidates:
    """The visit services, locked in id order. Someone else's lock is waited for (lock_timeout).

    Visit, appointment and location come by look-ups inside each other, each of one table by its whole key, and never
    by a join: of a practice that is new or was just imported PostgreSQL's statistics know nothing, and a join was seen
    to pair every appointment of the practice with every visit, for every service (minutes for 600 of them).
    """
    rows = VisitService.objects.filter(wanted, removed_at=None).order_by("pk")
    rows = rows.annotate(facts=Subquery(_facts()), service=Subquery(_service()))
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = Candidates([], [], {})
    for row in rows:
        if row.service_type_id not in found.services:
            found.services[row.service_type_id] = ServiceTerms(
                **{**row.service, "id": row.service_type_id, "modifiers": tuple(row.service["modifiers"])}
            )
        candidate = _candidate(row)
        (found.unbilled if row.line_id is None else found.billed).append(candidate)
    return found


def _visit_of_service() -> QuerySet[Visit]:
    return Visit.objects.filter(pk=OuterRef("visit_id"))


def _facts() -> Any:
    """What the door needs of the visit, its appointment and its location, as one JSON object inside another."""
    length = Extract(F("ends_at") - F("starts_at"), "epoch")
    location = Location.objects.filter(pk=OuterRef("location_id")).values("place_of_service")
    appointment = Appointment.objects.filter(pk=OuterRef("appointment_id")).values(
        facts=JSONObject(
            seconds=Cast(length, IntegerField()),
            staff=F("staff_member_id"),
            own_place=F("place_of_service"),
            place=Subquery(location),
        )
    )
    return _visit_of_service().values(
        facts=JSONObject(client=F("client_id"), status=F("status"), slot=Subquery(appointment))
    )


def _service() -> Any:
    """The service type of a visit service, as one JSON object with the fields of ServiceTerms."""
    names = [name for name in ServiceTerms.__dataclass_fields__ if name != "id"]
    return ServiceType.objects.filter(pk=OuterRef("service_type_id")).values(service=_json(*names))


def _candidate(row: Any) -> Candidate:
    facts, slot = row.facts, row.facts["slot"]
    return Candidate(
        visit_service_id=row.pk,
        visit_id=row.visit_id,
        client_id=UUID(facts["client"]),
        service_on=row.service_on,
        position=row.position,
        service_type_id=row.service_type_id,
        minutes=slot["seconds"] // 60,
        staff_member_id=UUID(slot["staff"]),
        place_of_service=slot["own_place"] or slot["place"],
        status_label=VisitStatus(facts["status"]).label,
        is_suspended=row.is_suspended,
        own_rate_cents=row.rate_cents,
        own_units=row.units,
        own_modifiers=None if row.modifiers is None else tuple(row.modifiers),
    )


def read_terms(
    actor: Actor, practice: Practice, selection: Selection, found: Candidates, clients: dict[UUID, ClientTerms]
) -> Terms:
    """Prices, coverages, licences and providers for these candidates: a fixed number of statements.

    Where a licence is missing, the renewal of the year may only be late (L2): it is carried out first, so that a bill
    in the first minutes of January is not refused for want of a clock.
    """
    services = dict(found.services)
    manual_ids = {line.service_type_id for line in selection.manual if line.service_type_id} - services.keys()
    if manual_ids:
        services |= {each.pk: service_terms(each) for each in ServiceType.objects.filter(pk__in=manual_ids)}
    staff_ids: set[UUID | None] = {candidate.staff_member_id for candidate in found.unbilled}
    staff_ids |= {edit.rendering_staff_member_id for edit in selection.edits.values()}
    staff_ids |= {line.staff_member_id for line in selection.manual}
    for client in clients.values():
        staff_ids |= {client.rendering_override_id, client.billing_staff_member_id}
    staff, year = {staff_id for staff_id in staff_ids if staff_id}, actor.today.year
    people = _staff_terms(staff, year)
    needs_license = any(service.kind == CPT for service in services.values())
    if needs_license and not all(person.is_licensed for person in people.values()):
        renew_if_due(actor.practice, actor.now)
        people = _staff_terms(staff, year)  # also where another transaction has just renewed
    return Terms(
        year=year,
        practice_name=practice.name,
        practice_npi=practice.npi,
        clients=clients,
        services=services,
        staff=people,
        payer_rates=_payer_rates(clients, set(services)),
        copay_taken=_copay_taken(clients, {candidate.service_on for candidate in found.unbilled}),
    )


def skipped_of(billed: Collection[Candidate]) -> tuple[Skipped, ...]:
    """Already billed visit services by date of service and the invoice that has them (B5)."""
    if not billed:
        return ()
    numbers = dict(
        InvoiceLine.objects.filter(
            visit_service_id__in=[c.visit_service_id for c in billed], ended_at=None
        ).values_list("visit_service_id", "invoice__number")
    )
    groups: dict[tuple[UUID, date, int], list[UUID]] = defaultdict(list)
    for candidate in billed:
        number = numbers[candidate.visit_service_id]
        groups[candidate.client_id, candidate.service_on, number].append(candidate.visit_service_id)
    return tuple(
        Skipped(tuple(ids), client_id, service_on, number) for (client_id, service_on, number), ids in groups.items()
    )


def _agreed() -> dict[str, ArraySubquery]:
    """Coverages, diagnoses and amounts of a client as arrays, so that clients and their terms are one statement."""
    of_client = {"client": OuterRef("pk")}
    amounts = ClientService.objects.filter(**of_client, set_payment_amount_cents__isnull=False)
    return {
        "agreed_coverages": ArraySubquery(
            Coverage.objects.filter(**of_client)
            .order_by("rank", "starts_on", "pk")
            .values_list(_json("pk", "payer_id", "rank", "copay_cents", "starts_on", "ends_on"))
        ),
        "agreed_diagnoses": ArraySubquery(
            Diagnosis.objects.filter(**of_client)
            .order_by("position", "pk")
            .values_list(_json("code", "starts_on", "ends_on"))
        ),
        "agreed_amounts": ArraySubquery(amounts.values_list(_json("service_type_id", "set_payment_amount_cents"))),
    }


def _json(*names: str) -> JSONObject:
    return JSONObject(**{name: F(name) for name in names})


def _client_terms(client: Any) -> ClientTerms:
    return ClientTerms(
        id=client.pk,
        document_name=client.document_name,
        address=_address(client),
        pays_by_insurance=client.pays_by == Client.PaysBy.INSURANCE,
        set_amount_cents=client.set_payment_amount_cents,
        service_amounts={
            UUID(each["service_type_id"]): each["set_payment_amount_cents"] for each in client.agreed_amounts
        },
        rendering_override_id=client.rendering_override_id,
        billing_staff_member_id=client.billing_staff_member_id,
        coverages=tuple(
            CoverageFacts(
                UUID(each["pk"]), UUID(each["payer_id"]), each["rank"], each["copay_cents"],
                date.fromisoformat(each["starts_on"]), _day(each["ends_on"]),
            )
            for each in client.agreed_coverages
        ),
        diagnoses=tuple(
            DiagnosisTerms(each["code"], date.fromisoformat(each["starts_on"]), _day(each["ends_on"]))
            for each in client.agreed_diagnoses
        ),
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def service_terms(service: ServiceType) -> ServiceTerms:
    return ServiceTerms(
        service.pk, service.code, service.name, service.kind, service.rate_cents, service.unit_rule,
        service.unit_count, tuple(service.modifiers), service.bills_insurance,
    )  # fmt: skip


def _staff_terms(staff_ids: set[UUID], year: int) -> dict[UUID, StaffTerms]:
    licensed = Exists(CptLicense.objects.filter(staff_member=OuterRef("pk"), year=year))
    return {
        person.pk: StaffTerms(person.pk, person.name_with_credentials, person.npi, person.is_licensed)
        for person in StaffMember.objects.filter(pk__in=staff_ids).annotate(is_licensed=licensed)
    }


def _payer_rates(
    clients: dict[UUID, ClientTerms], service_ids: set[UUID]
) -> dict[tuple[UUID, UUID], list[PayerRateTerms]]:
    payer_ids = {coverage.payer_id for client in clients.values() for coverage in client.coverages}
    rates: dict[tuple[UUID, UUID], list[PayerRateTerms]] = defaultdict(list)
    if payer_ids:
        found = PayerRate.objects.filter(payer_id__in=payer_ids, service_type_id__in=service_ids)
        for payer_id, service_id, cents, starts_on, ends_on in found.values_list(
            "payer_id", "service_type_id", "rate_cents", "starts_on", "ends_on"
        ):
            rates[payer_id, service_id].append(PayerRateTerms(cents, starts_on, ends_on))
    return rates


def _copay_taken(client_ids: Collection[UUID], days: set[date]) -> dict[tuple[UUID, date], int]:
    taken = (
        InvoiceLine.objects.filter(client__in=list(client_ids), service_on__in=days, ended_at=None, copay_cents__gt=0)
        .values("client_id", "service_on")
        .annotate(taken=Sum("copay_cents"))
        .values_list("client_id", "service_on", "taken")
    )
    return {(client_id, day): cents for client_id, day, cents in taken}


def _address(client: Client) -> str:
    town = " ".join(
        part for part in (f"{client.city}," if client.city else "", client.state, client.postal_code) if part
    )
    return "\n".join(part for part in (client.address_1, client.address_2, town) if part)
