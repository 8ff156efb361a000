"""What this slice puts into the Agenda's billing column (B2). The Agenda knows no invoices: it asks its registry."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitStatus
from daysheet.schedule.registry import BillingCell
from daysheet.web.pages import practice_url

from .links import apply_credit_url, apply_payment_url, invoice_url, price_url
from .queries.agenda import VisitBilling, visit_billing
from .registry import Warning, credit_of, visit_warnings
from .selection import Issued


def cells_of(actor: Actor, visit_ids: Collection[UUID]) -> dict[UUID, BillingCell]:
    """The billing cell of each visit; nothing at all without Billing (P2)."""
    if not actor.may(Permission.BILLING):
        return {}
    visits = visit_billing(actor, visit_ids)
    credit = credit_of(actor, {each.client_id for each in visits.values() if each.client_open_cents})
    warnings = visit_warnings(actor, visits.keys())
    return {
        visit_id: _cell(actor, each, credit.get(each.client_id, 0), warnings.get(visit_id))
        for visit_id, each in visits.items()
    }


def billed_cell(actor: Actor, visit_id: UUID, issued: Issued) -> BillingCell:
    """The cell of a visit that the door has just found on an invoice, or put there: nothing is read again."""
    made = issued.created[0] if issued.created else None
    number = made.number if made else issued.skipped[0].invoice_number
    is_due = made is None or made.client_open_cents > 0
    credit_cents = made.credit_cents if made and made.client_open_cents else 0
    return BillingCell(
        invoice_number=number,
        invoice_url=invoice_url(actor, number),
        can_add_invoice=False,
        why_not="",
        apply_payment_url=apply_payment_url(actor, visit_id) if is_due else None,
        add_invoice_url=None,
        credit_words=_credit_words(credit_cents),
        credit_url=apply_credit_url(actor, made.client_id, number) if made and credit_cents else None,
    )


def _credit_words(cents: int) -> str:
    return f"Apply {Money(cents)} credit" if cents else ""


def _cell(actor: Actor, visit: VisitBilling, client_credit_cents: int, warning: Warning | None) -> BillingCell:
    number = visit.invoice_number
    credit_cents = client_credit_cents if visit.client_open_cents else 0
    return BillingCell(
        invoice_number=number,
        invoice_url=invoice_url(actor, number) if number else None,
        can_add_invoice=visit.can_add_invoice,
        why_not=visit.why_not,
        # Nothing to take where the client owes nothing more; other money is taken on the Ledger (M2).
        apply_payment_url=apply_payment_url(actor, visit.visit_id) if number and visit.client_open_cents else None,
        add_invoice_url=practice_url(actor, "invoicing:add_invoice", visit=visit.visit_id),
        price_url=price_url(actor, visit.visit_id) if visit.can_add_invoice or not number else "",
        prepay_url=apply_payment_url(actor, visit.visit_id) if visit.status == VisitStatus.UPCOMING.label else None,
        credit_words=_credit_words(credit_cents),
        credit_url=apply_credit_url(actor, visit.client_id, number) if number and credit_cents else None,
        warning_words=warning.text if warning else "",
        warning_url=warning.url if warning else "",
        billed_cents=visit.billed_cents,
        client_due_cents=visit.client_open_cents,
    )
