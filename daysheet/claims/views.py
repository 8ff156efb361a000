"""Billing, Claims: those that await submission; adding an invoice's and taking one back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.invoicing.links import invoice_url
from daysheet.invoicing.queries.invoice_page import invoice_by_number
from daysheet.invoicing.views.requests import PracticeRequest
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.pages import practice_url
from daysheet.web.requests import page_number
from daysheet.web.views import render_page, see_other

from . import actions
from .queries import waiting_claims


@require_safe
def waiting(request: PracticeRequest) -> HttpResponse:
    """Claims Awaiting Submission, oldest first; `?page=`."""
    page = page_number(request)
    claims = waiting_claims(request.actor, page)
    return render_page(request, "claims/list.html", {"claims": claims, "page": page, "section": "Billing"})


@require_POST
def add(request: PracticeRequest, number: int) -> HttpResponse:
    """Put an invoice's insured lines into Claims Awaiting Submission, and go back to the invoice."""
    invoice = invoice_by_number(request.actor, number)
    try:
        made = actions.queue_claims(request.actor, invoice_id=invoice.id)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        said = "is in Claims Awaiting Submission." if made else "was in Claims Awaiting Submission before."
        messages.success(request, f"Invoice {number} {said}")
    return see_other(request, invoice_url(request.actor, number))


@require_POST
def withdraw(request: PracticeRequest, claim: UUID) -> HttpResponse:
    """Take a claim back; the invoice stays as it is."""
    if actions.withdraw_claim(request.actor, claim_id=claim):
        messages.success(request, "The claim was taken back. Its invoice stands as it was.")
    else:
        messages.info(request, "The claim was taken back before. Nothing was changed.")
    return see_other(request, practice_url(request.actor, "claims:list"))
