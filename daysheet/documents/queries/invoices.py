"""Invoices as they are printed: the frozen lines, and what by the entries was paid, adjusted and is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


@dataclass(frozen=True, slots=True)
class Settled:
    """What lines were reduced by, in cents, by the entries. `moved` to the client's side from the insurer's."""

    client_paid_cents: int = 0
    insurance_paid_cents: int = 0
    adjusted_cents: int = 0


@dataclass(frozen=True, slots=True)
class PrintedInvoice:
    """An invoice with the lines that stand on it (of a void one those that it said last)."""

    invoice: Invoice
    void: InvoiceVoid | None
    lines: tuple[InvoiceLine, ...]
    settled: Mapping[UUID, Settled]

    @property
    def location_id(self) -> UUID | None:
        """Where the first linked line was rendered."""
        return next((place for line in self.lines if (place := location_of(line))), None)

    def settled_sum(self) -> Settled:
        """Over all lines."""
        return Settled(
            sum(each.client_paid_cents for each in self.settled.values()),
            sum(each.insurance_paid_cents for each in self.settled.values()),
            sum(each.adjusted_cents for each in self.settled.values()),
        )


@query(Permission.BILLING)
def printed_invoices(actor: Actor, invoice_ids: Collection[UUID]) -> dict[UUID, PrintedInvoice]:
    """The invoices of these that the actor may see, by number. Four statements."""
    found = Invoice.objects.filter(pk__in=invoice_ids, client__in=visible_clients(actor))
    invoices = {invoice.pk: invoice for invoice in found.select_related("client").order_by("number")}
    voids = {void.invoice_id: void for void in InvoiceVoid.objects.filter(invoice_id__in=invoices)}
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in with_places(InvoiceLine.objects.filter(invoice_id__in=invoices)).order_by("position", "pk"):
        void = voids.get(line.invoice_id)
        if line.ended_at == (void.voided_at if void else None):
            lines[line.invoice_id].append(line)
    settled = settled_by_line(actor, [line.pk for each in lines.values() for line in each])
    return {
        pk: PrintedInvoice(
            invoice, voids.get(pk), tuple(lines[pk]), {line.pk: settled.get(line.pk, Settled()) for line in lines[pk]}
        )
        for pk, invoice in invoices.items()
    }


def with_places(lines: QuerySet[InvoiceLine]) -> QuerySet[InvoiceLine]:
    """The lines with what documents show of them."""
    return lines.select_related(
        "coverage__payer", "visit_service__visit__appointment__location", "service_type", "invoice", "client"
    )


def location_of(line: InvoiceLine) -> UUID | None:
    """Where a linked line was rendered."""
    return line.visit_service.visit.appointment.location_id if line.visit_service else None


def settled_by_line(actor: Actor, line_ids: Collection[UUID]) -> dict[UUID, Settled]:
    """Payments and adjustments of lines by the entries: one statement. Reversals count against what they reverse."""
    if not line_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [actor.practice.id, list(line_ids)])
        return {line_id: Settled(*cents) for line_id, *cents in cursor.fetchall()}


def _less(side: str, account: str) -> str:
    """SQL for what moved from a line's side to these accounts, in cents."""
    return (
        f"sum(amount_cents * ((credit_account = '{side}_receivable' AND debit_account IN {account})::int "
        f"- (debit_account = '{side}_receivable' AND credit_account IN {account})::int))"
    )


_GIVEN_UP = "('write_off', 'contractual', 'refunded')"
_SETTLED = f"""
    SELECT line_id, {_less("client", "('credit')")}::bigint, {_less("insurance", "('credit')")}::bigint,
        ({_less("client", _GIVEN_UP)} + {_less("insurance", _GIVEN_UP)})::bigint
    FROM ledger_entry WHERE practice_id = %s AND line_id = ANY(%s) GROUP BY 1"""
