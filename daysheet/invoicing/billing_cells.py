"""What this slice puts into the Agenda's billing column (B2). The Agenda knows no invoices: it asks its registry."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.registry import BillingCell
from daysheet.web.pages import practice_url

from .links import invoice_url, payment_url
from .queries.agenda import VisitBilling, visit_billing


def cells_of(actor: Actor, visit_ids: Collection[UUID]) -> dict[UUID, BillingCell]:
    """The billing cell of each visit; nothing at all without Billing (P2)."""
    if not actor.may(Permission.BILLING):
        return {}
    return {visit_id: _cell(actor, each) for visit_id, each in visit_billing(actor, visit_ids).items()}


def _cell(actor: Actor, visit: VisitBilling) -> BillingCell:
    number = visit.invoice_number
    return BillingCell(
        invoice_number=number,
        invoice_url=invoice_url(actor, number) if number else None,
        can_add_invoice=visit.can_add_invoice,
        why_not=visit.why_not,
        apply_payment_url=payment_url(actor, visit.client_id, number) if number else None,
        add_invoice_url=practice_url(actor, "invoicing:add_invoice", visit=visit.visit_id),
    )
