"""The list of clients, the search box, and the Details page with what is edited from there."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.clients import actions, queries
from daysheet.clients.forms import AssignStaffForm, ClientFilterForm, ClientForm, NewClientForm, initial_of
from daysheet.clients.registry import tiles_for
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other


@require_safe
def client_list(request: HttpRequest) -> HttpResponse:
    """Clients, with search and paging."""
    actor = actor_of(request)
    filters = ClientFilterForm(request.GET)
    found = queries.matching_clients(actor, request.GET.get("q", ""), active=filters.active)
    page = page_of(found, request.GET.get("page"))
    rows = [queries.client_row(client) for client in page.rows]
    return render_page(request, "clients/list.html", {"filters": filters, "page": page, "rows": rows})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The answer for the search box of the top bar."""
    actor = actor_of(request)
    results = [
        {
            "label": row.sort_name,
            "hint": _hint(row),
            "url": practice_url(actor, "clients:details", client=row.id),
        }
        for row in queries.search_clients(actor, request.GET.get("q", ""))
    ]
    return render_page(request, "web/parts/search_results.html", {"results": results})


def add(request: HttpRequest) -> HttpResponse:
    """New Client."""
    actor = actor_of(request)
    return form_page(
        request,
        NewClientForm(request.POST or None),
        "clients/add.html",
        {},
        save=lambda typed: actions.add_client(actor, **typed),
        done="The client was added.",
        back_url=lambda client: practice_url(actor, "clients:details", client=client.pk),
    )


@require_safe
def details(request: HttpRequest, client: UUID) -> HttpResponse:
    """Details: tiles for people with Billing permission, facts, assigned staff, diagnoses."""
    actor = actor_of(request)
    row = queries.get_client(actor, client)
    tiles = tiles_for(actor, row) if actor.may(Permission.BILLING) else []
    staff = queries.assignable_staff(actor, client)
    context = {
        "client": queries.client_details(actor, row),
        "tiles": tiles,
        "assign_form": AssignStaffForm(staff=staff) if staff else None,
    }
    return render_page(request, "clients/details.html", context)


def edit(request: HttpRequest, client: UUID) -> HttpResponse:
    """Edit a client's facts."""
    actor = actor_of(request)
    row = queries.get_client(actor, client)
    return form_page(
        request,
        ClientForm(request.POST or None, initial=initial_of(row, ClientForm)),
        "clients/edit.html",
        {"client": row},
        save=lambda typed: actions.edit_client(actor, client, **typed),
        done="The client was saved.",
        back_url=_details_url(actor, client),
    )


@require_POST
def archive(request: HttpRequest, client: UUID) -> HttpResponse:
    """Make a client inactive."""
    actor = actor_of(request)
    actions.archive_client(actor, client)
    messages.success(request, "The client is inactive now. The ledger and everything unbilled stay.")
    return see_other(request, _details_url(actor, client))


@require_POST
def activate(request: HttpRequest, client: UUID) -> HttpResponse:
    """Make a client active again."""
    actor = actor_of(request)
    actions.activate_client(actor, client)
    messages.success(request, "The client is active again.")
    return see_other(request, _details_url(actor, client))


def assign_staff(request: HttpRequest, client: UUID) -> HttpResponse:
    """Assign a staff member."""
    actor = actor_of(request)
    row = queries.get_client(actor, client)
    return form_page(
        request,
        AssignStaffForm(request.POST or None, staff=queries.assignable_staff(actor, client)),
        "clients/assign_staff.html",
        {"client": row},
        save=lambda typed: actions.assign_staff(actor, client, typed["staff_member_id"]),
        done="The staff member was assigned.",
        back_url=_details_url(actor, client),
    )


@require_POST
def unassign_staff(request: HttpRequest, client: UUID, staff_member: UUID) -> HttpResponse:
    """Take an assignment away."""
    actor = actor_of(request)
    actions.unassign_staff(actor, client, staff_member)
    messages.success(request, "The assignment was removed.")
    return see_other(request, _details_url(actor, client))


def _details_url(actor: Actor, client: UUID) -> str:
    return practice_url(actor, "clients:details", client=client)


def _hint(row: queries.ClientRow) -> str:
    born = f"{row.birth_on:%m/%d/%Y}" if row.birth_on else ""
    return " · ".join(part for part in (born, row.phone, "" if row.is_active else "Inactive") if part)
