"""Bill To & Insurance Info."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.clients import actions, queries
from daysheet.clients.forms import BillToForm, CoverageForm, EndForm, NewCoverageForm, initial_of
from daysheet.clients.registry import bill_to_sections
from daysheet.practices.actor import Actor
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import render_page


@require_safe
def bill_to(request: HttpRequest, client: UUID) -> HttpResponse:
    """Who pays, at what amount, through which coverage."""
    actor = actor_of(request)
    terms = queries.bill_to(actor, client)
    return render_page(request, "clients/bill_to.html", {"terms": terms, "sections": bill_to_sections(actor, client)})


def edit_bill_to(request: HttpRequest, client: UUID) -> HttpResponse:
    """Edit who pays and both providers."""
    actor = actor_of(request)
    row = queries.get_client(actor, client)
    form = BillToForm(
        request.POST or None,
        initial=initial_of(row, BillToForm),
        billing=queries.billing_providers(actor, row.billing_staff_member_id),
        rendering=queries.rendering_providers(actor, row.rendering_override_id),
    )
    return form_page(
        request,
        form,
        "clients/edit_bill_to.html",
        {"client": row},
        save=lambda typed: actions.set_bill_to(actor, client, **typed),
        done="Saved. It holds for what is billed from now on.",
        back_url=_bill_to_url(actor, client),
    )


def add_coverage(request: HttpRequest, client: UUID) -> HttpResponse:
    """Add a coverage."""
    actor = actor_of(request)
    payers = queries.payer_choices(actor)
    row = queries.get_client(actor, client)
    return form_page(
        request,
        NewCoverageForm(request.POST or None, payers=payers),
        "clients/add_coverage.html",
        {"client": row, "payers": payers},
        save=lambda typed: actions.add_coverage(actor, client, **typed),
        done="The coverage was added.",
        back_url=_bill_to_url(actor, client),
    )


def edit_coverage(request: HttpRequest, coverage: UUID) -> HttpResponse:
    """Edit a coverage."""
    actor = actor_of(request)
    row = queries.get_coverage(actor, coverage)
    shows_record_of(request, row.client_id)
    payers = queries.payer_choices(actor, row.payer_id)
    return form_page(
        request,
        CoverageForm(request.POST or None, initial=initial_of(row, CoverageForm), payers=payers),
        "clients/edit_coverage.html",
        {"client": row.client, "coverage": row},
        save=lambda typed: actions.edit_coverage(actor, coverage, **typed),
        done="The coverage was saved. Invoices already made stay as they are.",
        back_url=_bill_to_url(actor, row.client_id),
    )


def end_coverage(request: HttpRequest, coverage: UUID) -> HttpResponse:
    """End a coverage."""
    actor = actor_of(request)
    row = queries.get_coverage(actor, coverage)
    shows_record_of(request, row.client_id)
    return form_page(
        request,
        EndForm(request.POST or None, initial={"ends_on": row.ends_on or actor.today}),
        "clients/end_coverage.html",
        {"client": row.client, "coverage": row},
        save=lambda typed: actions.end_coverage(actor, coverage, **typed),
        done="The coverage was ended.",
        back_url=_bill_to_url(actor, row.client_id),
    )


def _bill_to_url(actor: Actor, client: UUID) -> str:
    return practice_url(actor, "clients:bill_to", client=client)
