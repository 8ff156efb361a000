"""What the door decides on, and what it decides: plain data.

What there is one of for each line is a tuple with names: a batch makes tens of thousands, and a frozen dataclass costs
two to seven times as much to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from daysheet.clients.rules import CoverageFacts, IncomeFacts
from daysheet.services.rules import IncomeScaleTerms, PayerRateTerms, PayerRules, PayerRuleTerms

from .selection import LineEdit, Refused


class Candidate(NamedTuple):
    """One visit service as it stands when it is locked for billing. `own_…` override the rules. Only what is planned
    may have no staff member yet."""

    visit_service_id: UUID
    visit_id: UUID
    client_id: UUID
    service_on: date
    position: int
    service_type_id: UUID
    minutes: int
    staff_member_id: UUID | None
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
    """What is agreed with a client. `service_amounts`: Set Payment Amount by service type, cents per unit. `incomes` in
    the order in which they were given."""

    id: UUID
    document_name: str
    address: str
    pays_by_insurance: bool
    set_amount_cents: int | None = None
    service_amounts: Mapping[UUID, int] = field(default_factory=dict)
    rendering_override_id: UUID | None = None
    billing_staff_member_id: UUID | None = None
    coverages: tuple[CoverageFacts, ...] = ()
    incomes: tuple[IncomeFacts, ...] = ()
    diagnoses: tuple[DiagnosisTerms, ...] = ()


@dataclass(frozen=True, slots=True)
class PracticeTerms:
    """The practice as its invoices print it (D2), and who bills where no person does (B11)."""

    name: str
    npi: str
    legal_name: str
    address: str
    phone: str
    tax_id: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything read once, as sets, for one call of the door. `year` is the year of creation in practice time.

    `payer_rates`: by payer and service type. `payer_rules`: by payer. `copay_taken`: (client, date) → copay that live
    lines of that date already stand for.
    """

    year: int
    practice: PracticeTerms
    clients: Mapping[UUID, ClientTerms]
    services: Mapping[UUID, ServiceTerms]
    staff: Mapping[UUID, StaffTerms]
    payer_rates: Mapping[tuple[UUID, UUID], Sequence[PayerRateTerms]] = field(default_factory=dict)
    payer_rules: Mapping[UUID, PayerRules] = field(default_factory=dict)
    income_scales: Sequence[IncomeScaleTerms] = ()
    copay_taken: Mapping[tuple[UUID, date], int] = field(default_factory=dict)


class Case(NamedTuple):
    """One visit service with everything that decides its line, looked up once.

    `coverage`: the policy that pays first; None where the whole amount is the client's. `payer_rules`: those of its
    insurer that fit, the narrowest first; it alone is followed. `person`: who is named as rendering, where known.
    """

    candidate: Candidate
    edit: LineEdit
    client: ClientTerms
    service: ServiceTerms
    coverage: CoverageFacts | None
    payer_rules: Sequence[PayerRuleTerms]
    person: StaffTerms | None


class DecidedLine(NamedTuple):
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


class Decision(NamedTuple):
    """What the door would bill for one visit service, or why it would not. `copay_used_cents`: what other lines of its
    date took of the copay, those billed already and those before it on this bill."""

    case: Case
    line: DecidedLine | None
    refusal: Refused | None
    copay_used_cents: int

    @property
    def candidate(self) -> Candidate:
        """The visit service."""
        return self.case.candidate
