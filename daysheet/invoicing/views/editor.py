"""Ledger, New Invoice: the editor, and the Save drop-down (B3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.web.pages import practice_url
from daysheet.web.views import is_htmx, render_page, see_other

from .. import actions
from ..batch_form import read_id
from ..links import invoice_url, ledger_url, payment_url, print_url
from ..mending import mend_of
from ..models import Invoice
from ..queries.editor import Show, services_of_client
from ..registry import LineAmount, claim_keeper, line_warnings
from ..selection import CreatedInvoice, Issued, Selection
from .editor_page import EditorPage
from .requests import PracticeRequest

_PAGE = "invoicing/new_invoice.html"
#: Buttons that change the page only; every other button saves.
_BUTTONS = ("show", "take_off", "put_back", "link", "drop", "add_item", "refresh")


@require_http_methods(["GET", "HEAD", "POST"])
def new_invoice(request: PracticeRequest, client: UUID) -> HttpResponse:
    """The editor. Save answers with the invoice; the same form sent twice with the first one's."""
    sent = request.POST if request.method == "POST" else None
    page = EditorPage(request.actor, client, sent, show=request.GET.get("show", ""))
    if sent is None or any(name in sent for name in _BUTTONS):
        return _show(request, page, part="editor")
    if "then" not in sent:
        return _show(request, page, part="live")
    if page.has_errors:
        return _show(request, page, status=422, error="Some of what was typed cannot be read.")
    if page.unseen_warnings:
        return _show(request, page, status=422, error="An item looks like a date of service that is not billed yet.")
    try:
        issued = _issue(request, page)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _show(request, page, status=422, error=refusal.message)
    if not issued.created:
        return _show(request, page, status=422, **_why_not(request, issued))
    return _saved(request, issued)


def _issue(request: PracticeRequest, page: EditorPage) -> Issued:
    client_id = page.client.id
    lines = page.lines  # reads the edits
    chosen = services_of_client(request.actor, client_id, page.posted_lines) if page.posted_lines else ()
    return actions.issue_invoices(
        request.actor,
        selection=Selection(
            visit_service_ids=chosen,
            edits=page.edits if lines else {},
            manual=tuple(page.manual_lines),
            client_id=client_id,
        ),
        door=Invoice.Door.LEDGER,
        request_key=read_id(page.sent.get("request_key", "")),
        note=page.sent.get("note", "").strip()[:400],
    )


def _show(
    request: PracticeRequest, page: EditorPage, *, status: int = 200, part: str | None = None, **more: Any
) -> HttpResponse:
    context = {
        "page": page,
        "lines": page.lines,
        "client": page.client,
        "filters": [(each.value, each.label, each is page.show) for each in Show],
        "request_key": read_id(page.sent.get("request_key", "")) or new_id(),
        "note": page.sent.get("note", ""),
        "ledger_url": ledger_url(request.actor, page.client.id),
        "warnings": line_warnings(request.actor, page.client.id, _amounts(page)),
        "is_live": part == "live" and is_htmx(request),
        "section": "Clients",
        **more,
    }
    return render_page(request, _PAGE, context, status=status, part=part)


def _amounts(page: EditorPage) -> list[LineAmount]:
    """The lines that Save would bill, and the items that are manual."""
    linked = [
        LineAmount(line.service_on, line.service_type_id, "", line.units or 1, line.amount_cents)
        for line in (each.line for each in page.lines)
        if line.amount_cents is not None
    ]
    manual = [
        LineAmount(item.service_on, item.service_type_id, "", item.units, item.rate_cents * item.units)
        for item in page.manual_lines
    ]
    return linked + manual


def _saved(request: PracticeRequest, issued: Issued) -> HttpResponse:
    invoice = issued.created[0]
    messages.success(request, f"Invoice {invoice.number} created.")
    for skipped in issued.skipped:
        messages.warning(
            request,
            f"{skipped.service_on:%m/%d/%Y} is not on it: it was billed meanwhile on invoice {skipped.invoice_number}.",
        )
    if request.POST.get("then") == "claim":
        _queue_claims(request, invoice)
    return see_other(request, _where_to(request, invoice))


def _queue_claims(request: PracticeRequest, invoice: CreatedInvoice) -> None:
    """Save & Add to Claims Awaiting Submission: the invoice is made in any case."""
    keeper = claim_keeper()
    try:
        if keeper and keeper.queue(request.actor, invoice_id=invoice.id):
            messages.success(request, f"Invoice {invoice.number} is in Claims Awaiting Submission.")
    except Refusal as refusal:
        messages.warning(request, refusal.message)


def _where_to(request: PracticeRequest, invoice: CreatedInvoice) -> str:
    page = invoice_url(request.actor, invoice.number)
    match request.POST.get("then"):
        case "pay":
            return payment_url(request.actor, invoice.client_id, invoice.number) or page
        case "stay":
            return page
        case "print":
            return print_url(request.actor, invoice.number) or page
    return ledger_url(request.actor, invoice.client_id) or page


def _why_not(request: PracticeRequest, issued: Issued) -> dict[str, Any]:
    """What the editor says where nothing was created: refused with the way to mend it, or billed before."""
    if issued.skipped:
        numbers = ", ".join(sorted({str(each.invoice_number) for each in issued.skipped}))
        return {"error": f"Already billed on invoice {numbers}. Nothing was billed twice."}
    first = next((each for each in issued.refused if each.code != "held_back"), issued.refused[0])
    here = practice_url(request.actor, "invoicing:new_invoice", client=first.client_id)
    mend = mend_of(
        request.actor,
        first.code,
        client_id=first.client_id,
        service_on=first.service_on,
        staff_member_id=first.staff_member_id,
        next_url=here,
    )
    return {"error": first.message, "mend": mend}
