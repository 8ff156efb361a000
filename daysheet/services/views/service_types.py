"""Service Types, under Organization."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services import actions, queries
from daysheet.services.forms import NewServiceTypeForm, ServiceTypeFilterForm, ServiceTypeForm, initial_of
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other


@require_safe
def service_type_list(request: HttpRequest) -> HttpResponse:
    """The service types, with search, archived filter and paging."""
    actor = _administrator(request)
    filters = ServiceTypeFilterForm(request.GET)
    found = queries.service_types(actor, request.GET.get("q", ""), archived=filters.archived)
    context = {"filters": filters, "page": page_of(found, request.GET.get("page"))}
    return render_page(request, "services/list.html", context)


def add_service_type(request: HttpRequest) -> HttpResponse:
    """New Service Type."""
    actor = _administrator(request)
    usual = {"unit_rule": "always", "unit_count": 1, "default_minutes": 50, "bills_insurance": True}
    return form_page(
        request,
        NewServiceTypeForm(request.POST or None, initial=usual),
        "services/add.html",
        {},
        save=lambda typed: actions.add_service_type(actor, **typed),
        done="The service type was added.",
        back_url=practice_url(actor, "services:list"),
    )


def edit_service_type(request: HttpRequest, service_type: UUID) -> HttpResponse:
    """One service type."""
    actor = _administrator(request)
    service = queries.get_service_type(actor, service_type)
    return form_page(
        request,
        ServiceTypeForm(request.POST or None, initial=initial_of(service)),
        "services/edit.html",
        {"service": service},
        save=lambda typed: actions.edit_service_type(actor, service_type, **typed),
        done="The service type was saved. It holds for what is billed from now on.",
        back_url=practice_url(actor, "services:list"),
    )


@require_POST
def archive_service_type(request: HttpRequest, service_type: UUID) -> HttpResponse:
    """Take a service type out of use."""
    actor = actor_of(request)
    actions.archive_service_type(actor, service_type)
    messages.success(request, "The service type is archived. Appointments and invoices that have it keep it.")
    return see_other(request, practice_url(actor, "services:list"))


@require_POST
def restore_service_type(request: HttpRequest, service_type: UUID) -> HttpResponse:
    """Put a service type back into use."""
    actor = actor_of(request)
    try:
        actions.restore_service_type(actor, service_type)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        service = queries.get_service_type(actor, service_type)
        return render_page(request, "services/not_restored.html", {"service": service, "why": refusal}, status=422)
    messages.success(request, "The service type is in use again.")
    return see_other(request, practice_url(actor, "services:list"))


def _administrator(request: HttpRequest) -> Actor:
    """Everybody may read service types, to choose one; this page is for those who may change them."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    return actor
