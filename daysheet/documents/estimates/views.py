"""Good Faith Estimates: the work list, a client's estimates, a new one, and one as it was given."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import refused, render_page, see_other

from ..composing.estimates import estimate_papers
from ..forms import MakeForm
from ..views.answers import paper_page
from ..views.client import made_answer
from . import actions
from .forms import EstimateForm, RequestForm, expected_forms
from .proposal import propose_estimate
from .queries import estimates_of, get_estimate, owed_estimates

_ROWS = 50


@require_safe
def owed(request: HttpRequest) -> HttpResponse:
    """Who is owed an estimate, soonest due first."""
    actor = actor_of(request)
    rows = owed_estimates(actor)
    page = Paginator(rows, _ROWS).get_page(page_number(request))
    late = sum(row.is_late(actor.today) for row in rows)
    context = {
        "page": page, "rows": [(row, row.is_late(actor.today)) for row in page], "late": late, "count": len(rows),
        "section": "Billing",
    }  # fmt: skip
    return render_page(request, "documents/owed_estimates.html", context)


@require_safe
def client_estimates(request: HttpRequest, client: UUID) -> HttpResponse:
    """A client's estimates, and noting that the client asked for one."""
    actor = actor_of(request)
    context = {
        "client": get_client(actor, client), "estimates": estimates_of(actor, client),
        "form": RequestForm(initial={"requested_on": actor.today}),
    }  # fmt: skip
    return render_page(request, "documents/client_estimates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def request_estimate(request: HttpRequest, client: UUID) -> HttpResponse:
    """Note that a client asked for an estimate: it is due three business days later."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    return form_page(
        request,
        RequestForm(request.POST or None, initial={"requested_on": actor.today}),
        "documents/request_estimate.html",
        {"client": get_client(actor, client)},
        save=lambda typed: actions.note_estimate_request(actor, client, **typed),
        done="Noted. The estimate is on the list of those that are owed.",
        back_url=practice_url(actor, "documents:client_estimates", client=client),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, client: UUID) -> HttpResponse:
    """A new estimate, proposed from the appointments ahead."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    proposal = propose_estimate(actor, shown)
    form = EstimateForm(request.POST or None, proposal=proposal)
    services = expected_forms(actor, request.POST or None, proposal)
    context: dict[str, Any] = {"client": shown, "form": form, "services": services}
    template = "documents/give_estimate.html"
    if request.method != "POST":
        return render_page(request, template, context)
    if not (form.is_valid() and services.is_valid()):
        return refused(request, form, template, context)
    expected = [row.expected() for row in services if row.has_changed()]
    try:
        made = actions.give_estimate(
            actor, client, estimate_id=form.cleaned_data["estimate_id"], terms=form.terms(), services=expected
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, template, context, message=refusal)
    messages.success(request, "The estimate is kept. Give it to the client on paper or electronically, as they prefer.")
    return see_other(request, practice_url(actor, "documents:estimate", estimate=made))


@require_http_methods(["GET", "HEAD", "POST"])
def estimate(request: HttpRequest, estimate: UUID) -> HttpResponse:
    """One estimate as it was given; its PDF."""
    actor = actor_of(request)
    found = get_estimate(actor, estimate)
    papers = estimate_papers(actor, [estimate])
    context = {
        "heading": f"Good Faith Estimate: {found.client_name}", "side": "Documents", "client_id": found.client_id,
        "make_form": MakeForm(), "back_label": "Estimates",
        "back_url": practice_url(actor, "documents:client_estimates", client=found.client_id),
    }  # fmt: skip
    if request.method != "POST":
        return paper_page(request, papers, context)
    return made_answer(request, actor, papers, context)
