"""Reads of Good Faith Estimates: a client's, what is owed to whom by when, and how bills stand to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Sum

from daysheet.clients.models import Client
from daysheet.clients.queries import get_client, visible_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import local_date
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitStatus

from ..models import Estimate, EstimateItem, EstimateRequest
from .rules import BilledLine, EstimateFacts, ItemFacts, due_when_requested, due_when_scheduled


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One estimate of a client's list. Amounts in cents."""

    id: UUID
    given_on: date
    first_on: date
    last_on: date
    description: str
    expected_cents: int
    is_superseded: bool


@dataclass(frozen=True, slots=True)
class OwedEstimate:
    """A client who is owed an estimate, why, and by when. `visit_on`: the first date of service it must cover."""

    client_id: UUID
    client_name: str
    due_on: date
    asked_on: date | None
    scheduled_on: date | None
    visit_on: date | None
    visit_count: int

    def is_late(self, today: date) -> bool:
        """Whether the day has passed."""
        return self.due_on < today


@query(Permission.BILLING)
def estimates_of(actor: Actor, client_id: UUID) -> list[EstimateRow]:
    """A client's estimates, newest first. Raises NotFound."""
    get_client(actor, client_id)
    rows = list(Estimate.objects.filter(client_id=client_id).order_by("-given_on", "-created_at", "-pk"))
    sums = EstimateItem.objects.filter(estimate__in=[row.pk for row in rows]).values_list("estimate_id")
    cents = dict(sums.annotate(Sum("expected_cents")).order_by())
    superseded = {row.supersedes_id for row in rows}
    return [
        EstimateRow(
            row.pk, row.given_on, row.first_on, row.last_on, row.description, cents.get(row.pk, 0),
            row.pk in superseded,
        )
        for row in rows
    ]  # fmt: skip


@query(Permission.BILLING)
def get_estimate(actor: Actor, estimate_id: UUID) -> Estimate:
    """One estimate of a client this actor may see. Raises NotFound."""
    estimate = Estimate.objects.filter(pk=estimate_id, client__in=visible_clients(actor)).first()
    if estimate is None:
        raise NotFound("There is no such estimate in this practice.")
    return estimate


@query(Permission.BILLING)
def owed_estimates(actor: Actor) -> list[OwedEstimate]:
    """Clients who pay themselves and are owed an estimate: scheduled in time and not covered by one, or asked and not
    answered. Soonest due first; four statements, whatever the number of clients."""
    owed: dict[UUID, list[tuple[date, date | None, date | None, date | None]]] = defaultdict(list)
    clients = {client.pk: client for client in visible_clients(actor).filter(pays_by=Client.PaysBy.SELF)}
    facts = estimate_facts(_clients_with_anything_ahead(actor))
    for visit in _visits_ahead(actor):
        if visit.client_id not in clients or any(_covers(each, visit.service_on) for each in facts[visit.client_id]):
            continue
        scheduled_on = local_date(visit.appointment.created_at, actor.practice.time_zone)
        if due_on := due_when_scheduled(scheduled_on, visit.service_on):
            owed[visit.client_id].append((due_on, None, scheduled_on, visit.service_on))
    for request in _unanswered(actor):
        if request.client_id in clients:
            due_on = due_when_requested(request.requested_on)
            owed[request.client_id].append((due_on, request.requested_on, None, None))
    rows = [_owed(clients[client_id], reasons) for client_id, reasons in owed.items()]
    return sorted(rows, key=lambda row: (row.due_on, row.client_name.casefold(), str(row.client_id)))


def estimate_facts(client_ids: Collection[UUID]) -> dict[UUID, list[EstimateFacts]]:
    """What the estimates of these clients say, by client, for callers that have checked what they may see: two
    statements."""
    estimates = list(Estimate.objects.filter(client_id__in=client_ids).order_by("given_on", "created_at", "pk"))
    items: dict[UUID, list[EstimateItem]] = defaultdict(list)
    for item in EstimateItem.objects.filter(estimate_id__in=[each.pk for each in estimates]).order_by("position"):
        items[item.estimate_id].append(item)
    found: dict[UUID, list[EstimateFacts]] = defaultdict(list)
    for each in estimates:
        found[each.client_id].append(
            EstimateFacts(
                each.pk, each.client_id, each.given_on, each.first_on, each.last_on,
                sum(item.expected_cents for item in items[each.pk]),
                tuple(ItemFacts(item.service_type_id, item.code, item.unit_cents) for item in items[each.pk]),
            )
        )  # fmt: skip
    return found


def billed_lines(facts: dict[UUID, list[EstimateFacts]]) -> dict[UUID, list[tuple[BilledLine, UUID]]]:
    """The live lines, with their invoices, of these clients in the time of their estimates: one statement."""
    spans = [each for estimates in facts.values() for each in estimates]
    if not spans:
        return {}
    lines = InvoiceLine.objects.filter(
        client_id__in=[client_id for client_id, estimates in facts.items() if estimates],
        ended_at=None,
        service_on__range=(min(each.first_on for each in spans), max(each.last_on for each in spans)),
    )
    found: dict[UUID, list[tuple[BilledLine, UUID]]] = defaultdict(list)
    for line in lines.only("client_id", "service_on", "service_type_id", "code", "units", "amount_cents", "invoice_id"):
        billed = BilledLine(line.service_on, line.service_type_id, line.code, line.units, line.amount_cents)
        found[line.client_id].append((billed, line.invoice_id))
    return found


def _covers(estimate: EstimateFacts, service_on: date) -> bool:
    return estimate.first_on <= service_on <= estimate.last_on


def _visits_ahead(actor: Actor) -> Iterable[Visit]:
    ahead = Visit.objects.filter(
        status=VisitStatus.UPCOMING, service_on__gte=actor.today, client__in=visible_clients(actor),
        client__pays_by=Client.PaysBy.SELF,
    )  # fmt: skip
    return ahead.select_related("appointment").order_by("service_on", "pk")


def _clients_with_anything_ahead(actor: Actor) -> list[UUID]:
    ahead = Visit.objects.filter(status=VisitStatus.UPCOMING, service_on__gte=actor.today)
    return list(visible_clients(actor).filter(pk__in=ahead.values("client_id")).values_list("pk", flat=True))


def _unanswered(actor: Actor) -> list[EstimateRequest]:
    requests = list(EstimateRequest.objects.filter(client__in=visible_clients(actor)).order_by("requested_on", "pk"))
    given = Estimate.objects.filter(client_id__in={each.client_id for each in requests})
    latest = dict(given.order_by("created_at").values_list("client_id", "created_at"))
    return [each for each in requests if not (at := latest.get(each.client_id)) or at < each.recorded_at]


def _owed(client: Client, reasons: list[tuple[date, date | None, date | None, date | None]]) -> OwedEstimate:
    due_on, asked_on, scheduled_on, visit_on = min(reasons, key=lambda reason: reason[0])
    visits = [reason[3] for reason in reasons if reason[3]]
    return OwedEstimate(
        client.pk, client.sort_name, due_on, asked_on, scheduled_on, visit_on or (min(visits) if visits else None),
        len(visits),
    )  # fmt: skip
