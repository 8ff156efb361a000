"""Voiding, one invoice or a whole batch of them, as sets (C3, B6).

A void never rewrites: it inserts InvoiceVoid, reverses the charges, ends the lines, and frees the visit services.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from daysheet.audit.actions import Happening, record_many
from daysheet.clients.queries import lock_clients
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import reverse
from daysheet.ledger.models import Entry
from daysheet.practices.actor import Actor

from .models import Invoice, InvoiceLine, InvoiceVoid


class ReasonMissing(Refusal):
    """A void needs a reason (C3)."""

    code = "reason_missing"


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of each invoice: voided, void before, or left because money or an adjustment is on it."""

    voided: tuple[Invoice, ...]
    already_void: tuple[Invoice, ...]
    touched: tuple[Invoice, ...]


def void_invoices(actor: Actor, invoices: Sequence[Invoice], *, reason: str) -> Voided:
    """Void those of `invoices` that nothing has touched, in the caller's transaction. Raises ReasonMissing."""
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say why the invoice is voided: the reason stays with it.")
    lock_clients({invoice.client_id for invoice in invoices})
    ids = [invoice.pk for invoice in invoices]
    void_before = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.filter(invoice_id__in=ids, ended_at=None).order_by("pk").select_for_update():
        lines[line.invoice_id].append(line)
    touched = {invoice_id for invoice_id, its_lines in lines.items() if any(map(_is_touched, its_lines))}
    free = [invoice for invoice in invoices if invoice.pk not in void_before | touched]
    if free:
        _void(actor, free, [line for invoice in free for line in lines[invoice.pk]], reason)
    return Voided(
        tuple(free),
        tuple(invoice for invoice in invoices if invoice.pk in void_before),
        tuple(invoice for invoice in invoices if invoice.pk in touched - void_before),
    )


def _is_touched(line: InvoiceLine) -> bool:
    """Anything but the charge itself moved on the line."""
    return (line.client_open_cents, line.insurance_open_cents) != (line.client_cents, line.insurance_cents)


def _void(actor: Actor, invoices: Sequence[Invoice], lines: Sequence[InvoiceLine], reason: str) -> None:
    InvoiceVoid.objects.bulk_create(
        [
            InvoiceVoid(
                invoice=invoice, voided_at=actor.now, voided_by_name=actor.person_name[:120], reason=reason[:400]
            )
            for invoice in invoices
        ],
        batch_size=5000,
    )
    line_ids = [line.pk for line in lines]
    charges = Entry.objects.filter(line_id__in=line_ids, reverses_id=None).values_list("pk", flat=True)
    reverse(actor, charges, event_id=new_id(), reason=f"Voided: {reason}"[:400])
    InvoiceLine.objects.filter(pk__in=line_ids).update(ended_at=actor.now)
    _unclaim(actor.practice.id, line_ids)
    record_many(
        actor,
        (
            Happening(
                "void_invoice", "invoice", invoice.pk, invoice.client_id, {"number": invoice.number, "reason": reason}
            )
            for invoice in invoices
        ),
    )


def _unclaim(practice_id: int, line_ids: Collection[UUID]) -> None:
    """Make the visit services of ended lines unbilled again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schedule_visitservice s SET line_id = NULL FROM invoicing_invoiceline l "
            "WHERE l.practice_id = %s AND l.id = ANY(%s) "
            "AND s.practice_id = l.practice_id AND s.id = l.visit_service_id AND s.line_id = l.id",
            [practice_id, list(line_ids)],
        )
