"""What the Agenda shows of billing: the invoice of a visit, or whether Add Invoice can be clicked (B2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from daysheet.clients.models import Client
from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitService, VisitStatus
from daysheet.schedule.registry import GroupCell

from ..models import InvoiceLine

_LABELS = dict(VisitStatus.choices)
_SHOWN = (
    "service_on", "status", *(f"client__{name}" for name in Client.SORT_NAME_COLUMNS),
    "appointment__is_group",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VisitBilling:
    """One visit's billing. `invoice_number` of the newest live invoice; `why_not` where nothing is left to bill."""

    visit_id: UUID
    appointment_id: UUID
    client_id: UUID
    client_name: str
    service_on: date
    status: str
    is_group: bool
    invoice_number: int | None
    can_add_invoice: bool
    why_not: str
    billed_cents: int = 0
    client_open_cents: int = 0


@query(Permission.BILLING)
def visit_billing(actor: Actor, visit_ids: Collection[UUID]) -> dict[UUID, VisitBilling]:
    """The billing of visits the actor may see, in three queries."""
    visits = Visit.objects.filter(pk__in=visit_ids, client__in=visible_clients(actor))
    return _billing(visits)


@query(Permission.BILLING)
def one_visit_billing(actor: Actor, visit_id: UUID) -> VisitBilling:
    """One visit's billing. Raises NotFound."""
    found = visit_billing(actor, [visit_id]).get(visit_id)
    if found is None:
        raise NotFound("There is no such date of service in this practice.")
    return found


@query(Permission.BILLING)
def group_billing(actor: Actor, appointment_id: UUID) -> list[VisitBilling]:
    """The members of an appointment the actor may see, by name. Raises NotFound where there is none."""
    visits = Visit.objects.filter(appointment_id=appointment_id, client__in=visible_clients(actor))
    found = _billing(visits)
    if not found:
        raise NotFound("There is no such appointment in this practice.")
    return sorted(found.values(), key=lambda each: (each.client_name, str(each.visit_id)))


@query(Permission.BILLING)
def group_cell_of(actor: Actor, visit_id: UUID) -> GroupCell:
    """What the row of this member's group says of billing, in three queries. Raises NotFound."""
    appointment = Visit.objects.filter(pk=visit_id).values("appointment_id")
    visits = Visit.objects.filter(appointment_id__in=appointment, client__in=visible_clients(actor))
    found = list(_billing(visits).values())
    if not found:
        raise NotFound("There is no such date of service in this practice.")
    return GroupCell(
        found[0].appointment_id,
        billed_count=sum(each.invoice_number is not None for each in found),
        to_bill_count=sum(each.can_add_invoice for each in found),
    )


def _billing(found: QuerySet[Visit]) -> dict[UUID, VisitBilling]:
    visits = list(found.select_related("client", "appointment").only(*_SHOWN))
    ids = [visit.pk for visit in visits]
    services: dict[UUID, list[tuple[bool, bool]]] = defaultdict(list)
    visit_of: dict[UUID, UUID] = {}
    rows = VisitService.objects.filter(visit_id__in=ids).values_list("visit_id", "line_id", "is_suspended")
    for visit_id, line_id, is_suspended in rows:
        services[visit_id].append((line_id is not None, is_suspended))
        if line_id is not None:
            visit_of[line_id] = visit_id
    billed: dict[UUID, _Billed] = defaultdict(_Billed)
    # By the claims just read, never through the services: joined, three tables are paired by the practice alone where
    # the planner knows nothing of it (ADR 10).
    lines = InvoiceLine.objects.filter(pk__in=visit_of, ended_at=None).order_by("invoice__number")
    for line_id, number, cents, open_cents in lines.values_list(
        "pk", "invoice__number", "amount_cents", "client_open_cents"
    ):
        before = billed[visit_of[line_id]]
        billed[visit_of[line_id]] = _Billed(number, before.cents + cents, before.client_open_cents + open_cents)
    return {visit.pk: _visit_billing(visit, billed[visit.pk], services[visit.pk]) for visit in visits}


@dataclass(frozen=True, slots=True)
class _Billed:
    """The live lines of a visit: number of the newest invoice, sums in cents."""

    number: int | None = None
    cents: int = 0
    client_open_cents: int = 0


def _visit_billing(visit: Visit, billed: _Billed, services: list[tuple[bool, bool]]) -> VisitBilling:
    can_add = any(not is_billed and not is_suspended for is_billed, is_suspended in services)
    return VisitBilling(
        visit_id=visit.pk,
        appointment_id=visit.appointment_id,
        client_id=visit.client_id,
        client_name=visit.client.sort_name,
        service_on=visit.service_on,
        status=_LABELS[visit.status],
        is_group=visit.appointment.is_group,
        invoice_number=billed.number,
        can_add_invoice=can_add,
        why_not="" if can_add or billed.number else _why_not(visit, services),
        billed_cents=billed.cents,
        client_open_cents=billed.client_open_cents,
    )


def _why_not(visit: Visit, services: list[tuple[bool, bool]]) -> str:
    if not services:
        return "No service type yet"
    return f"{_LABELS[visit.status]}, nothing to bill"
