"""Where the practice stands, and what the steps offer to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import Invoice
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitService
from daysheet.services.models import ServiceType
from daysheet.staff.models import CptLicense, StaffMember

from .models import GuideMark
from .rules import Progress, Step, progress

#: Visits that the last step offers to bill.
MOST_VISITS = 5
_FACTS = ("npi", "tax_id", "address_1", "city", "state", "postal_code")


@dataclass(frozen=True, slots=True)
class ToBill:
    """A visit that has something to bill."""

    visit_id: UUID
    client_name: str
    starts_at: datetime
    staff_name: str


@dataclass(frozen=True, slots=True)
class FirstInvoice:
    """The invoice that the way led to."""

    number: int
    client_id: UUID
    client_name: str
    issued_on: date


@query(Permission.ADMINISTRATOR)
def where_it_stands(actor: Actor) -> Progress:
    """Which steps are done, skipped and open. One query."""
    licensed = CptLicense.objects.filter(staff_member=OuterRef("pk"), year=actor.today.year)
    providers = StaffMember.objects.filter(is_provider=True, is_active=True)
    services = ServiceType.objects.filter(archived_at=None)
    found = (
        Practice.objects.filter(pk=actor.practice.id)
        .annotate(
            has_location=Exists(Location.objects.filter(is_active=True)),
            has_service=Exists(services),
            has_cpt=Exists(services.filter(kind=ServiceType.Kind.CPT)),
            has_provider=Exists(providers),
            has_licensed=Exists(providers.filter(Exists(licensed))),
            has_client=Exists(visible_clients(actor)),
            has_visit=Exists(VisitService.objects.filter(removed_at=None)),
            has_invoice=Exists(Invoice.objects.all()),
            marks=ArraySubquery(GuideMark.objects.values("step")),
        )
        .values()[0]
    )
    return progress(_done(found), found["marks"] or ())


@query(Permission.ADMINISTRATOR)
def has_cpt_service(actor: Actor) -> bool:
    """Whether anything that is billed needs a CPT licence (L1)."""
    return ServiceType.objects.filter(archived_at=None, kind=ServiceType.Kind.CPT).exists()


@query(Permission.ADMINISTRATOR)
def holds_license(actor: Actor) -> bool:
    """Whether this person holds the licence of the current year."""
    return CptLicense.objects.filter(staff_member_id=actor.staff_member_id, year=actor.today.year).exists()


@query(Permission.ADMINISTRATOR)
def myself(actor: Actor) -> StaffMember | None:
    """The staff member who is at the guide."""
    return StaffMember.objects.filter(pk=actor.staff_member_id).first() if actor.staff_member_id else None


@query(Permission.ADMINISTRATOR)
def has_location(actor: Actor) -> bool:
    """Whether there is a place to see clients at."""
    return Location.objects.filter(is_active=True).exists()


@query(Permission.ADMINISTRATOR)
def newest_clients(actor: Actor, *, limit: int = 50) -> list[tuple[UUID, str]]:
    """The clients to choose from for the first appointment, newest first."""
    found = visible_clients(actor).filter(is_active=True).order_by("-created_at", "-pk")[:limit]
    return [(client.pk, client.sort_name) for client in found]


@query(Permission.ADMINISTRATOR)
def first_services(actor: Actor) -> list[ServiceType]:
    """Service types in use, in the order in which they were added."""
    return list(ServiceType.objects.filter(archived_at=None).order_by("pk")[:100])


@query(Permission.BILLING)
def visits_to_bill(actor: Actor) -> list[ToBill]:
    """The newest visits with an unbilled service."""
    unbilled = VisitService.objects.filter(visit=OuterRef("pk"), line_id=None, is_suspended=False)
    visits = Visit.objects.filter(Exists(unbilled), client__in=visible_clients(actor))
    rows = visits.select_related("client", "appointment__staff_member").order_by("-service_on", "-pk")[:MOST_VISITS]
    return [
        ToBill(
            visit.pk, visit.client.sort_name, visit.appointment.starts_at,
            visit.appointment.staff_member.name_with_credentials,
        )
        for visit in rows
    ]  # fmt: skip


@query(Permission.BILLING)
def first_invoice(actor: Actor) -> FirstInvoice | None:
    """The first one there is that this actor may see."""
    invoices = Invoice.objects.filter(client__in=visible_clients(actor)).select_related("client").order_by("number")
    invoice = invoices.first()
    if invoice is None:
        return None
    return FirstInvoice(invoice.number, invoice.client_id, invoice.client.name, invoice.issued_on)


def _done(found: Mapping[str, Any]) -> frozenset[Step]:
    is_ready = {
        Step.PRACTICE: found["has_location"] and all(found[name] for name in _FACTS),
        Step.SERVICES: found["has_service"],
        Step.PROVIDER: found["has_licensed"] if found["has_cpt"] else found["has_provider"],
        Step.CLIENT: found["has_client"],
        Step.APPOINTMENT: found["has_visit"],
        Step.INVOICE: found["has_invoice"],
    }
    return frozenset(step for step, is_done in is_ready.items() if is_done)
