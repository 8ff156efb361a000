"""What this slice puts into the Agenda's billing column (B2). The Agenda knows no invoices: it asks its registry."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.registry import BillingCell
from daysheet.web.pages import practice_url

from .links import apply_payment_url, invoice_url
from .queries.agenda import VisitBilling, visit_billing


def cells_of(actor: Actor, visit_ids: Collection[UUID]) -> dict[UUID, BillingCell]:
    """The billing cell of each visit; nothing at all without Billing (P2)."""
    if not actor.may(Permission.BILLING):
        return {}
    return {visit_id: _cell(actor, each) for visit_id, each in visit_billing(actor, visit_ids).items()}


def billed_cell(actor: Actor, visit_id: UUID, number: int) -> BillingCell:
    """The cell of a visit that the door has just found on this invoice, or put there: nothing is read again."""
    return BillingCell(
        invoice_number=number,
        invoice_url=invoice_url(actor, number),
        can_add_invoice=False,
        why_not="",
        apply_payment_url=apply_payment_url(actor, visit_id),
        add_invoice_url=None,
    )


def _cell(actor: Actor, visit: VisitBilling) -> BillingCell:
    number = visit.invoice_number
    return BillingCell(
        invoice_number=number,
        invoice_url=invoice_url(actor, number) if number else None,
        can_add_invoice=visit.can_add_invoice,
        why_not=visit.why_not,
        apply_payment_url=apply_payment_url(actor, visit.visit_id) if number else None,
        add_invoice_url=practice_url(actor, "invoicing:add_invoice", visit=visit.visit_id),
    )
