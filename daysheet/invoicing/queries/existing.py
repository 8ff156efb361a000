"""Batch Invoicing, Process Existing Invoices: the invoices created in a range of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Sum

from daysheet.clients.queries import visible_clients
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Invoice, InvoiceLine, InvoiceVoid
from ..status import InvoiceStatus, invoice_status

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice of the list. Amounts in cents."""

    number: int
    client_id: UUID
    client_name: str
    issued_on: date
    created_by_name: str
    total_cents: int
    open_cents: int
    status: InvoiceStatus


@query(Permission.BILLING)
def invoices_created(actor: Actor, first: date, last: date, *, page: int = 1) -> tuple[list[InvoiceRow], bool]:
    """One page of the invoices issued from `first` to `last`, newest first, and whether there are more."""
    start = (max(page, 1) - 1) * PAGE_SIZE
    invoices = Invoice.objects.filter(issued_on__range=(first, last), client__in=visible_clients(actor))
    found = list(invoices.select_related("client").order_by("-issued_on", "-number")[start : start + PAGE_SIZE + 1])
    ids = [invoice.pk for invoice in found]
    sums = {
        invoice_id: (total, client_open + insurance_open)
        for invoice_id, total, client_open, insurance_open in InvoiceLine.objects.filter(invoice_id__in=ids)
        .values_list("invoice_id")
        .annotate(Sum("amount_cents"), Sum("client_open_cents"), Sum("insurance_open_cents"))
        .order_by()
    }
    void = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    rows = [_row(actor, invoice, sums.get(invoice.pk, (0, 0)), invoice.pk in void) for invoice in found[:PAGE_SIZE]]
    return rows, len(found) > PAGE_SIZE


def _row(actor: Actor, invoice: Invoice, sums: tuple[int, int], is_void: bool) -> InvoiceRow:
    total_cents, open_cents = sums
    return InvoiceRow(
        number=invoice.number,
        client_id=invoice.client_id,
        client_name=invoice.client.sort_name,
        issued_on=invoice.issued_on,
        created_by_name=invoice.created_by_name,
        total_cents=total_cents,
        open_cents=open_cents,
        status=invoice_status(is_void=is_void, open_cents=open_cents, issued_on=invoice.issued_on, today=actor.today),
    )
