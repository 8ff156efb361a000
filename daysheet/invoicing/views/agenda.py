"""Agenda, Add Invoice: one click, no dialogue; for a group the member list (B2)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import next_url, shows_record_of
from daysheet.web.views import is_htmx, render_page, see_other

from .. import actions
from ..billing_cells import billed_cell
from ..links import agenda_url
from ..mending import mend_of
from ..queries.agenda import VisitBilling, group_billing, group_cell_of, one_visit_billing
from ..selection import Issued
from .requests import PracticeRequest

_PAGE = "invoicing/add_invoice.html"
_GROUP = "invoicing/add_group_invoices.html"
_CELL = "schedule/parts/billing_cell.html"
_GROUP_CELL = "schedule/parts/group_cell.html"
_REFUSED_CELL = "invoicing/parts/refused_cell.html"


@require_http_methods(["GET", "HEAD", "POST"])
def add_invoice(request: PracticeRequest, visit: UUID) -> HttpResponse:
    """POST bills the visit: HTMX gets the Agenda's cell, a plain form goes back there. GET offers the button."""
    if request.method != "POST":
        return _visit_page(request, one_visit_billing(request.actor, visit))
    try:
        issued = actions.bill_visit(request.actor, visit_id=visit)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _refused(request, visit, refusal.message)
    if issued.refused:
        first = issued.refused[0]
        mend = mend_of(
            request.actor,
            first.code,
            client_id=first.client_id,
            service_on=None,
            staff_member_id=first.staff_member_id,
            next_url=practice_url(request.actor, "invoicing:add_invoice", visit=visit),
        )
        return _refused(request, visit, first.message, mend=mend)
    if is_htmx(request):
        return _cell(request, visit, issued)
    messages.success(request, _said(issued))
    back = next_url(request, "") or _back(request, one_visit_billing(request.actor, visit))
    return see_other(request, back)


@require_http_methods(["GET", "HEAD", "POST"])
def add_group_invoices(request: PracticeRequest, appointment: UUID) -> HttpResponse:
    """The member list of a group: Create Invoice per client, and All."""
    members = group_billing(request.actor, appointment)
    shows_record_of(request, *(member.client_id for member in members))
    if request.method != "POST":
        return render_page(request, _GROUP, _group_context(request, members))
    request.actor.require(Permission.BILLING)
    one = next((m for m in members if str(m.visit_id) == request.POST.get("visit")), None)
    try:
        issued = (
            actions.bill_visit(request.actor, visit_id=one.visit_id)
            if one
            else actions.bill_appointment(request.actor, appointment_id=appointment)
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context = {**_group_context(request, members), "refusal": refusal.message}
        return render_page(request, _GROUP, context, status=422, part="members")
    fresh = group_billing(request.actor, appointment)
    context = {**_group_context(request, fresh), **_outcome(request, issued)}
    if issued.refused:
        return render_page(request, _GROUP, context, status=422, part="members")
    if is_htmx(request):
        return _unbilled_count_changed(render_page(request, _GROUP, context, part="members"))
    messages.success(request, _said(issued))
    wants_next = request.POST.get("then") == "next"  # All, clicked on the Agenda's own row
    return see_other(request, _back(request, fresh[0]) if wants_next else request.get_full_path())


def _visit_page(request: PracticeRequest, billing: VisitBilling, status: int = 200, **more: object) -> HttpResponse:
    shows_record_of(request, billing.client_id)
    context = {"visit": billing, "back_url": _back(request, billing), "section": "Schedule", **more}
    return render_page(request, _PAGE, context, status=status)


def _refused(request: PracticeRequest, visit: UUID, message: str, **more: object) -> HttpResponse:
    billing = one_visit_billing(request.actor, visit)
    if is_htmx(request):
        context = {"visit": billing, "refusal": message, "next": _back(request, billing), **more}
        return render_page(request, _REFUSED_CELL, context, status=422)
    return _visit_page(request, billing, status=422, refusal=message, **more)


def _cell(request: PracticeRequest, visit: UUID, issued: Issued) -> HttpResponse:
    """The visit's cell with the invoice, and beside it what else of the page is no longer so."""
    context: dict[str, object] = {"cell": billed_cell(request.actor, visit, issued), "visit_id": visit, "is_new": True}
    response = render_page(request, _CELL, context)
    if request.POST.get("member"):
        group = group_cell_of(request.actor, visit)
        beside = {"group": group, "next": next_url(request, ""), "is_new": True}
        response.write(render_to_string(_GROUP_CELL, beside, request))
    return _unbilled_count_changed(response)


def _unbilled_count_changed(response: HttpResponse) -> HttpResponse:
    """The top bar then asks for its count again."""
    response["HX-Trigger"] = "unbilled-changed"
    return response


def _back(request: PracticeRequest, billing: VisitBilling) -> str:
    agenda = agenda_url(request.actor, billing.service_on)
    return next_url(request, agenda or practice_url(request.actor, "invoicing:unbilled"))


def _group_context(request: PracticeRequest, members: list[VisitBilling]) -> dict[str, object]:
    return {
        "section": "Schedule",
        "members": members,
        "service_on": members[0].service_on,
        "back_url": _back(request, members[0]),
        "any_to_bill": any(member.can_add_invoice for member in members),
    }


def _outcome(request: PracticeRequest, issued: Issued) -> dict[str, object]:
    """What the member list says after a click: what was made, and what was refused with the way to mend it."""
    here = request.get_full_path()
    refused = [
        (
            each.message,
            mend_of(
                request.actor,
                each.code,
                client_id=each.client_id,
                service_on=None,
                staff_member_id=each.staff_member_id,
                next_url=here,
            ),
        )
        for each in {each.message: each for each in issued.refused}.values()
    ]
    return {"refused": refused, "said": _said(issued) if issued.created or issued.skipped else ""}


def _said(issued: Issued) -> str:
    if issued.created:
        numbers = ", ".join(str(invoice.number) for invoice in issued.created)
        return f"Invoice {numbers} created." if len(issued.created) == 1 else f"Invoices {numbers} created."
    numbers = ", ".join(str(number) for number in sorted({each.invoice_number for each in issued.skipped}))
    return f"Already billed on invoice {numbers}. Nothing was billed twice."
