"""What the door reads beside the candidates, once and as sets: clients with their locks, and the terms of billing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import JSONObject

from daysheet.clients.models import Client, ClientIncome, Coverage, Diagnosis, Payer
from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import CoverageFacts, IncomeFacts, address_lines, yearly_cents
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.services.models import ClientService, PayerRate, PayerRule, ServiceType
from daysheet.services.queries import scale_terms
from daysheet.services.rules import CPT, IncomeScaleTerms, PayerRateTerms, PayerRules, PayerRuleTerms
from daysheet.staff.licenses.actions import renew_if_due
from daysheet.staff.models import CptLicense, StaffMember

from .candidates import Candidates
from .models import InvoiceLine
from .selection import Selection, Skipped
from .terms import Candidate, ClientTerms, DiagnosisTerms, PracticeTerms, ServiceTerms, StaffTerms, Terms

#: The columns of a client that a bill is made of.
_CLIENT_COLUMNS = (
    "first_name", "middle_name", "last_name", "preferred_name", "print_preferred_name", "address_1", "address_2",
    "city", "state", "postal_code", "pays_by", "set_payment_amount_cents", "rendering_override_id",
    "billing_staff_member_id",
)  # fmt: skip


def read_clients(actor: Actor, wanted: Q, *, lock: bool) -> dict[UUID, ClientTerms]:
    """The clients among those this actor may see, locked in id order, with what is agreed with each: one statement."""
    clients = visible_clients(actor).filter(wanted).order_by("pk").only(*_CLIENT_COLUMNS).annotate(**_agreed())
    if lock:
        clients = clients.select_for_update(no_key=True, of=("self",))
    return {each.pk: _client_terms(each) for each in clients}


def read_terms(actor: Actor, selection: Selection, found: Candidates, clients: dict[UUID, ClientTerms]) -> Terms:
    """Prices, coverages, licences and providers for these candidates: a fixed number of statements.

    Where a licence is missing, the renewal of the year may only be late (L2): it is carried out first, so that a bill
    in the first minutes of January is not refused for want of a clock.
    """
    service_ids = {candidate.service_type_id for candidate in found.unbilled}
    service_ids |= {line.service_type_id for line in selection.manual if line.service_type_id}
    staff_ids: set[UUID | None] = {candidate.staff_member_id for candidate in found.unbilled}
    staff_ids |= {edit.rendering_staff_member_id for edit in selection.edits.values()}
    staff_ids |= {line.staff_member_id for line in selection.manual}
    for client in clients.values():
        staff_ids |= {client.rendering_override_id, client.billing_staff_member_id}
    year = actor.today.year
    wanted = (actor.practice.id, service_ids, {staff_id for staff_id in staff_ids if staff_id}, year)
    practice, services, people = _house_terms(*wanted)
    needs_license = any(service.kind == CPT for service in services.values())
    if needs_license and not all(person.is_licensed for person in people.values()):
        renew_if_due(actor.practice, actor.now)
        practice, services, people = _house_terms(*wanted)  # also where another transaction has just renewed
    payer_rates, payer_rules = _payer_terms(clients, service_ids)
    return Terms(
        year=year,
        practice=practice,
        clients=clients,
        services=services,
        staff=people,
        payer_rates=payer_rates,
        payer_rules=payer_rules,
        income_scales=_income_scales(clients, found.unbilled),
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
    """What is agreed with a client as arrays, so that clients and their terms are one statement."""
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
        "agreed_incomes": ArraySubquery(
            ClientIncome.objects.filter(**of_client)
            .order_by("given_on", "recorded_at", "pk")
            .values_list(_json("income_cents", "period", "household_size", "given_on", "renew_on"))
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
        incomes=tuple(_income(each) for each in client.agreed_incomes),
        diagnoses=tuple(
            DiagnosisTerms(each["code"], date.fromisoformat(each["starts_on"]), _day(each["ends_on"]))
            for each in client.agreed_diagnoses
        ),
    )  # fmt: skip


def _income(given: dict[str, Any]) -> IncomeFacts:
    cents = given["income_cents"]
    return IncomeFacts(
        None if cents is None else yearly_cents(cents, given["period"]), given["household_size"] or 1,
        date.fromisoformat(given["given_on"]), _day(given["renew_on"]),
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _house_terms(
    practice_id: int, service_ids: set[UUID], staff_ids: set[UUID], year: int
) -> tuple[PracticeTerms, dict[UUID, ServiceTerms], dict[UUID, StaffTerms]]:
    """The practice, these of its service types and these of its people: one statement."""
    services = ServiceType.objects.filter(pk__in=service_ids)
    licensed = Exists(CptLicense.objects.filter(staff_member=OuterRef("pk"), year=year))
    people = StaffMember.objects.filter(pk__in=staff_ids).annotate(is_licensed=licensed)
    practice: Any = Practice.objects.annotate(
        its_services=ArraySubquery(services.values_list(_json(*_SERVICE))),
        its_people=ArraySubquery(people.values_list(_json(*_PERSON, "is_licensed"))),
    ).get(pk=practice_id)
    of_practice = PracticeTerms(
        practice.name, practice.npi, practice.legal_name or practice.name, _address(practice), practice.phone,
        practice.tax_id,
    )  # fmt: skip
    return (
        of_practice,
        {each.id: each for each in map(_service, practice.its_services or ())},
        {each.id: each for each in map(_person, practice.its_people or ())},
    )


_SERVICE = ("pk", "code", "name", "kind", "rate_cents", "unit_rule", "unit_count", "modifiers", "bills_insurance")
_PERSON = ("pk", "first_name", "last_name", "credentials", "npi")


def _service(given: dict[str, Any]) -> ServiceTerms:
    values = {**given, "pk": UUID(given["pk"]), "modifiers": tuple(given["modifiers"])}
    return ServiceTerms(*(values[name] for name in _SERVICE))


def _person(given: dict[str, Any]) -> StaffTerms:
    person = StaffMember(**{name: given[name] for name in _PERSON})
    return StaffTerms(UUID(given["pk"]), person.name_with_credentials, person.npi, given["is_licensed"])


def _payer_terms(
    clients: dict[UUID, ClientTerms], service_ids: set[UUID]
) -> tuple[dict[tuple[UUID, UUID], list[PayerRateTerms]], dict[UUID, PayerRules]]:
    """Fee schedules by payer and service type, and rules by payer: one statement, one payer after the other."""
    payer_ids = {coverage.payer_id for client in clients.values() for coverage in client.coverages}
    rates: dict[tuple[UUID, UUID], list[PayerRateTerms]] = defaultdict(list)
    rules: dict[UUID, PayerRules] = {}
    if not payer_ids:
        return rates, rules
    of_payer = {"payer": OuterRef("pk")}
    schedule = PayerRate.objects.filter(**of_payer, service_type_id__in=service_ids)
    wanted = PayerRule.objects.filter(Q(service_type_id__in=service_ids) | Q(service_type_id=None), **of_payer)
    payers = Payer.objects.filter(pk__in=payer_ids).annotate(
        agreed_rates=ArraySubquery(schedule.values_list(_json("service_type_id", "rate_cents", "starts_on"))),
        agreed_rules=ArraySubquery(
            wanted.values_list(
                _json("service_type_id", "place_of_service", "starts_on", "added_modifiers", "billed_place_of_service",
                      "is_end")
            )
        ),
    )  # fmt: skip
    for payer_id, of_services, of_cases in payers.values_list("pk", "agreed_rates", "agreed_rules"):
        for each in of_services or ():  # None where nothing but manual lines without a service type is billed
            terms = PayerRateTerms(each["rate_cents"], date.fromisoformat(each["starts_on"]))
            rates[payer_id, UUID(each["service_type_id"])].append(terms)
        if of_cases:
            rules[payer_id] = _by_case(_rule(each) for each in of_cases)
    return rates, rules


def _rule(wanted: dict[str, Any]) -> PayerRuleTerms:
    service = wanted["service_type_id"]
    return PayerRuleTerms(
        UUID(service) if service else None, wanted["place_of_service"], date.fromisoformat(wanted["starts_on"]),
        tuple(wanted["added_modifiers"]), wanted["billed_place_of_service"], wanted["is_end"],
    )  # fmt: skip


def _by_case(rules: Iterable[PayerRuleTerms]) -> PayerRules:
    by_case: dict[tuple[UUID | None, str], list[PayerRuleTerms]] = defaultdict(list)
    for rule in rules:
        by_case[rule.service_type_id, rule.place].append(rule)
    return dict(by_case)


def _income_scales(clients: dict[UUID, ClientTerms], unbilled: Collection[Candidate]) -> list[IncomeScaleTerms]:
    """Income Based Payment Amounts; read only where somebody's income is on record."""
    if not unbilled or not any(client.incomes for client in clients.values()):
        return []
    return scale_terms(max(candidate.service_on for candidate in unbilled))


def _copay_taken(client_ids: Collection[UUID], days: set[date]) -> dict[tuple[UUID, date], int]:
    taken = (
        InvoiceLine.objects.filter(client__in=list(client_ids), service_on__in=days, ended_at=None, copay_cents__gt=0)
        .values("client_id", "service_on")
        .annotate(taken=Sum("copay_cents"))
        .values_list("client_id", "service_on", "taken")
    )
    return {(client_id, day): cents for client_id, day, cents in taken}


def _address(place: Client | Practice) -> str:
    return "\n".join(address_lines(place.address_1, place.address_2, place.city, place.state, place.postal_code))
