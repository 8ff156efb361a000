"""Insurers, under Billing."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.clients import actions, queries
from daysheet.clients.forms import NewPayerForm, PayerFilterForm, PayerForm, initial_of
from daysheet.clients.registry import insurer_sections, insurer_tiles
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

#: Insurers stand under Billing.
_SECTION = "Billing"


@require_safe
def insurers(request: HttpRequest) -> HttpResponse:
    """The insurers, with search and paging."""
    active = None if request.GET.get("show") == "all" else True
    found = queries.payers(actor_of(request), request.GET.get("q", ""), active=active)
    page = page_of(found, request.GET.get("page"))
    context = {"filters": PayerFilterForm(request.GET), "page": page, "section": _SECTION}
    return render_page(request, "clients/insurers.html", context)


def add_insurer(request: HttpRequest) -> HttpResponse:
    """New Insurer."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    return form_page(
        request,
        NewPayerForm(request.POST or None),
        "clients/add_insurer.html",
        {"section": _SECTION},
        save=lambda typed: actions.add_payer(actor, **typed),
        done="The insurer was added.",
        back_url=lambda payer: practice_url(actor, "clients:insurer", payer=payer.pk),
    )


@require_safe
def insurer(request: HttpRequest, payer: UUID) -> HttpResponse:
    """One insurer and its fee schedule."""
    actor = actor_of(request)
    context = {
        "payer": queries.insurer_details(actor, payer),
        "tiles": insurer_tiles(actor, payer),
        "sections": insurer_sections(actor, payer),
        "section": _SECTION,
    }
    return render_page(request, "clients/insurer.html", context)


def edit_insurer(request: HttpRequest, payer: UUID) -> HttpResponse:
    """Edit an insurer."""
    actor = actor_of(request)
    row = queries.get_payer(actor, payer)
    return form_page(
        request,
        PayerForm(request.POST or None, initial=initial_of(row, PayerForm)),
        "clients/edit_insurer.html",
        {"payer": row, "section": _SECTION},
        save=lambda typed: actions.edit_payer(actor, payer, **typed),
        done="The insurer was saved.",
        back_url=practice_url(actor, "clients:insurer", payer=payer),
    )
