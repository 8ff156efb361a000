"""The invoice page, its print, and voiding (C3)."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.web.pages import practice_url
from daysheet.web.requests import shows_record_of
from daysheet.web.views import render_page

from .. import actions
from ..forms import ReasonForm
from ..links import agenda_url, apply_credit_url, invoice_url, ledger_url, payment_url
from ..queries.invoice_page import InvoiceView, invoice_by_number
from ..registry import claimed_lines, credit_of, invoice_warnings
from .correction_page import correction_page, effect_on_client
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
    actor, found = request.actor, invoice_by_number(request.actor, number)
    return correction_page(
        request, ReasonForm(request.POST or None), found.client_id, f"Void invoice {number}",
        invoice_url(actor, number),
        lambda typed: actions.void_invoice(
            actor, request_key=typed["request_key"], invoice_id=found.id, reason=typed["reason"]
        ),
        about=_about_void(found),
        danger=True,
        done=lambda _: f"Invoice {number} is void. What it billed is unbilled again.",
        at_once=lambda: effect_on_client(
            actor, found.client_id,
            lambda: actions.void_invoice(actor, invoice_id=found.id, reason="To see the effect"),
        ),
    )  # fmt: skip


def _about_void(found: InvoiceView) -> str:
    count = found.visit_count
    dates = f"{count} date{'' if count == 1 else 's'} of service {'is' if count == 1 else 'are'} unbilled again. "
    return (
        f"Voiding takes {Money(found.total_cents)} off {found.client_name}’s ledger ({Money(found.client_cents)} from "
        f"the client’s side, {Money(found.insurance_cents)} from insurance). {dates if count else ''}"
        f"{'Client payments on it become credit; write-offs are reversed. ' if found.is_touched else ''}"
        f"The number {found.number} stays, marked Void with your reason."
    )


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
