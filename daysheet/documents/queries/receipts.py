"""Receipts: a client's payment, where it went, and what of it is left. Insurers' money has no receipt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.payments.models import Payment
from daysheet.payments.queries.ledger import PaymentRow, payment_row, with_returned
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .invoices import with_places


@dataclass(frozen=True, slots=True)
class AppliedLine:
    """What of a payment stands on a line, in cents."""

    line: InvoiceLine
    cents: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment and where it went."""

    payment: Any
    row: PaymentRow
    applied: tuple[AppliedLine, ...]


@query(Permission.BILLING)
def receipts(actor: Actor, payment_ids: Collection[UUID]) -> dict[UUID, Receipt]:
    """The clients' payments of these that the actor may see. Three statements."""
    found = Payment.objects.filter(pk__in=payment_ids, client__in=visible_clients(actor))
    payments = {payment.pk: payment for payment in with_returned(found).select_related("client")}
    applied = _applied(actor, list(payments))
    lines = with_places(InvoiceLine.objects.filter(pk__in={line_id for _, line_id, _ in applied})).in_bulk()
    by_payment: dict[UUID, list[AppliedLine]] = defaultdict(list)
    for payment_id, line_id, cents in applied:
        by_payment[payment_id].append(AppliedLine(lines[line_id], cents))
    return {
        pk: Receipt(
            payment,
            payment_row(payment),
            tuple(sorted(by_payment[pk], key=lambda each: (each.line.invoice.number, each.line.position))),
        )
        for pk, payment in payments.items()
    }


def _applied(actor: Actor, payment_ids: list[UUID]) -> list[tuple[UUID, UUID, int]]:
    if not payment_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_APPLIED, [actor.practice.id, payment_ids])
        return list(cursor.fetchall())


_APPLIED = """
    SELECT payment_id, line_id, sum(amount_cents * ((debit_account = 'credit')::int
        - (credit_account = 'credit')::int))::bigint AS cents
    FROM ledger_entry
    WHERE practice_id = %s AND payment_id = ANY(%s) AND line_id IS NOT NULL
    GROUP BY 1, 2
    HAVING sum(amount_cents * ((debit_account = 'credit')::int - (credit_account = 'credit')::int)) <> 0"""
