"""What the door reads, once and as sets: candidates with their locks, and the terms they are billed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Sum

from daysheet.clients.models import Client, Coverage, Diagnosis
from daysheet.clients.rules import CoverageFacts
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.schedule.models import VisitService, VisitStatus
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

_LABELS = dict(VisitStatus.choices)


def lock_clients(client_ids: Collection[UUID]) -> None:
    """One client is billed by one transaction at a time: the copay of a date is taken once (B10), and everybody takes
    locks in the same order. Compatible with the key locks that other inserts take on the client."""
    locked = Client.objects.filter(pk__in=client_ids).order_by("pk").select_for_update(no_key=True)
    list(locked.values_list("pk", flat=True))


def client_ids_of(visit_service_ids: Collection[UUID]) -> set[UUID]:
    """The clients behind visit services; ids of another practice find nothing."""
    found = VisitService.objects.filter(pk__in=visit_service_ids).values_list("visit__client_id", flat=True)
    return set(found)


def read_candidates(visit_service_ids: Collection[UUID], *, lock: bool) -> tuple[list[Candidate], list[Candidate]]:
    """(unbilled, already billed), the rows locked in id order. Someone else's lock is waited for (lock_timeout)."""
    rows = VisitService.objects.filter(pk__in=visit_service_ids).order_by("pk")
    if lock:
        rows = rows.select_for_update(of=("self",))
    unbilled: list[Candidate] = []
    billed: list[Candidate] = []
    for row in rows.values_list(
        "pk", "visit_id", "visit__client_id", "service_on", "position", "service_type_id",
        "visit__appointment__starts_at", "visit__appointment__ends_at", "visit__appointment__staff_member_id",
        "visit__appointment__place_of_service", "visit__appointment__location__place_of_service",
        "visit__status", "is_suspended", "rate_cents", "units", "modifiers", "line_id",
    ):  # fmt: skip
        (
            pk, visit_id, client_id, service_on, position, service_id, starts, ends, staff_id, own_place, place,
            status, suspended, rate, units, modifiers, line_id,
        ) = row  # fmt: skip
        candidate = Candidate(
            visit_service_id=pk, visit_id=visit_id, client_id=client_id, service_on=service_on, position=position,
            service_type_id=service_id, minutes=int((ends - starts).total_seconds()) // 60, staff_member_id=staff_id,
            place_of_service=own_place or place, status_label=_LABELS[status], is_suspended=suspended,
            own_rate_cents=rate, own_units=units, own_modifiers=None if modifiers is None else tuple(modifiers),
        )  # fmt: skip
        (unbilled if line_id is None else billed).append(candidate)
    return unbilled, billed


def read_terms(actor: Actor, selection: Selection, candidates: Collection[Candidate], client_ids: set[UUID]) -> Terms:
    """Prices, coverages, licences and providers for these candidates: a fixed number of queries."""
    practice = Practice.objects.only("name", "npi").get(pk=actor.practice.id)
    clients = _client_terms(client_ids)
    service_ids = {c.service_type_id for c in candidates}
    service_ids |= {line.service_type_id for line in selection.manual if line.service_type_id}
    staff_ids: set[UUID | None] = {c.staff_member_id for c in candidates}
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
        services=_service_terms(service_ids),
        staff=_staff_terms({staff_id for staff_id in staff_ids if staff_id}, year),
        payer_rates=_payer_rates(clients, service_ids),
        copay_taken=_copay_taken(client_ids, {c.service_on for c in candidates}),
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


def _client_terms(client_ids: set[UUID]) -> dict[UUID, ClientTerms]:
    coverages: dict[UUID, list[CoverageFacts]] = defaultdict(list)
    for row in (
        Coverage.objects.filter(client_id__in=client_ids)
        .order_by("rank", "starts_on", "pk")
        .values_list("client_id", "pk", "payer_id", "rank", "copay_cents", "starts_on", "ends_on")
    ):
        coverages[row[0]].append(CoverageFacts(*row[1:]))
    diagnoses: dict[UUID, list[DiagnosisTerms]] = defaultdict(list)
    for client_id, code, starts_on, ends_on in (
        Diagnosis.objects.filter(client_id__in=client_ids)
        .order_by("position", "pk")
        .values_list("client_id", "code", "starts_on", "ends_on")
    ):
        diagnoses[client_id].append(DiagnosisTerms(code, starts_on, ends_on))
    amounts: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for client_id, service_id, amount_cents in ClientService.objects.filter(
        client_id__in=client_ids, set_payment_amount_cents__isnull=False
    ).values_list("client_id", "service_type_id", "set_payment_amount_cents"):
        amounts[client_id][service_id] = amount_cents or 0
    return {
        client.pk: ClientTerms(
            id=client.pk,
            document_name=client.document_name,
            address=_address(client),
            pays_by_insurance=client.pays_by == Client.PaysBy.INSURANCE,
            set_amount_cents=client.set_payment_amount_cents,
            service_amounts=amounts.get(client.pk, {}),
            rendering_override_id=client.rendering_override_id,
            billing_staff_member_id=client.billing_staff_member_id,
            coverages=tuple(coverages.get(client.pk, ())),
            diagnoses=tuple(diagnoses.get(client.pk, ())),
        )
        for client in Client.objects.filter(pk__in=client_ids)
    }


def _service_terms(service_ids: set[UUID]) -> dict[UUID, ServiceTerms]:
    return {
        service.pk: ServiceTerms(
            service.pk, service.code, service.name, service.kind, service.rate_cents, service.unit_rule,
            service.unit_count, tuple(service.modifiers), service.bills_insurance,
        )
        for service in ServiceType.objects.filter(pk__in=service_ids)
    }  # fmt: skip


def _staff_terms(staff_ids: set[UUID], year: int) -> dict[UUID, StaffTerms]:
    licensed = set(
        CptLicense.objects.filter(staff_member_id__in=staff_ids, year=year).values_list("staff_member_id", flat=True)
    )
    return {
        person.pk: StaffTerms(person.pk, person.name_with_credentials, person.npi, person.pk in licensed)
        for person in StaffMember.objects.filter(pk__in=staff_ids)
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


def _copay_taken(client_ids: set[UUID], days: set[date]) -> dict[tuple[UUID, date], int]:
    taken = (
        InvoiceLine.objects.filter(client_id__in=client_ids, service_on__in=days, ended_at=None, copay_cents__gt=0)
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
