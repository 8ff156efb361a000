"""What a night bills, queues and leaves to people. The dry run asks the same functions: it promises nothing else.

A fixed number of queries, however many dates there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from daysheet.claims.models import Claim
from daysheet.clients.models import Client, Coverage
from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import CoverageFacts, coverage_on
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.queries.batch_search import FoundDate, SearchFilters, find_unbilled_dates
from daysheet.practices.actor import Actor
from daysheet.schedule.models import Visit, VisitService, VisitStatus

from .models import ExclusionRule, LeftOut
from .rules import Exclusion, Subject, excluded_by

#: Statuses that leave a fee to be decided on (S1).
_MISSED = {VisitStatus.NO_SHOW, VisitStatus.LATE_CANCEL}


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is left to people: a date of service (`visit_id`) or an invoice, why, and by which rule."""

    kind: LeftOut.Kind
    client_id: UUID
    service_on: date
    visit_id: UUID | None = None
    invoice_id: UUID | None = None
    rule: Exclusion | None = None


@dataclass(frozen=True, slots=True)
class ChosenDates:
    """Dates of service to bill, in order of client and date, and what is left out."""

    dates: tuple[FoundDate, ...] = ()
    left_out: tuple[Leaving, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenClaims:
    """Invoices whose claims are to be queued, oldest first, and what is left out."""

    invoice_ids: tuple[UUID, ...] = ()
    left_out: tuple[Leaving, ...] = ()


def standing_rules() -> list[Exclusion]:
    """The exclusion rules in force, oldest first."""
    names = tuple(Exclusion.__dataclass_fields__)
    rows = ExclusionRule.objects.filter(ended_at=None).order_by("made_at", "pk").values_list("pk", *names[1:])
    return [Exclusion(*row) for row in rows]


def choose_dates(actor: Actor, *, from_on: date, to_on: date, rules: Iterable[Exclusion], at: datetime) -> ChosenDates:
    """Dates of service of [from_on, to_on] that come ticked in Batch Invoicing at the moment `at` (B4), but for those
    that a rule leaves out and those that were on an invoice before: whoever voided it decides what follows."""
    found = find_unbilled_dates(replace(actor, now=at), SearchFilters(from_on, to_on))
    visits = _visits([each.visit_id for each in found])
    services = _services(visits)
    payers = _Payers({each.client_id for each in found})
    billed_before = _billed_before({each.client_id for each in found}, from_on, to_on)
    of_invoices = [rule for rule in rules if rule.for_invoices]
    dates: list[FoundDate] = []
    left_out: list[Leaving] = []
    for each in found:
        visit, own = visits[each.visit_id], services[each.visit_id]
        rule = excluded_by(_subject(visit, own, payers), of_invoices) if each.is_default else None
        kind = _why_left(each, visit, rule, not billed_before.isdisjoint(own))
        if kind:
            left_out.append(Leaving(kind, each.client_id, visit.service_on, visit_id=each.visit_id, rule=rule))
        elif each.is_default:
            dates.append(each)
    left_out += _without_service(actor, from_on, to_on, at)
    return ChosenDates(tuple(dates), tuple(sorted(left_out, key=lambda each: (each.service_on, str(each.visit_id)))))


def choose_claims(actor: Actor, *, since: date, before: date, rules: Iterable[Exclusion]) -> ChosenClaims:
    """Invoices issued from `since` on and before `before` with an insured part that never was in a claim. A claim that
    somebody took back stays back; imported balances were claimed elsewhere."""
    lines = (
        InvoiceLine.objects.filter(Q(insurance_cents__gt=0) | Q(insurance_open_cents__gt=0))
        .filter(invoice__issued_on__gte=since, invoice__issued_on__lt=before, ended_at=None, coverage__isnull=False)
        .filter(~Exists(Claim.objects.filter(invoice=OuterRef("invoice_id"))), client__in=visible_clients(actor))
        .exclude(invoice__door=Invoice.Door.IMPORT)
        .order_by("invoice__number", "position")
    )
    of_claims = [rule for rule in rules if rule.for_claims]
    wanted: dict[UUID, Leaving | None] = {}
    for invoice_id, client_id, subject in _insured(lines):
        rule = excluded_by(subject, of_claims)
        if rule:
            wanted[invoice_id] = Leaving(
                LeftOut.Kind.RULE, client_id, subject.service_on, invoice_id=invoice_id, rule=rule
            )
        else:
            wanted.setdefault(invoice_id, None)
    return ChosenClaims(
        tuple(invoice_id for invoice_id, leaving in wanted.items() if leaving is None),
        tuple(leaving for leaving in wanted.values() if leaving is not None),
    )


def _why_left(each: FoundDate, visit: Visit, rule: Exclusion | None, was_billed: bool) -> LeftOut.Kind | None:
    """None for what is billed, and for what has nothing to bill: it was canceled, moved, or its fee waived."""
    if rule:
        return LeftOut.Kind.RULE
    if each.is_default:
        return LeftOut.Kind.VOIDED if was_billed else None
    undecided = visit.status in _MISSED and not visit.fee_waived_reason
    return LeftOut.Kind.NO_FEE if undecided else None


def _visits(visit_ids: Sequence[UUID]) -> dict[UUID, Visit]:
    rows = Visit.objects.filter(pk__in=visit_ids).select_related("appointment", "client")
    return {visit.pk: visit for visit in rows}


def _services(visits: Collection[UUID]) -> dict[UUID, dict[UUID, UUID]]:
    """{visit: {visit service: service type}} of what is unbilled and not suspended."""
    found: dict[UUID, dict[UUID, UUID]] = defaultdict(dict)
    rows = VisitService.objects.filter(visit_id__in=visits, line_id=None, is_suspended=False)
    for pk, visit_id, service_type_id in rows.values_list("pk", "visit_id", "service_type_id"):
        found[visit_id][pk] = service_type_id
    return found


def _billed_before(client_ids: Collection[UUID], from_on: date, to_on: date) -> set[UUID]:
    """Visit services of these days that stand on a line, even an ended one. By client: that has an index."""
    lines = InvoiceLine.objects.filter(client_id__in=client_ids, service_on__range=(from_on, to_on))
    return {pk for pk in lines.values_list("visit_service_id", flat=True) if pk is not None}


class _Payers:
    """Who would pay first for a client on a day."""

    def __init__(self, client_ids: Collection[UUID]) -> None:
        self._coverages: dict[UUID, list[CoverageFacts]] = defaultdict(list)
        names = ("pk", "payer_id", "rank", "copay_cents", "starts_on", "ends_on")
        for client_id, *row in Coverage.objects.filter(client_id__in=client_ids).values_list("client_id", *names):
            self._coverages[client_id].append(CoverageFacts(*row))

    def of(self, client: Client, day: date) -> UUID | None:
        if client.pays_by != Client.PaysBy.INSURANCE:
            return None
        coverage = coverage_on(self._coverages[client.pk], day)
        return coverage.payer_id if coverage else None


def _subject(visit: Visit, services: dict[UUID, UUID], payers: _Payers) -> Subject:
    return Subject(
        service_on=visit.service_on,
        pays_by=visit.client.pays_by,
        staff_member_id=visit.appointment.staff_member_id,
        payer_id=payers.of(visit.client, visit.service_on),
        service_type_ids=frozenset(services.values()),
        status=visit.status,
    )


def _without_service(actor: Actor, from_on: date, to_on: date, at: datetime) -> list[Leaving]:
    """Visits that were held, or are over, without anything to bill on them."""
    bare = Visit.objects.filter(
        ~Exists(VisitService.objects.filter(visit_id=OuterRef("pk"), removed_at=None)),
        service_on__range=(from_on, to_on), client__in=visible_clients(actor),
    ).filter(Q(status=VisitStatus.KEPT) | Q(status=VisitStatus.UPCOMING, appointment__starts_at__lte=at))  # fmt: skip
    rows = bare.order_by("service_on", "pk").values_list("client_id", "service_on", "pk")
    return [Leaving(LeftOut.Kind.NO_SERVICE, client_id, day, visit_id=pk) for client_id, day, pk in rows]


def _insured(lines: object) -> Iterable[tuple[UUID, UUID, Subject]]:
    """(invoice, client, what rules look at) of each insured line."""
    rows = lines.values_list(  # type: ignore[attr-defined]
        "invoice_id", "client_id", "service_on", "client__pays_by", "rendering_staff_member_id",
        "coverage__payer_id", "service_type_id", "visit_service__visit__status",
    )  # fmt: skip
    for invoice_id, client_id, day, pays_by, staff_id, payer_id, service_type_id, status in rows:
        types = frozenset({service_type_id} if service_type_id else ())
        yield invoice_id, client_id, Subject(day, pays_by, staff_id, payer_id, types, status or "")
