"""What the pages that take money show: open lines, the visit that is paid for, and payments with the same number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q

from daysheet.clients.queries import get_client
from daysheet.invoicing.door import preview
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.queries.agenda import one_visit_billing
from daysheet.invoicing.selection import Selection
from daysheet.kit.dates import us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService
from daysheet.services.rules import service_label

from ..models import Payment
from ..rules import OpenLine, oldest_first
from .figures import copay_today
from .payment import seen_payments

#: Payments with the same number that a warning names.
_MOST_NAMED = 3
#: Services of dates that a prepayment can be named for.
_MOST_APPOINTMENTS = 60


@dataclass(frozen=True, slots=True)
class PayableLine:
    """A line whose client side is open, and what the page says of it."""

    line: OpenLine
    service: str

    @property
    def id(self) -> UUID:
        return self.line.line_id


@dataclass(frozen=True, slots=True)
class UnbilledAppointment:
    """A date of service that a prepayment can be named for (M3)."""

    visit_id: UUID
    service_on: date
    label: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a page needs to take money from one client. Lines stand in the order in which they are paid."""

    client_id: UUID
    client_name: str
    lines: tuple[PayableLine, ...]
    copay_cents: int | None
    credit_cents: int
    visit_id: UUID | None = None
    visit_on: date | None = None
    visit_invoice_number: int | None = None
    #: Dates of service that are not billed, to name a prepayment for; with the client's part as things stand.
    appointments: tuple[UnbilledAppointment, ...] = ()

    @property
    def due_cents(self) -> int:
        return sum(payable.line.due_cents for payable in self.lines)


@dataclass(frozen=True, slots=True)
class SameNumber:
    """Another payment with the same number (M5)."""

    payment_id: UUID
    from_name: str
    received_on: date
    amount_cents: int


@query(Permission.BILLING)
def payment_desk(actor: Actor, client_id: UUID) -> Desk:
    """For Accept Payment and Apply to Invoices. Raises NotFound."""
    client = get_client(actor, client_id)
    lines = tuple(_payable_lines(client_id))
    credits = Payment.objects.filter(client_id=client_id, unapplied_cents__gt=0)
    credit_cents = sum(credits.values_list("unapplied_cents", flat=True))
    return Desk(
        client_id, client.name, lines, copay_today(actor, client_id), credit_cents,
        appointments=tuple(_unbilled_appointments(actor, client_id)),
    )  # fmt: skip


@query(Permission.BILLING)
def visit_desk(actor: Actor, visit_id: UUID) -> Desk:
    """For Apply Payment on the Agenda: `visit_invoice_number` is the invoice that is paid. Raises NotFound."""
    visit = one_visit_billing(actor, visit_id)
    desk = payment_desk(actor, visit.client_id)
    return replace(desk, visit_id=visit_id, visit_on=visit.service_on, visit_invoice_number=visit.invoice_number)


@query(Permission.BILLING)
def prepayment_cents(actor: Actor, visit_id: UUID) -> int | None:
    """What the client would owe for a date of service if it were billed now; None where it cannot be told."""
    services = VisitService.objects.filter(visit_id=visit_id, line_id=None, removed_at=None, is_suspended=False)
    ids = tuple(services.values_list("pk", flat=True))
    if not ids:
        return None
    return sum(each.line.client_cents for each in preview(actor, Selection(ids)) if each.line) or None


@query(Permission.BILLING)
def payments_with_number(actor: Actor, payment_id: UUID) -> list[SameNumber]:
    """Other payments with the number of this one, newest first, of clients the actor may see, or of the same insurer;
    at most three (M5)."""
    payment = Payment.objects.filter(seen_payments(actor), pk=payment_id).first()
    if payment is None or not payment.number:
        return []
    whose = Q(payer_id=payment.payer_id) if payment.payer_id else Q(payer=None)
    others = Payment.objects.filter(seen_payments(actor), whose, number=payment.number)
    found = others.exclude(pk=payment_id).select_related("client", "payer").order_by("-received_on", "-pk")
    return [
        SameNumber(other.pk, other.from_name, other.received_on, other.amount_cents) for other in found[:_MOST_NAMED]
    ]


def _unbilled_appointments(actor: Actor, client_id: UUID) -> list[UnbilledAppointment]:
    """From two weeks ago on, the next ones first shown: an older date is billed before it is paid."""
    unbilled = VisitService.objects.filter(
        visit__client_id=client_id, line_id=None, removed_at=None, is_suspended=False,
        service_on__gte=actor.today - timedelta(days=14),
    )  # fmt: skip
    rows = unbilled.order_by("service_on", "visit_id", "position").values_list(
        "visit_id", "service_on", "service_type__code", "service_type__name"
    )[:_MOST_APPOINTMENTS]
    found: dict[UUID, UnbilledAppointment] = {}
    for visit_id, service_on, code, name in rows:
        before = f"{found[visit_id].label}, " if visit_id in found else f"{us_date(service_on)} "
        found[visit_id] = UnbilledAppointment(visit_id, service_on, f"{before}{service_label(code, name)}")
    return list(found.values())


def _payable_lines(client_id: UUID) -> list[PayableLine]:
    rows = InvoiceLine.objects.filter(client_id=client_id, client_open_cents__gt=0).select_related("invoice")
    services = {row.pk: f"{row.code} {row.name}".strip() for row in rows}
    lines = [OpenLine(row.pk, row.service_on, row.invoice.number, row.position, row.client_open_cents) for row in rows]
    return [PayableLine(line, services[line.line_id]) for line in oldest_first(lines)]
