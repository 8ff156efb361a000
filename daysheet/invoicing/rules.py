"""What a line is: price, units, sides, providers, or the reason there is none (B9-B11, L1). No database, no clock.

Invariant: client part + insurance part = amount = rate × units, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from daysheet.clients.rules import CoverageFacts, coverage_on
from daysheet.services.rules import rate_for, units_for

from .selection import NO_EDIT, LineEdit, ManualLine, Refused

CPT = "cpt"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One visit service as it stands when it is locked for billing. `own_…` override the rules."""

    visit_service_id: UUID
    visit_id: UUID
    client_id: UUID
    service_on: date
    position: int
    service_type_id: UUID
    minutes: int
    staff_member_id: UUID
    place_of_service: str
    status_label: str
    is_suspended: bool
    own_rate_cents: int | None
    own_units: int | None
    own_modifiers: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """A service type at the moment of billing."""

    id: UUID
    code: str
    name: str
    kind: str
    rate_cents: int
    unit_rule: str
    unit_count: int
    modifiers: tuple[str, ...]
    bills_insurance: bool


@dataclass(frozen=True, slots=True)
class StaffTerms:
    """A staff member at the moment of billing; `is_licensed` for the year of the invoice's creation (L1)."""

    id: UUID
    name: str
    npi: str
    is_licensed: bool


@dataclass(frozen=True, slots=True)
class DiagnosisTerms:
    """A diagnosis in force on [starts_on, ends_on)."""

    code: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """What is agreed with a client. `service_amounts`: Set Payment Amount by service type, cents per unit."""

    id: UUID
    document_name: str
    address: str
    pays_by_insurance: bool
    set_amount_cents: int | None = None
    service_amounts: Mapping[UUID, int] = field(default_factory=dict)
    rendering_override_id: UUID | None = None
    billing_staff_member_id: UUID | None = None
    coverages: tuple[CoverageFacts, ...] = ()
    diagnoses: tuple[DiagnosisTerms, ...] = ()


@dataclass(frozen=True, slots=True)
class PayerRateTerms:
    """A payer's rate per unit, in force on [starts_on, ends_on)."""

    rate_cents: int
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything read once, as sets, for one call of the door. `year` is the year of creation in practice time.

    `copay_taken`: (client, date) → copay that live lines of that date already stand for.
    """

    year: int
    practice_name: str
    practice_npi: str
    clients: Mapping[UUID, ClientTerms]
    services: Mapping[UUID, ServiceTerms]
    staff: Mapping[UUID, StaffTerms]
    payer_rates: Mapping[tuple[UUID, UUID], Sequence[PayerRateTerms]] = field(default_factory=dict)
    copay_taken: Mapping[tuple[UUID, date], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """A line with everything that B9 freezes."""

    visit_service_id: UUID | None
    visit_id: UUID | None
    service_on: date
    service_type_id: UUID | None
    code: str
    name: str
    is_cpt: bool
    modifiers: tuple[str, ...]
    place_of_service: str
    rate_cents: int
    units: int
    client_cents: int
    insurance_cents: int
    copay_cents: int
    price_source: str
    coverage_id: UUID | None
    rendering_staff_member_id: UUID | None
    rendering_name: str
    rendering_npi: str
    billing_name: str
    billing_npi: str
    diagnosis_codes: tuple[str, ...]
    note: str

    @property
    def amount_cents(self) -> int:
        """Rate × units."""
        return self.rate_cents * self.units


def decide_lines(
    candidates: Iterable[Candidate], terms: Terms, edits: Mapping[UUID, LineEdit]
) -> tuple[list[DecidedLine], list[Refused]]:
    """The lines of one client, in order of date and position, and the refusals among them."""
    lines: list[DecidedLine] = []
    refused: list[Refused] = []
    copay_used = dict(terms.copay_taken)
    for candidate in sorted(
        candidates, key=lambda c: (c.service_on, str(c.visit_id), c.position, str(c.visit_service_id))
    ):
        edit = edits.get(candidate.visit_service_id, NO_EDIT)
        why_not = _why_not(candidate, terms, edit)
        if why_not:
            refused.append(why_not)
            continue
        day = (candidate.client_id, candidate.service_on)
        line = _decide_line(candidate, terms, edit, copay_used.get(day, 0))
        copay_used[day] = copay_used.get(day, 0) + line.copay_cents
        lines.append(line)
    return lines, refused


def split_sides(
    amount_cents: int, *, insured: bool, copay_cents: int | None, copay_used_cents: int
) -> tuple[int, int, int]:
    """B10: (client part, insurance part, copay this line stands for), in cents.

    Not insured: all the client's. Insured without a known copay: all the insurer's. With copay c: the client owes
    min(c, amount) once per date of service, so what earlier lines of that date took is no longer due.
    """
    if not insured:
        return amount_cents, 0, 0
    due = min(max((copay_cents or 0) - copay_used_cents, 0), amount_cents)
    return due, amount_cents - due, due


def decide_manual_line(line: ManualLine, terms: Terms, client: ClientTerms) -> DecidedLine | Refused:
    """A manual line: the typed rate and side stand; a CPT-coded service needs its rendering provider's licence (L1)."""
    service = terms.services.get(line.service_type_id) if line.service_type_id else None
    person = terms.staff.get(line.staff_member_id) if line.staff_member_id else None
    is_cpt = service is not None and service.kind == CPT
    if is_cpt and (person is None or not person.is_licensed):
        return _no_license(terms.year, person, client.id, line.service_on, ())
    amount = line.rate_cents * line.units
    to_client = amount if line.side == "client" else 0
    insured = _coverage(client, line.service_on) if line.side == "insurance" else None
    if line.side == "insurance" and insured is None:
        return Refused(
            (), client.id, line.service_on, "no_coverage",
            f"{client.document_name} has no coverage in force on {line.service_on:%m/%d/%Y}: "
            "put the item on the client's side, or add the coverage under Bill To & Insurance Info.",
        )  # fmt: skip
    billing_name, billing_npi = _billing_provider(terms, client)
    return DecidedLine(
        visit_service_id=None,
        visit_id=None,
        service_on=line.service_on,
        service_type_id=line.service_type_id,
        code=service.code if service else "",
        name=line.name or (service.name if service else ""),
        is_cpt=is_cpt,
        modifiers=service.modifiers if service else (),
        place_of_service="",
        rate_cents=line.rate_cents,
        units=line.units,
        client_cents=to_client,
        insurance_cents=amount - to_client,
        copay_cents=0,
        price_source="edited",
        coverage_id=insured.id if insured else None,
        rendering_staff_member_id=person.id if person else None,
        rendering_name=person.name if person else "",
        rendering_npi=person.npi if person else "",
        billing_name=billing_name,
        billing_npi=billing_npi,
        diagnosis_codes=(),
        note=line.note,
    )


def _why_not(candidate: Candidate, terms: Terms, edit: LineEdit) -> Refused | None:
    if candidate.is_suspended and not edit.bill_although_suspended:
        return Refused(
            (candidate.visit_service_id,), candidate.client_id, candidate.service_on, "not_kept",
            f"The visit of {candidate.service_on:%m/%d/%Y} is {candidate.status_label} with nothing to bill. "
            "Change its status on the Agenda, or tick it on purpose.",
        )  # fmt: skip
    person = terms.staff.get(_rendering_id(candidate, terms, edit))
    if terms.services[candidate.service_type_id].kind == CPT and (person is None or not person.is_licensed):
        return _no_license(terms.year, person, candidate.client_id, candidate.service_on, (candidate.visit_service_id,))
    return None


def _no_license(
    year: int, person: StaffTerms | None, client_id: UUID, service_on: date, visit_service_ids: tuple[UUID, ...]
) -> Refused:
    if person is None:
        return Refused(
            visit_service_ids, client_id, service_on, "no_rendering_provider",
            "A CPT-coded line needs a rendering provider: choose who performed the service.",
        )  # fmt: skip
    return Refused(
        visit_service_ids, client_id, service_on, "license_missing",
        f"{person.name} has no AMA CPT license for {year}, so a CPT-coded service cannot be billed. "
        "An administrator can assign it under Organization, AMA CPT Licenses.",
        staff_member_id=person.id, year=year,
    )  # fmt: skip


def _decide_line(candidate: Candidate, terms: Terms, edit: LineEdit, copay_used_cents: int) -> DecidedLine:
    client = terms.clients[candidate.client_id]
    service = terms.services[candidate.service_type_id]
    coverage = _coverage(client, candidate.service_on) if service.bills_insurance else None
    rate_cents, source = _rate(candidate, terms, edit, coverage)
    units = edit.units or candidate.own_units or units_for(service.unit_rule, service.unit_count, candidate.minutes)
    to_client, to_insurance, copay_cents = split_sides(
        rate_cents * units,
        insured=coverage is not None,
        copay_cents=coverage.copay_cents if coverage else None,
        copay_used_cents=copay_used_cents,
    )
    person = terms.staff.get(_rendering_id(candidate, terms, edit))
    billing_name, billing_npi = _billing_provider(terms, client)
    return DecidedLine(
        visit_service_id=candidate.visit_service_id,
        visit_id=candidate.visit_id,
        service_on=candidate.service_on,
        service_type_id=service.id,
        code=service.code,
        name=service.name,
        is_cpt=service.kind == CPT,
        modifiers=_first_given(edit.modifiers, candidate.own_modifiers, service.modifiers),
        place_of_service=candidate.place_of_service if edit.place_of_service is None else edit.place_of_service,
        rate_cents=rate_cents,
        units=units,
        client_cents=to_client,
        insurance_cents=to_insurance,
        copay_cents=copay_cents,
        price_source=source,
        coverage_id=coverage.id if coverage else None,
        rendering_staff_member_id=person.id if person else None,
        rendering_name=person.name if person else "",
        rendering_npi=person.npi if person else "",
        billing_name=billing_name,
        billing_npi=billing_npi,
        diagnosis_codes=_diagnoses_on(client, candidate.service_on),
        note=edit.note or "",
    )


def _rate(candidate: Candidate, terms: Terms, edit: LineEdit, coverage: CoverageFacts | None) -> tuple[int, str]:
    if edit.rate_cents is not None:
        return edit.rate_cents, "edited"
    client = terms.clients[candidate.client_id]
    payer_rate = None
    if coverage is not None:
        payer_rate = _payer_rate_on(
            terms.payer_rates.get((coverage.payer_id, candidate.service_type_id), ()), candidate.service_on
        )
    return rate_for(
        service_rate_cents=terms.services[candidate.service_type_id].rate_cents,
        visit_rate_cents=candidate.own_rate_cents,
        client_service_amount_cents=client.service_amounts.get(candidate.service_type_id),
        client_amount_cents=client.set_amount_cents,
        payer_rate_cents=payer_rate,
    )


def _rendering_id(candidate: Candidate, terms: Terms, edit: LineEdit) -> UUID:
    override = terms.clients[candidate.client_id].rendering_override_id
    return edit.rendering_staff_member_id or override or candidate.staff_member_id


def _billing_provider(terms: Terms, client: ClientTerms) -> tuple[str, str]:
    person = terms.staff.get(client.billing_staff_member_id) if client.billing_staff_member_id else None
    return (person.name, person.npi) if person else (terms.practice_name, terms.practice_npi)


def _coverage(client: ClientTerms, day: date) -> CoverageFacts | None:
    return coverage_on(client.coverages, day) if client.pays_by_insurance else None


def _payer_rate_on(rates: Sequence[PayerRateTerms], day: date) -> int | None:
    in_force = [rate for rate in rates if rate.starts_on <= day and (rate.ends_on is None or day < rate.ends_on)]
    return max(in_force, key=lambda rate: rate.starts_on).rate_cents if in_force else None


def _diagnoses_on(client: ClientTerms, day: date) -> tuple[str, ...]:
    """At most twelve: what CMS-1500 box 21 and 837P HI hold."""
    in_force = (d.code for d in client.diagnoses if d.starts_on <= day and (d.ends_on is None or day < d.ends_on))
    return tuple(in_force)[:12]


def _first_given(*choices: tuple[str, ...] | None) -> tuple[str, ...]:
    return next(choice for choice in choices if choice is not None)
