"""The invoice page, its print, and voiding (C3)."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.queries import client_balances
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import shows_record_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions
from ..forms import ReasonForm
from ..links import agenda_url, apply_credit_url, invoice_url, ledger_url, payment_url
from ..queries.invoice_page import InvoiceView, invoice_by_number
from ..registry import claimed_lines, credit_of, invoice_warnings
from .requests import PracticeRequest


@require_safe
def invoice(request: PracticeRequest, number: int) -> HttpResponse:
    """One invoice. What the client gets of it is a document (`daysheet.documents`)."""
    found = invoice_by_number(request.actor, number)
    shows_record_of(request, found.client_id)
    return render_page(request, "invoicing/invoice.html", _context(request, found))


@require_http_methods(["GET", "HEAD", "POST"])
def void_invoice(request: PracticeRequest, number: int) -> HttpResponse:
    """Says what a void does, asks for the reason, and does it."""
    found = invoice_by_number(request.actor, number)
    shows_record_of(request, found.client_id)
    form = ReasonForm(request.POST or None)
    context = {**_context(request, found), "form": form, **_effect_of_void(request.actor, found)}
    if request.method != "POST":
        return render_page(request, "invoicing/void_invoice.html", context)
    if not form.is_valid():
        return refused(request, form, "invoicing/void_invoice.html", context)
    try:
        actions.void_invoice(request.actor, invoice_id=found.id, reason=form.cleaned_data["reason"])
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, "invoicing/void_invoice.html", context, message=refusal.message)
    messages.success(request, f"Invoice {number} is void. What it billed is unbilled again.")
    return see_other(request, invoice_url(request.actor, number))


def _effect_of_void(actor: Actor, found: InvoiceView) -> dict[str, object]:
    """The client's figures now and afterwards, by doing it and taking it back; or why it will be refused."""
    if found.void:
        return {}
    before = client_balances(actor, found.client_id)
    try:
        with transaction.atomic():
            actions.void_invoice(actor, invoice_id=found.id, reason="To see the effect")
            after = client_balances(actor, found.client_id)
            transaction.set_rollback(True)
    except Refusal as refusal:
        return {"refusal": refusal.message}
    return {
        "effect": (
            ("Client Balance Due", before.client_due_cents, after.client_due_cents),
            ("Insurance Balance Due", before.insurance_due_cents, after.insurance_due_cents),
            ("Client Credit", before.credit_cents, after.credit_cents),
        )
    }


def _context(request: PracticeRequest, found: InvoiceView) -> dict[str, object]:
    actor = request.actor
    credit = credit_of(actor, [found.client_id]).get(found.client_id, 0) if found.client_open_cents else 0
    insured = [line.id for line in found.lines if line.insurance_cents and not found.void]
    claimed = claimed_lines(insured)
    return {
        "invoice": found,
        "is_claimed": bool(claimed),
        "may_claim": len(claimed) < len(insured),
        "section": "Clients",
        "ledger_url": ledger_url(actor, found.client_id),
        "payment_url": payment_url(actor, found.client_id, found.number) if found.client_open_cents else None,
        "credit_cents": credit,
        "credit_url": apply_credit_url(actor, found.client_id, found.number) if credit else None,
        "document_request_id": new_id(),
        "warnings": [] if found.void else invoice_warnings(actor, found.id),
        "void_url": practice_url(actor, "invoicing:void_invoice", number=found.number),
        "lines": [(line, agenda_url(actor, line.service_on) if line.visit_id else None) for line in found.lines],
    }
