"""What a line is: price, units, sides, modifiers, providers, or the reason there is none (B9-B11, L1).

No database, no clock. Invariant: client part + insurance part = amount = rate × units, to the cent. What explains a
line (`explaining`) asks the same functions as what bills it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from uuid import UUID

from daysheet.clients.rules import CoverageFacts, coverage_on, income_on
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.services.rules import (
    CPT,
    MOST_MODIFIERS,
    PriceRule,
    income_step_for,
    payer_rules_for,
    ranked_prices,
    standing_on,
    units_for,
    with_added,
)

from .selection import NO_EDIT, LineEdit, ManualLine, Refused
from .terms import Candidate, Case, ClientTerms, DecidedLine, Decision, StaffTerms, Terms


def decide_lines(
    candidates: Iterable[Candidate], terms: Terms, edits: Mapping[UUID, LineEdit]
) -> tuple[list[DecidedLine], list[Refused]]:
    """The lines of one client, in order of date and position, and the refusals among them."""
    decisions = list(decide_each(candidates, terms, edits))
    lines = [decision.line for decision in decisions if decision.line is not None]
    return lines, [decision.refusal for decision in decisions if decision.refusal is not None]


def decide_each(
    candidates: Iterable[Candidate], terms: Terms, edits: Mapping[UUID, LineEdit], *, although_refused: bool = False
) -> Iterator[Decision]:
    """Line or refusal of each visit service of one client, in order of date and position: the copay of a date goes to
    the first of its lines. `although_refused`: what is only planned has a line beside its refusal."""
    copay_used: dict[date, int] = {}
    for candidate in sorted(
        candidates, key=lambda c: (c.service_on, c.visit_id.int, c.position, c.visit_service_id.int)
    ):
        case = case_of(candidate, terms, edits.get(candidate.visit_service_id, NO_EDIT) if edits else NO_EDIT)
        day = candidate.service_on
        used_cents = copay_used.get(day)
        if used_cents is None:
            used_cents = terms.copay_taken.get((candidate.client_id, day), 0)
        why_not = _why_not(case, terms.year)
        if why_not and not although_refused:
            yield Decision(case, None, why_not, used_cents)
            continue
        line = decide_line(case, terms, used_cents)
        too_much = _too_much(line.amount_cents, candidate.client_id, day, candidate)
        if too_much and not although_refused:
            yield Decision(case, None, too_much, used_cents)
            continue
        copay_used[day] = used_cents + line.copay_cents
        yield Decision(case, line, why_not or too_much, used_cents)


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
    if too_much := _too_much(amount, client.id, line.service_on):
        return too_much
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


def _too_much(amount_cents: int, client_id: UUID, day: date, candidate: Candidate | None = None) -> Refused | None:
    """A slip of the keyboard in rate or units, rather than the dearest line ever billed."""
    if amount_cents <= LARGEST_CENTS:
        return None
    return Refused(
        (candidate.visit_service_id,) if candidate else (), client_id, day, "amount_too_large",
        f"The line of {day:%m/%d/%Y} comes to {Money(amount_cents)}, and no line may be more than "
        f"{Money(LARGEST_CENTS)}. Correct its rate or its units.",
    )  # fmt: skip


def _why_not(case: Case, year: int) -> Refused | None:
    candidate, ids = case.candidate, (case.candidate.visit_service_id,)
    client_id, day = candidate.client_id, candidate.service_on
    if candidate.is_suspended and not case.edit.bill_although_suspended:
        return Refused(
            ids, client_id, day, "not_kept",
            f"The visit of {day:%m/%d/%Y} is {candidate.status_label} with nothing to bill. "
            "Change its status on the Agenda, or tick it on purpose.",
        )  # fmt: skip
    if case.service.kind == CPT and (case.person is None or not case.person.is_licensed):
        return _no_license(year, case.person, client_id, day, ids)
    modifiers = modifiers_of(case)
    if len(modifiers) > MOST_MODIFIERS:
        return Refused(
            ids, client_id, day, "too_many_modifiers",
            f"With those that the insurer wants the line would have {len(modifiers)} modifiers "
            f"({' '.join(modifiers)}), and a claim holds {MOST_MODIFIERS}. Type the ones to bill, or have "
            "the insurer’s rule changed.",
        )  # fmt: skip
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


def case_of(candidate: Candidate, terms: Terms, edit: LineEdit) -> Case:
    """Everything that decides one line, looked up once. A typed place of service is where the visit is taken to have
    been; an insurer's rules hold on insured lines only; the rendering provider is typed, else the client's override,
    else the appointment's staff member (B11)."""
    client, service = terms.clients[candidate.client_id], terms.services[candidate.service_type_id]
    coverage = _coverage(client, candidate.service_on) if service.bills_insurance else None
    rules = terms.payer_rules.get(coverage.payer_id) if coverage else None
    place = candidate.place_of_service if edit.place_of_service is None else edit.place_of_service
    rendering_id = edit.rendering_staff_member_id or client.rendering_override_id or candidate.staff_member_id
    return Case(
        candidate,
        edit,
        client,
        service,
        coverage,
        payer_rules_for(rules, service.id, place, candidate.service_on) if rules else (),
        terms.staff.get(rendering_id) if rendering_id else None,
    )


def decide_line(case: Case, terms: Terms, copay_used_cents: int) -> DecidedLine:
    """The line of one visit service, whether or not something stands against billing it; `copay_used_cents` is what
    other lines of its date took of the copay."""
    candidate, service, coverage, person = case.candidate, case.service, case.coverage, case.person
    rule, rate_cents = prices_of(case, terms)[0]
    units = units_of(case)
    to_client, to_insurance, copay_cents = split_sides(
        rate_cents * units,
        insured=coverage is not None,
        copay_cents=coverage.copay_cents if coverage else None,
        copay_used_cents=copay_used_cents,
    )
    billing_name, billing_npi = _billing_provider(terms, case.client)
    return DecidedLine(
        visit_service_id=candidate.visit_service_id,
        visit_id=candidate.visit_id,
        service_on=candidate.service_on,
        service_type_id=service.id,
        code=service.code,
        name=service.name,
        is_cpt=service.kind == CPT,
        modifiers=modifiers_of(case),
        place_of_service=place_of(case),
        rate_cents=rate_cents,
        units=units,
        client_cents=to_client,
        insurance_cents=to_insurance,
        copay_cents=copay_cents,
        price_source=rule.source,
        coverage_id=coverage.id if coverage else None,
        rendering_staff_member_id=person.id if person else None,
        rendering_name=person.name if person else "",
        rendering_npi=person.npi if person else "",
        billing_name=billing_name,
        billing_npi=billing_npi,
        diagnosis_codes=_diagnoses_on(case.client, candidate.service_on),
        note=case.edit.note or "",
    )


def prices_of(case: Case, terms: Terms) -> list[tuple[PriceRule, int]]:
    """Every price of one unit there is; the first is billed (B10)."""
    return ranked_prices(
        edited=case.edit.rate_cents,
        visit=case.candidate.own_rate_cents,
        client_service=case.client.service_amounts.get(case.service.id),
        client=case.client.set_amount_cents,
        payer=_payer_rate(case, terms) if case.coverage else None,
        income=_income_amount(case, terms) if case.client.incomes else None,
        service=case.service.rate_cents,
    )


def units_of(case: Case) -> int:
    """Typed units; the visit's own; those of the service's unit rule (S2)."""
    by_rule = (case.service.unit_rule, case.service.unit_count, case.candidate.minutes)
    return case.edit.units or case.candidate.own_units or units_for(*by_rule)


def modifiers_of(case: Case) -> tuple[str, ...]:
    """Typed modifiers stand alone, and so do the visit's own; else the service's, with those of the insurer's rule."""
    for given in (case.edit.modifiers, case.candidate.own_modifiers):
        if given is not None:
            return given
    rules = case.payer_rules
    return with_added(case.service.modifiers, rules[0].added_modifiers) if rules else case.service.modifiers


def place_of(case: Case) -> str:
    """A typed place of service; that of the insurer's rule; the visit's."""
    if case.edit.place_of_service is not None:
        return case.edit.place_of_service
    return (case.payer_rules[0].billed_place if case.payer_rules else "") or case.candidate.place_of_service


def _payer_rate(case: Case, terms: Terms) -> int | None:
    assert case.coverage is not None
    rates = terms.payer_rates.get((case.coverage.payer_id, case.service.id), ())
    standing = standing_on(rates, case.candidate.service_on)
    return standing.rate_cents if standing else None


def _income_amount(case: Case, terms: Terms) -> int | None:
    income = income_on(case.client.incomes, case.candidate.service_on)
    scale = standing_on(terms.income_scales, case.candidate.service_on)
    step = income_step_for(scale.steps, income, case.service.id) if scale and income else None
    return step.amount_cents if step else None


def _billing_provider(terms: Terms, client: ClientTerms) -> tuple[str, str]:
    person = terms.staff.get(client.billing_staff_member_id) if client.billing_staff_member_id else None
    return (person.name, person.npi) if person else (terms.practice.name, terms.practice.npi)


def _coverage(client: ClientTerms, day: date) -> CoverageFacts | None:
    return coverage_on(client.coverages, day) if client.pays_by_insurance else None


def _diagnoses_on(client: ClientTerms, day: date) -> tuple[str, ...]:
    """At most twelve: what CMS-1500 box 21 and 837P HI hold."""
    in_force = (d.code for d in client.diagnoses if d.starts_on <= day and (d.ends_on is None or day < d.ends_on))
    return tuple(in_force)[:12]
