"""What the door reads, once and as sets: candidates with their locks, and the terms they are billed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import JSONObject

from daysheet.clients.models import Client, Coverage, Diagnosis
from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import CoverageFacts
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.schedule.models import VisitService
from daysheet.services.models import ClientService, PayerRate, ServiceType
from daysheet.staff.models import CptLicense, StaffMember

from .models import InvoiceLine
from .rules import (
    Candidate,
    ClientTerms,
    DiagnosisTerms,
    PayerRateTerms,
    ServiceTerms,
    StaffTerms,
    Terms,
)
from .selection import Selection, Skipped


def read_clients(actor: Actor, wanted: Q, *, lock: bool) -> dict[UUID, ClientTerms]:
    """The clients among those this actor may see, locked in id order, with what is agreed with each: one statement."""
    clients = visible_clients(actor).filter(wanted).order_by("pk").annotate(**_agreed())
    if lock:
        clients = clients.select_for_update(no_key=True, of=("self",))
    return {client.pk: _client_terms(client) for client in clients}


def behind_services(visit_service_ids: Collection[UUID]) -> Q:
    """The clients behind visit services; ids of another practice find nobody."""
    services = VisitService.objects.filter(pk__in=visit_service_ids)
    return Q(pk__in=services.values("visit__client_id"))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Visit services as they stand: still unbilled, billed already, and the service types of the unbilled."""

    unbilled: list[Candidate]
    billed: list[Candidate]
    services: dict[UUID, ServiceTerms]


def read_candidates(wanted: Q, *, lock: bool) -> Candidates:
    """The visit services, locked in id order. Someone else's lock is waited for (lock_timeout)."""
    rows = VisitService.objects.filter(wanted, removed_at=None).order_by("pk")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = Candidates([], [], {})
    for row in rows.select_related("visit__appointment__location", "service_type"):
        visit, appointment = row.visit, row.visit.appointment
        candidate = Candidate(
            visit_service_id=row.pk,
            visit_id=visit.pk,
            client_id=visit.client_id,
            service_on=row.service_on,
            position=row.position,
            service_type_id=row.service_type_id,
            minutes=int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60,
            staff_member_id=appointment.staff_member_id,
            place_of_service=appointment.place_of_service or appointment.location.place_of_service,
            status_label=visit.get_status_display(),
            is_suspended=row.is_suspended,
            own_rate_cents=row.rate_cents,
            own_units=row.units,
            own_modifiers=None if row.modifiers is None else tuple(row.modifiers),
        )
        (found.unbilled if row.line_id is None else found.billed).append(candidate)
        if row.service_type_id not in found.services:
            found.services[row.service_type_id] = _service_terms(row.service_type)
    return found


def read_terms(
    actor: Actor, practice: Practice, selection: Selection, found: Candidates, clients: dict[UUID, ClientTerms]
) -> Terms:
    """Prices, coverages, licences and providers for these candidates: a fixed number of statements."""
    services = dict(found.services)
    manual_ids = {line.service_type_id for line in selection.manual if line.service_type_id} - services.keys()
    if manual_ids:
        services |= {each.pk: _service_terms(each) for each in ServiceType.objects.filter(pk__in=manual_ids)}
    staff_ids: set[UUID | None] = {candidate.staff_member_id for candidate in found.unbilled}
    staff_ids |= {edit.rendering_staff_member_id for edit in selection.edits.values()}
    staff_ids |= {line.staff_member_id for line in selection.manual}
    for client in clients.values():
        staff_ids |= {client.rendering_override_id, client.billing_staff_member_id}
    year = actor.today.year
    return Terms(
        year=year,
        practice_name=practice.name,
        practice_npi=practice.npi,
        clients=clients,
        services=services,
        staff=_staff_terms({staff_id for staff_id in staff_ids if staff_id}, year),
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


def _service_terms(service: ServiceType) -> ServiceTerms:
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
