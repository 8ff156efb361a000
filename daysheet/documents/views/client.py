"""Client → Documents: what was made, and making a statement, superbill, invoices or receipts of a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.clients.queries import get_client
from daysheet.kit.dates import month_bounds
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url, practice_url_or_none
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page, see_other

from .. import actions
from ..forms import MakeForm, PeriodForm, StatementForm
from ..papers import Kind, Paper
from ..queries.made import made_documents
from ..queries.subjects import invoices_of, payments_of
from ..rendering import invoice_papers, receipt_papers, statement_papers, superbill_papers
from ..rules import Period
from .answers import paper_page


@dataclass(frozen=True, slots=True)
class _Door:
    """One kind of document that the page offers."""

    kind: Kind
    title: str
    url_name: str
    empty: str


_DOORS = {
    Kind.STATEMENT: _Door(Kind.STATEMENT, "Statement", "documents:statement", ""),
    Kind.SUPERBILL: _Door(
        Kind.SUPERBILL, "Superbill", "documents:superbill",
        "No service with a procedure code was billed for a date of service in this period.",
    ),
    Kind.INVOICE: _Door(Kind.INVOICE, "Invoices", "documents:invoices", "No invoice was issued in this period."),
    Kind.RECEIPT: _Door(Kind.RECEIPT, "Receipts", "documents:receipts", "No payment was received in this period."),
}  # fmt: skip


@require_safe
def client_documents(request: HttpRequest, client: UUID) -> HttpResponse:
    """What was made, newest first, and the ways to make another."""
    actor = actor_of(request)
    number = page_number(request)
    rows, has_next = made_documents(actor, client, page=number)
    context = {
        "client": get_client(actor, client),
        "doors": [
            *((door.title, practice_url(actor, door.url_name, client=client)) for door in _DOORS.values()),
            ("Good Faith Estimates", practice_url(actor, "documents:client_estimates", client=client)),
        ],
        "rows": rows,
        "page_number": number,
        "has_next": has_next,
    }
    return render_page(request, "documents/client_documents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest, client: UUID, kind: Kind) -> HttpResponse:
    """A kind of document for a period: shown as it will be, and made by the button."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    # The period stands in the address of the form too: what was seen is what is made.
    form = _period_form(kind, request.GET, actor.today)
    papers = _papers(actor, client, kind, form) if form.is_valid() else []
    context = {
        "client": shown, "door": _DOORS[kind], "form": form, "make_form": MakeForm(), "side": "Documents",
        "heading": f"{_DOORS[kind].title}: {shown.name}",
    }  # fmt: skip
    if request.method != "POST":
        return paper_page(request, papers, context, status=200 if form.is_valid() else 422)
    return made_answer(request, actor, papers, context)


def made_answer(request: HttpRequest, actor: Actor, papers: Sequence[Paper], context: dict[str, Any]) -> HttpResponse:
    """Make these papers, and lead to the file: of the one document, or of all that the request made."""
    form = MakeForm(request.POST)
    if not form.is_valid():
        return paper_page(request, papers, {**context, "error": "Load the page anew and try again."}, status=422)
    request_id = form.cleaned_data["request_id"]
    try:
        made = actions.make_documents(actor, request_id=request_id, papers=papers)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return paper_page(request, papers, {**context, "error": refusal.message}, status=refusal.status)
    if request.POST.get("then") == "email" and (url := email_url(actor, made, request_id)):
        return see_other(request, url)
    if len(made) == 1:
        return see_other(request, practice_url(actor, "documents:document_pdf", document=made[0]))
    return see_other(request, practice_url(actor, "documents:made_together_pdf", made_in=request_id))


def email_url(actor: Actor, document_ids: Sequence[UUID], made_in: UUID) -> str | None:
    """Where these documents are e-mailed: a page of a higher slice."""
    if len(document_ids) == 1:
        return practice_url_or_none(actor, "mailings:email_document", document=document_ids[0])
    return practice_url_or_none(actor, "mailings:email_together", made_in=made_in)


def _period_form(kind: Kind, asked: Any, today: date) -> PeriodForm:
    """From the first of last month to today, where nothing is asked."""
    first, _ = month_bounds(month_bounds(today)[0] - timedelta(days=1))
    form = StatementForm if kind is Kind.STATEMENT else PeriodForm
    return form(asked, period=Period(first, today))


def _papers(actor: Actor, client_id: UUID, kind: Kind, form: PeriodForm) -> list[Paper]:
    period = form.period
    match kind:
        case Kind.STATEMENT:
            assert isinstance(form, StatementForm)
            return statement_papers(actor, [client_id], form.choices(actor.today))
        case Kind.SUPERBILL:
            return superbill_papers(actor, [client_id], period=period)
        case Kind.INVOICE:
            return invoice_papers(actor, invoices_of(actor, client_id, period))
    return receipt_papers(actor, payments_of(actor, client_id, period))
